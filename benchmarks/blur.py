"""How fast photos are parsed and their seven parts blurred, compared with the original program and the bare network.

Usage: python -m benchmarks.blur PHOTOS [--photos N] [--original N] [--recogniser NAME|PATH]

Three figures, all in one run on the same photos (those of the folder PHOTOS, resized to 224x224, the only size that
the original works on):

- ours with files (`facepart blur`: masks and seven blurred PNGs a photo on disk) over the original program: one
  pass of float32 PyTorch a part and photo, one photo at a time, its mask written, read again and softened by SciPy;
- ours with files over the bare network: the parser alone, in the same engine, on photos that lie in memory;
- the fused function (photo to the embeddings of the original and seven blurred versions, no files) over the bare
  networks: one parse and eight embeddings a photo.

Then ours again on the photos as they are.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import scipy.ndimage
import torch
from PIL import Image

from benchmarks.machine import describe
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.data.photos import Photo, find_photos
from facepart.data.resize import resize
from facepart.files.progress import StepTimes
from facepart.networks.bisenet import load_bisenet
from facepart.networks.catalogue import DEFAULT_PARSER, default_recogniser, obtain
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.networks.recogniser import open_recogniser
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.batches import default_workers
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.worker import PhotoTask, PhotoWorker

SIZE = 224
ROUNDS = 3
# The original's dilations with a 5x5 square.
DILATIONS = {"eyes": 4, "brows": 2, "eyes_brows": 4, "nose": 3, "mouth": 4, "hair": 4, "skin": 0}
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def originals_way(photos: Sequence[Path], out: Path, network: torch.nn.Module) -> None:
    """Do what the original programs do, part by part and photo by photo (without its network's auxiliary heads)."""
    for part, row in PARTS.items():
        for path in photos:
            with Image.open(path) as image:
                x = np.asarray(image.convert("RGB").resize((512, 512), Image.Resampling.BILINEAR)) / 255
            batch = torch.from_numpy(((x - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32))
            with torch.no_grad():
                labels = network(batch)[0].numpy().argmax(0)
            mask = np.where(np.isin(labels, row.classes), 255, 0).astype(np.uint8)
            cv2.imwrite(str(out / f"{part}_{path.stem}_annotation.png"), mask)
    for part in PARTS:
        for path in photos:
            face = np.asarray(cv2.imread(str(path)))
            mask = np.asarray(cv2.imread(str(out / f"{part}_{path.stem}_annotation.png")))
            small = cv2.resize(mask, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
            grown = cv2.dilate(small, np.ones((5, 5), np.uint8), iterations=DILATIONS[part])
            share = scipy.ndimage.gaussian_filter(grown, 5) / 255
            blended = share * cv2.blur(face, (15, 15)) + (1.0 - share) * face
            cv2.imwrite(str(out / f"{part}_{path.stem}.png"), blended.astype(np.uint8))


def rate(photos: int, work: Callable[[], object]) -> float:
    """Return the photos a second at which `work` gets through `photos` of them."""
    start = time.perf_counter()
    work()
    return photos / (time.perf_counter() - start)


def measure(source: Path, count: int, slow: int, recogniser_name: str) -> None:
    """Measure all sides in turn, ROUNDS times, on `count` photos of `source` at most; print the medians.

    The original does `slow` of the photos; none if that is 0.
    """
    paths = [photo.path for photo in find_photos(source)[0][:count]]
    weights, recogniser_weights = obtain(DEFAULT_PARSER, "parser"), obtain(recogniser_name, "recogniser")
    parser = open_parser(weights.path, "cpu", compiled=weights.compiled)
    model = recogniser_weights.model
    recogniser = open_recogniser(
        recogniser_weights.path,
        model.preprocessing if model else None,
        "cpu",
        compiled=recogniser_weights.compiled,
    )
    network = load_bisenet(weights.path)
    photos = [read_photo(path) for path in paths]
    fitted = np.stack([fit_photo(photo) for photo in photos])
    size = recogniser.preprocessing
    faces = np.stack([resize(photo, size.height, size.width) for photo in photos for _ in range(1 + len(PARTS))])

    def with_files(out: Path) -> None:
        listed = out / "photos.txt"
        listed.write_text("\n".join(str(path.absolute()) for path in paths))
        outcome = blur_photos(listed, out / "masks", out / "blurred", device="cpu")
        assert outcome.done == len(paths), outcome.failures

    def bare_networks(out: Path) -> None:
        parser(fitted)
        recogniser(faces)

    def fused(out: Path) -> None:
        del out
        worker = PhotoWorker(NetworkFiles(weights, (recogniser_weights,), None, "cpu", parser.precision))
        worker.use(Networks(parser, (recogniser,), None), StepTimes(), default_workers())
        occlusions = tuple(Occlusion(Region(PARTS[part])) for part in PARTS)
        for _ in worker.map([PhotoTask(Photo(path, path.stem), occlusions) for path in paths]):
            pass

    sides: dict[str, tuple[int, Callable[[Path], object]]] = {
        "bare parser": (len(paths), lambda out: parser(fitted)),
        "ours, files": (len(paths), with_files),
        "bare networks": (len(paths), bare_networks),
        "ours, fused": (len(paths), fused),
    }
    if slow:
        sides["original"] = slow, lambda out: originals_way(paths[:slow], out, network)
    rates: dict[str, list[float]] = {name: [] for name in sides}
    bare_networks(source)  # once before anything counts
    for _ in range(ROUNDS):
        for name, (photos_done, work) in sides.items():
            rates[name].append(one_round(photos_done, work))

    height, width = photos[0].shape[:2]
    print(f"\n{len(paths)} photos of {width}x{height}, {parser.precision}, recogniser {recogniser_name}")
    medians = {name: float(np.median(each)) for name, each in rates.items()}
    for name, median in medians.items():
        spread = f"{min(rates[name]):.2f} to {max(rates[name]):.2f}"
        print(f"  {name:16}{median:9.2f} photos/s   ({spread} in {ROUNDS} rounds)")
    if slow:
        print(f"  with files, over the original:       {medians['ours, files'] / medians['original']:.1f} x")
    print(f"  with files, over the bare parser:    {medians['ours, files'] / medians['bare parser']:.2f}")
    print(f"  fused, over the bare networks:       {medians['ours, fused'] / medians['bare networks']:.2f}")


def one_round(photos: int, work: Callable[[Path], object]) -> float:
    """Return the photos a second at which `work`, which may write into a folder, gets through `photos` of them."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        work(Path(out))
        return photos / (time.perf_counter() - start)


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=Path, metavar="PHOTOS")
    arguments.add_argument("--photos", type=int, default=96, help="how many at most (default: %(default)s)")
    arguments.add_argument(
        "--original", type=int, default=4, help="how many the original does (default: %(default)s)"
    )
    arguments.add_argument("--recogniser", default=default_recogniser(), help="default: %(default)s")
    parsed = arguments.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        for photo in find_photos(parsed.source)[0][: parsed.photos]:
            small = cv2.resize(read_photo(photo.path), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
            write_image(Path(temporary) / f"{photo.name}.png", small.astype(np.uint8))
        measure(Path(temporary), parsed.photos, parsed.original, parsed.recogniser)
    measure(parsed.source, parsed.photos, 0, parsed.recogniser)


if __name__ == "__main__":
    main()
