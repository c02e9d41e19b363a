"""Photos straight to embeddings: the same as through the files of the scripts, whatever the batch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facepart.data.photo_input import PhotoError
from facepart.data.photos import Photo, find_photos
from facepart.errors import FacepartError
from facepart.files.progress import StepTimes
from facepart.networks.recogniser import open_recogniser
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.occlusion.parts import PARTS, find_part
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.extract import extract_features
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.parts_table import read_parts_table
from facepart.pipeline.saved_images import SavedImages
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from tests.opened_networks import parser_of

pytestmark = pytest.mark.slow

FILES = NetworkFiles(None, (), None, "cpu", "fp32")


@pytest.fixture(scope="module")
def engines(bisenet_weights, recogniser_weights):
    return parser_of(bisenet_weights), open_recogniser(recogniser_weights, device="cpu", precision="fp32")


class FromMemory(PhotoWorker):
    """Reads photos out of a list, by the number that is their name."""

    faces: list[Any]

    def read(self, photo):
        return self.faces[int(photo.name)]


@dataclass(frozen=True)
class KeptImages(SavedImages):
    """Keeps the occluded photos in memory, in place of writing them."""

    occluded: dict[str, Any] = field(default_factory=dict)

    def write(self, photo, face, labels, occluded):
        self.occluded[photo.name] = occluded
        return {}


def networks_of(engines, flip=False):
    parser, recogniser = engines
    return Networks(parser, (recogniser,), None, flip)


def occlusions_of(parts, methods=(STANDARD,), draws=0):
    return (
        *(Occlusion(Region(PARTS[part]), method) for method in methods for part in parts),
        *(Occlusion(Region(PARTS[part], draw), methods[0]) for draw in range(1, draws + 1) for part in parts),
    )


def results_of(worker, networks, photos, occlusions, threads=2):
    worker.use(networks, StepTimes(), threads)
    return [(task.photo, result) for task, result in worker.map([PhotoTask(photo, occlusions) for photo in photos])]


def embed(faces, engines, numbers, occlusions, *, flip=False, batch=16, threads=2):
    worker = FromMemory(FILES, batch=batch)
    worker.faces = faces
    photos = [Photo(Path(f"{number}.png"), str(number)) for number in numbers]
    results = results_of(worker, networks_of(engines, flip), photos, occlusions, threads)
    return {int(photo.name): result.record.embeddings for photo, result in results}


def test_the_embeddings_are_those_that_the_files_give(tmp_path, face_paths, engines, recogniser_weights):
    (tmp_path / "photos.txt").write_text("\n".join(str(path) for path in face_paths[:3]))
    parts = ["eyes", "nose", "skin"]
    blurred = tmp_path / "blurred"
    blur_photos(
        *(tmp_path / "photos.txt", tmp_path / "masks", blurred),
        parts=parts,
        save_labels=True,
        device="cpu",
        precision="fp32",
    )
    sources = [tmp_path / "photos.txt", *(blurred / f"blurred_{part}" for part in parts)]
    for number, source in enumerate(sources):
        extract_features(
            source, tmp_path / str(number), model=str(recogniser_weights), device="cpu", precision="fp32"
        )
    table = read_parts_table(blurred)

    photos, _ = find_photos(tmp_path / "photos.txt")
    results = results_of(PhotoWorker(FILES, batch=2), networks_of(engines), photos, occlusions_of(parts))
    assert [photo for photo, _ in results] == photos
    for photo, result in results:
        assert not isinstance(result, PhotoError)
        found = result.record
        assert list(found.embeddings) == [BASELINE.name, *parts]
        for number, embedding in enumerate(found.embeddings.values()):
            assert embedding.dtype == np.float32
            # Features of a list lie in a folder named after that of the photo.
            (feature,) = (tmp_path / str(number)).rglob(f"{photo.path.stem}.npy")
            np.testing.assert_array_equal(embedding, np.load(feature))
        assert found.pixels == {part: table[photo.name, part] for part in parts}
        labels = np.asarray(Image.open(tmp_path / "masks" / "labels" / f"{photo.name}.png"))
        assert found.pixels == {part: int(np.isin(labels, list(PARTS[part].classes)).sum()) for part in parts}
        # All but background, neck, necklace, cloth and hat.
        assert found.head == int((~np.isin(labels, [0, 14, 15, 16, 18])).sum())


def test_the_record_has_the_share_and_the_control_of_each_occlusion(faces, engines):
    """Grey tells how much of a photo was replaced: by how far its pixels went from what they were to grey."""
    grey = OcclusionMethod("grey")
    occlusions = occlusions_of(["nose", "hair", "mouth"], (grey,), draws=1)
    occlusions += (Occlusion(Region(PARTS["skin"], patch=True), grey),)
    kept = KeptImages(occlusions)
    worker = FromMemory(FILES, saved=kept)
    worker.faces = faces
    photos = [Photo(Path(f"{number}.png"), str(number)) for number in range(2)]
    for photo, result in results_of(worker, networks_of(engines), photos, occlusions):
        record = result.record
        assert set(record.shares) == {each.name for each in occlusions}
        face = faces[int(photo.name)].astype(float)
        # Where the photo is grey already, replacing it shows nowhere.
        clear = np.abs(face - 128) > 8
        for occlusion in occlusions:
            occluded = kept.occluded[photo.name][occlusion].photo.astype(float)
            shown = ((face - occluded)[clear] / (face - 128)[clear]).reshape(-1)
            whole = np.zeros(face.shape)
            whole[clear] = shown
            counts = np.maximum(clear.sum(axis=2), 1)
            by_pixel = (whole.sum(axis=2) / counts)[clear.any(axis=2)]
            assert record.shares[occlusion.name] == pytest.approx(by_pixel.mean(), rel=0.05, abs=2e-4)
        # Shapes of a nose and a mouth fit elsewhere on the face; that of hair does not, and the photo stays as it is.
        assert record.controls == {"nose_grey_control1": "moved", "mouth_grey_control1": "moved"}
        np.testing.assert_array_equal(
            kept.occluded[photo.name][Occlusion(Region(PARTS["hair"], 1), grey)].photo, faces[int(photo.name)]
        )
        assert set(record.overlaps) == {each.name for each in occlusions}
        removed = {name: dict(zip(PARTS, shares, strict=True)) for name, shares in record.overlaps.items()}
        assert removed["nose_grey"]["nose"] > 0.9
        assert removed["nose_grey_control1"]["nose"] < 0.15
        assert not np.nansum(list(removed["hair_grey_control1"].values()))  # NaN: a part that is not on the photo
        assert 0 < removed["skin_patch_grey"]["skin"] < 0.03


def test_batch_workers_and_order_change_nothing(faces, engines):
    parts = ["eyes", "nose", "skin"]
    occlusions = occlusions_of(parts, (STANDARD, OcclusionMethod("noise")), draws=1)
    whole = embed(faces, engines, [0, 1, 2], occlusions)
    for numbers, options in [([2, 1, 0], {}), ([0, 1, 2], {"batch": 1}), ([1, 0, 2], {"batch": 2, "threads": 1})]:
        other = embed(faces, engines, numbers, occlusions, **options)
        assert list(other) == numbers
        for number in numbers:
            assert other[number].keys() == whole[number].keys()
            for name, embedding in other[number].items():
                np.testing.assert_array_equal(embedding, whole[number][name])
    assert len(whole[0]) == 1 + 3 * len(parts)
    rows = np.stack(list(whole[0].values()))
    assert rows.shape == (1 + 3 * len(parts), 512)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_photos_with_other_occlusions_in_one_batch_change_nothing(faces, engines):
    """A run that goes on embeds some photos whole and others with what is missing, side by side."""
    nose, mouth = occlusions_of(["nose", "mouth"])
    alone = {number: embed(faces, engines, [number], (nose, mouth))[number] for number in (0, 1)}
    worker = FromMemory(FILES)
    worker.faces = faces
    worker.use(networks_of(engines), StepTimes(), threads=2)
    tasks = [
        PhotoTask(Photo(Path("0.png"), "0"), (mouth,)),
        PhotoTask(Photo(Path("1.png"), "1"), (nose, mouth)),
        PhotoTask(Photo(Path("2.png"), "2"), (), embed=False),
    ]
    results = [result.record.embeddings for _, result in worker.map(tasks) if not isinstance(result, PhotoError)]
    assert [list(each) for each in results] == [["baseline", "mouth"], ["baseline", "nose", "mouth"], []]
    for number, found in enumerate(results[:2]):
        for name, embedding in found.items():
            np.testing.assert_array_equal(embedding, alone[number][name])


def test_mirrored_views_change_the_embedding_and_not_its_length(faces, engines):
    plain, flipped = (
        np.stack(list(embed(faces, engines, [0], occlusions_of(["nose"]), flip=flip)[0].values()))
        for flip in (False, True)
    )
    assert plain.shape == flipped.shape
    assert np.all(np.sum(plain * flipped, axis=1) > 0.8)
    assert np.any(plain != flipped)


def test_a_photo_that_cannot_be_read_is_reported_in_its_place(faces, engines):
    class Unreadable(FromMemory):
        def read(self, photo):
            if photo.name == "1":
                raise PhotoError("no such file")
            return super().read(photo)

    worker = Unreadable(FILES, batch=2)
    worker.faces = faces
    photos = [Photo(Path(f"{number}.png"), str(number)) for number in range(3)]
    results = results_of(worker, networks_of(engines), photos, occlusions_of(["nose"]))
    assert [isinstance(result, PhotoError) for _, result in results] == [False, True, False]
    assert str(results[1][1]) == "no such file"


@pytest.mark.parametrize("align", [True, False])
def test_a_detector_that_cannot_be_opened_is_no_photos_failure(align, face_paths, tmp_path):
    """Neither a face that is not found nor, where only landmarks are needed, a part that is not detected."""
    (tmp_path / "yunet.onnx").write_bytes(b"no network")
    worker = PhotoWorker(FILES, crop=224, parts=(find_part("periocular"),))
    worker.use(Networks(None, (), tmp_path / "yunet.onnx", align=align), StepTimes(), 1)
    photo = Photo(face_paths[0], "1")
    with pytest.raises(FacepartError, match="is not the face detector") as found:
        worker._find_landmarks(PhotoTask(photo), worker.read(photo))
    assert not isinstance(found.value, PhotoError)
