"""Photos straight to embeddings: the same as through the files of the scripts, whatever the batch."""

import numpy as np
import pytest

from facepart.images import PhotoError, find_photos, read_photo
from facepart.occlusion import blur_photos
from facepart.occlusion.way import STANDARD, Way
from facepart.parsing.parser import open_parser
from facepart.parts import PARTS, read_parts_table
from facepart.recognition.load import open_recogniser
from facepart.recognition.run import extract_features
from facepart.study.embed import embed_versions
from facepart.study.versions import versions_of


@pytest.fixture(scope="module")
def engines(bisenet_weights, recogniser_weights):
    return open_parser(bisenet_weights, "cpu", "fp32"), open_recogniser(
        recogniser_weights, device="cpu", precision="fp32"
    )


def test_the_embeddings_are_those_that_the_files_give(tmp_path, face_paths, engines, recogniser_weights):
    (tmp_path / "photos.txt").write_text("\n".join(str(path) for path in face_paths[:3]))
    parts = ["eyes", "nose", "skin"]
    blurred = tmp_path / "blurred"
    blur_photos(tmp_path / "photos.txt", tmp_path / "masks", blurred, parts=parts, device="cpu", precision="fp32")
    sources = [tmp_path / "photos.txt", *(blurred / f"blurred_{part}" for part in parts)]
    for number, source in enumerate(sources):
        extract_features(
            source, tmp_path / str(number), model=str(recogniser_weights), device="cpu", precision="fp32"
        )
    table = read_parts_table(blurred)

    photos, _ = find_photos(tmp_path / "photos.txt")
    versions = versions_of(parts)
    results = list(
        embed_versions(photos, lambda photo: read_photo(photo.path), engines[0], engines[1], versions, batch=2)
    )
    assert [photo for photo, _ in results] == photos
    for photo, embedded in results:
        assert not isinstance(embedded, PhotoError)
        assert embedded.embeddings.dtype == np.float32
        # Features of a list lie in a folder called after the photo's.
        names = [f"{photo.path.parent.name}/{photo.name}", photo.name, photo.name, photo.name]
        files = np.stack([np.load(tmp_path / str(number) / f"{name}.npy") for number, name in enumerate(names)])
        np.testing.assert_array_equal(embedded.embeddings, files)
        assert embedded.pixels == {part: table[photo.name, part] for part in parts}


def test_batch_workers_and_order_change_nothing(faces, engines):
    versions = versions_of(list(PARTS), (STANDARD, Way("noise")), draws=1)

    def run(items, **options):
        results = {}
        for item, result in embed_versions(
            items, lambda item: faces[item], engines[0], engines[1], versions, **options
        ):
            assert not isinstance(result, PhotoError)
            results[item] = result.embeddings
        return results

    whole = run([0, 1, 2])
    for items, options in [([2, 1, 0], {}), ([0, 1, 2], {"batch": 1}), ([1, 0, 2], {"batch": 2, "workers": 1})]:
        other = run(items, **options)
        assert list(other) == items
        for item in items:
            np.testing.assert_array_equal(other[item], whole[item])
    assert whole[0].shape == (1 + 3 * len(PARTS), 512)
    np.testing.assert_allclose(np.linalg.norm(whole[0], axis=1), 1, atol=1e-6)


def test_mirrored_views_change_the_embedding_and_not_its_length(faces, engines):
    def run(flip):
        ((_, result),) = embed_versions(
            [0], lambda item: faces[item], engines[0], engines[1], versions_of(["nose"]), flip=flip
        )
        assert not isinstance(result, PhotoError)
        return result.embeddings

    plain, flipped = run(False), run(True)
    assert plain.shape == flipped.shape
    assert np.all(np.sum(plain * flipped, axis=1) > 0.8)
    assert np.any(plain != flipped)


def test_a_photo_that_cannot_be_read_is_told_in_its_place(faces, engines):
    def read(item):
        if item == 1:
            raise PhotoError("no such file")
        return faces[item]

    results = list(embed_versions([0, 1, 2], read, engines[0], engines[1], versions_of(["nose"]), batch=2))
    assert [isinstance(result, PhotoError) for _, result in results] == [False, True, False]
    assert str(results[1][1]) == "no such file"
