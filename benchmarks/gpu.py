"""What a GPU does: networks, the fused study from files and from memory, matching, and how far it agrees with a CPU.

Usage: sh benchmarks/gpu.sh [--quick] [--device cpu] [--minutes 8] [--photos 31706]

Nothing is fetched: networks have random weights, which take as long as trained ones, and photos are drawn. Steps for
which no time is left are made smaller, and the table says how large they were. A step that fails is a line of the
table, and the exit status is 1.

The study's photos are 224x224 JPEG files, embedded as they are and with seven parts occluded: read, decoded, sent,
parsed, occluded and embedded by :class:`facepart.pipeline.device_worker.DeviceWorker`, as `facepart study` does on
CUDA. Matching is the counting of all pairs with sums by subject, from embeddings in memory. ``--device cpu`` shows
that all of this runs; its figures mean nothing.
"""

import argparse
import copy
import importlib.util
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photos import Photo
from facepart.errors import FacepartError, one_line
from facepart.files.progress import StepTimes
from facepart.full_float32 import full_float32
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.subject_statistics import (
    SubjectTailCounts,
    authentic_scores,
    authentic_sums,
    choose_first_bin,
    impostor_moments,
)
from facepart.networks.bisenet import BiSeNet
from facepart.networks.cuda_devices import find_cuda_devices
from facepart.networks.engine import EITHER_16, Preprocessing
from facepart.networks.face_parser import PREPROCESSING
from facepart.networks.iresnet import BLOCKS, IResNet
from facepart.networks.label_map import CLASSES
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.batches import default_workers
from facepart.pipeline.device_worker import DeviceWorker
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from facepart.processors import processors

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("full_float32", "pytorch_engine", "device_occlusion", "matching_on_cuda")
FACES = Preprocessing(112, 112, "rgb", (127.5,) * 3, (127.5,) * 3)
OCCLUSIONS = tuple(Occlusion(Region(part)) for part in PARTS.values())
VERSIONS = 1 + len(OCCLUSIONS)
# The largest group of MORPH, as the original study used it.
WHOLE = 31_706
SIDE = 224


class Row(NamedTuple):
    """A line of the table."""

    what: str
    figure: str
    size: str = ""


class Scale(NamedTuple):
    """How much is done."""

    recogniser: int
    photos: int
    faces: int
    batches: tuple[int, ...]
    seconds: float


class Table:
    """Rows, in the order in which they were measured, each printed when it is known."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failed = False

    def add(self, what: str, figure: str, size: str = "") -> None:
        """Add a row."""
        self.rows.append(Row(what, figure, size))
        print(f"... {what}: {figure} {size}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Make an error of a step a row."""
        try:
            yield
        except (FacepartError, RuntimeError, OSError, AssertionError) as error:
            self.failed = True
            self.add(what, f"FAILED: {type(error).__name__}: {one_line(error)}")

    def __str__(self) -> str:
        widths = [max(len(row[column]) for row in self.rows) for column in range(2)]
        return "\n".join(f"{row.what:{widths[0]}}  {row.figure:>{widths[1]}}  {row.size}" for row in self.rows)


class MemoryWorker(DeviceWorker):
    """Takes photos that are in memory already."""

    photos: Sequence[NDArray[np.uint8]] = ()

    def read(self, photo: Photo) -> NDArray[np.uint8]:
        """Return a photo."""
        return self.photos[int(photo.name) % len(self.photos)]


class Networks16(NamedTuple):
    """The two networks, with random weights, as float32 modules."""

    parser: nn.Module
    recogniser: nn.Module

    def engine(self, which: str, device: str, precision: str, batch: int = 32) -> PyTorchEngine:
        """Put one on a device."""
        module = copy.deepcopy(getattr(self, which)).eval()
        if which == "parser":
            return PyTorchEngine(module, PREPROCESSING, len(CLASSES), precision, device, batch)
        return PyTorchEngine(module, FACES, None, precision, device, batch)


def draw_photo(number: int) -> NDArray[np.uint8]:
    """Draw something like a face, uint8 (224, 224, 3)."""
    rng = np.random.default_rng(number)
    photo = np.full((SIDE, SIDE, 3), rng.integers(60, 200, 3), np.uint8)
    for x, y, wide, high in [
        (112, 120, 70, 90),
        (82, 95, 14, 7),
        (142, 95, 14, 7),
        (112, 125, 10, 22),
        (112, 165, 25, 9),
    ]:
        centre = (int(x + rng.integers(-6, 7)), int(y + rng.integers(-6, 7)))
        cv2.ellipse(
            photo, centre, (wide, high), float(rng.uniform(-8, 8)), 0, 360, rng.integers(0, 256, 3).tolist(), -1
        )
    noisy = photo + rng.normal(0, 12, photo.shape)
    return cv2.GaussianBlur(noisy.clip(0, 255).astype(np.uint8), (0, 0), 0.8).astype(np.uint8)


def write_photos(folder: Path, count: int, seconds: float) -> list[Path]:
    """Write JPEG files that differ, as many as there is time for."""
    folder.mkdir(parents=True)
    faces = [draw_photo(number) for number in range(64)]
    end = time.perf_counter() + seconds

    def write(number: int) -> Path | None:
        if time.perf_counter() > end:
            return None
        path = folder / f"{number}.jpg"
        photo = np.roll(faces[number % len(faces)], number // len(faces), axis=1)
        cv2.imwrite(str(path), photo, [cv2.IMWRITE_JPEG_QUALITY, 92])
        return path

    with ThreadPoolExecutor(processors()) as pool:
        return [path for path in pool.map(write, range(count)) if path is not None]


def wait(device: str) -> None:
    """Wait for the device."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def rate(work: Callable[[], int], device: str, seconds: float) -> float:
    """Return how many a second `work`, which returns how many it did, does; after a first, unmeasured time."""
    work()
    wait(device)
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        done += work()
        wait(device)
    return done / (time.perf_counter() - begun)


def measure_networks(table: Table, networks: Networks16, device: str, scale: Scale) -> None:
    """Measure each network alone on the device, and with photos from the host and answers back."""
    names = {"parser": "BiSeNet, photos/s", "recogniser": f"r{scale.recogniser}, faces/s"}
    precisions = (EITHER_16, "bf16", "fp32") if device != "cpu" else ("fp32",)
    for which, name in names.items():
        for precision in precisions:
            for batch in scale.batches:
                with table.step(f"{name}, {precision}, batch {batch}"):
                    engine = networks.engine(which, device, precision, batch)
                    size = (batch, engine.preprocessing.height, engine.preprocessing.width, 3)
                    photos = np.random.default_rng(0).integers(0, 256, size, np.uint8)
                    there = torch.from_numpy(photos).to(device)

                    def alone(engine: PyTorchEngine = engine, there: torch.Tensor = there) -> int:
                        with torch.inference_mode(), full_float32():
                            engine.run(there)
                        return len(there)

                    def with_copies(engine: PyTorchEngine = engine, photos: NDArray[np.uint8] = photos) -> int:
                        return len(engine(np.concatenate([photos] * 4)))

                    found = [rate(work, device, scale.seconds) for work in (alone, with_copies)]
                    size_text = f"{found[1]:,.0f} from and to the host; computes in {engine.precision}"
                    table.add(f"{name}, {precision}, batch {batch}", f"{found[0]:,.0f}", size_text)


def compare_with_cpu(table: Table, networks: Networks16, device: str, scale: Scale) -> None:
    """Compare embeddings and label maps with those of the CPU in float32."""
    photos = np.stack([draw_photo(number) for number in range(4)])
    faces = np.stack([cv2.resize(photo, (112, 112)) for photo in photos])
    large = np.stack([cv2.resize(photo, (512, 512)) for photo in photos[:2]])
    expected = networks.engine("recogniser", "cpu", "fp32", 4)(faces)
    labels = networks.engine("parser", "cpu", "fp32", 2)(large)
    # Most CPUs take minutes in 16 bits.
    for precision in ("fp32", EITHER_16, "bf16") if device != "cpu" else ("fp32",):
        with table.step(f"parity, {precision}"):
            engine = networks.engine("recogniser", device, precision, 4)
            found = engine(faces)
            cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
            agree = float(np.mean(networks.engine("parser", device, precision, 2)(large) == labels))
            what = f"r{scale.recogniser}, {precision}: lowest cosine to the CPU in fp32"
            table.add(what, f"{cosines.min():.7f}", f"label maps: {agree:.3%} of pixels equal (random weights)")
    with table.step("parity of the fused path"):
        tasks = [PhotoTask(Photo(Path(f"{number}.png"), str(number)), OCCLUSIONS) for number in range(4)]
        found_by = [
            embed(kind, networks, where, "fp32", tasks, list(photos))
            for kind, where in ((_MemoryPhotoWorker, "cpu"), (MemoryWorker, device))
        ]
        lowest = min(float(one @ found_by[1][key]) for key, one in found_by[0].items())
        table.add(
            "fused path, fp32: lowest cosine to photo by photo on the CPU", f"{lowest:.7f}", "label maps included"
        )


class _MemoryPhotoWorker(PhotoWorker):
    """As MemoryWorker, for the ordinary path."""

    photos: Sequence[NDArray[np.uint8]] = ()
    read = MemoryWorker.read


def embed(
    kind: type[PhotoWorker],
    networks: Networks16,
    device: str,
    precision: str,
    tasks: Sequence[PhotoTask],
    photos: Sequence[NDArray[np.uint8]],
    batch: int = 2,
) -> dict[tuple[str, str], NDArray[np.float32]]:
    """Embed photos; return the embeddings by photo and occlusion."""
    worker = kind(
        NetworkFiles(None, (), None, device, precision), parts=tuple(PARTS.values()), batch=max(batch // 4, 1)
    )
    if isinstance(worker, MemoryWorker | _MemoryPhotoWorker):
        worker.photos = photos
    parser = networks.engine("parser", device, precision, batch)
    recogniser = networks.engine("recogniser", device, precision, batch)
    worker.use(Networks(parser, (recogniser,), None), StepTimes(), default_workers())
    found: dict[tuple[str, str], NDArray[np.float32]] = {}
    for task, result in worker.map(tasks):
        if isinstance(result, PhotoError):
            raise result
        found.update({(task.photo.name, name): each for name, each in result.record.embeddings.items()})
    return found


def measure_study(
    table: Table, networks: Networks16, device: str, scale: Scale, paths: Sequence[Path], left: Callable[[], float]
) -> float:
    """Measure the fused study from memory and from files; return its seconds for all photos, from files."""
    precision = EITHER_16 if device != "cpu" else "fp32"
    batch = scale.batches[-1]
    seconds = 0.0
    photos = [read_photo(path) for path in paths[:256]]
    for kind, where in ((MemoryWorker, "memory"), (DeviceWorker, "files on disk")):
        what = f"fused study from {where}, {VERSIONS} versions, photos/s"
        with table.step(what):
            tasks = [PhotoTask(Photo(path, path.stem), OCCLUSIONS) for path in paths]
            first = tasks[: 4 * batch]
            # The first time, algorithms are chosen and memory is taken; the second says how much there is time for.
            embed(kind, networks, device, precision, first, photos, batch)
            begun = time.perf_counter()
            embed(kind, networks, device, precision, first, photos, batch)
            likely = len(first) / (time.perf_counter() - begun)
            some = tasks[: max(int(likely * left() / 3), len(first))]
            begun = time.perf_counter()
            found = embed(kind, networks, device, precision, some, photos, batch)
            took = time.perf_counter() - begun
            assert len(found) == VERSIONS * len(some)
            seconds = took * WHOLE / len(some)
            table.add(
                what, f"{len(some) / took:,.0f}", f"{took:.1f} s for {len(some):,}; {seconds:.0f} s for {WHOLE:,}"
            )
    return seconds


def make_faces(count: int) -> Faces:
    """Draw random faces, four a person."""
    rng = np.random.default_rng(count)
    people = rng.standard_normal((-(-count // 4), 512), dtype=np.float32)
    rows = people[np.arange(count) // 4] + rng.standard_normal((count, 512), dtype=np.float32)
    rows += 0.3 * rng.standard_normal(512, dtype=np.float32)
    return Faces(unit_rows(rows), np.arange(count) // 4, np.arange(count))


def measure_matching(table: Table, device: str, scale: Scale) -> float:
    """Measure the matching of all pairs; return its seconds."""
    faces = make_faces(scale.faces)
    people = int(faces.subjects[-1]) + 1
    pairs = f"{scale.faces:,} faces, {scale.faces * (scale.faces - 1) // 2:,} pairs"
    rows = torch.from_numpy(faces.embeddings).to(device)
    with full_float32():
        products = min(
            _seconds(lambda: [rows[at : at + 4096] @ rows[at:].T for at in range(0, len(rows), 4096)], device)
            for _ in range(3)
        )
    table.add("bare products of these pairs, float32, s", f"{products:.3f}", pairs)

    def match() -> None:
        authentic = authentic_scores(faces, None)
        tails = SubjectTailCounts(people, choose_first_bin(faces, None, authentic[1]), device)
        authentic_sums(people, authentic, tails.first_bin)
        impostor_moments(people, faces, None, device)
        count_scores(faces, workers=processors(), device=device, tails=tails)
        tails.bins()

    took = min(_seconds(match, device) for _ in range(3))
    table.add("all pairs with sums by subject, s", f"{took:.3f}", pairs)
    alone = min(_seconds(lambda: count_scores(faces, workers=processors(), device=device), device) for _ in range(3))
    table.add("all pairs, scores alone, s", f"{alone:.3f}", pairs)
    few = make_faces(min(scale.faces, 4000))
    there, here = (count_scores(few, workers=processors(), device=where) for where in (device, "cpu"))
    same = np.array_equal(there.authentic.counts, here.authentic.counts)
    table.add(f"authentic scores of {len(few.subjects):,} faces are those of the CPU", "yes" if same else "NO")
    return took


def _seconds(work: Callable[[], object], device: str) -> float:
    wait(device)
    begun = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - begun


def run_tests(table: Table, device: str, seconds: float) -> None:
    """Run the tests that need a CUDA device; without one, say that they were skipped."""
    if any(importlib.util.find_spec(each) is None for each in ("pytest", "hypothesis")):
        table.add("tests on the device", "not run", "bring the wheels of pytest and hypothesis")
        return
    modules = [f"tests/test_{name}.py" for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider", *modules]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        table.failed = True
        table.add("tests on the device", "FAILED", f"not done in {seconds:.0f} s")
        return
    last = one_line((done.stdout.strip() or done.stderr.strip()).rpartition("\n")[2].strip("= "))
    if done.returncode:
        table.failed = True
        print(done.stdout[-4000:], done.stderr[-2000:], file=sys.stderr)
    table.add(
        "tests on the device",
        "FAILED" if done.returncode else "passed",
        last if device != "cpu" else f"{last} (no device)",
    )


def main() -> int:
    """Measure, and print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it runs")
    parser.add_argument("--minutes", type=float, default=8.0, help="default: %(default)s")
    parser.add_argument("--photos", type=int, default=WHOLE, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, required=True, help="for photos; gpu.sh makes and removes it")
    arguments = parser.parse_args()
    device, end = arguments.device, time.perf_counter() + 60 * arguments.minutes - 30
    if device != "cpu" and not (found := find_cuda_devices()).usable:
        print(
            f"gpu.sh: no CUDA device: {found.complaint or 'PyTorch finds none'}; --device cpu tries it out",
            file=sys.stderr,
        )
        return 2
    if arguments.quick:
        scale = Scale(100 if device != "cpu" else 18, min(arguments.photos, 8), 2000, (2,), 0.3)
    else:
        scale = Scale(100, arguments.photos, WHOLE, (32, 64, 128), 2.0)

    def left() -> float:
        return max(end - time.perf_counter(), 1.0)

    torch.manual_seed(0)
    networks = Networks16(BiSeNet(), IResNet(BLOCKS[scale.recogniser], 512))
    table = Table()
    table.add(
        "device", torch.cuda.get_device_name(device) if device != "cpu" else "cpu (a trial: figures mean nothing)"
    )
    table.add(
        "software",
        f"PyTorch {torch.__version__}",
        f"CUDA {torch.version.cuda}, Python {platform.python_version()}, {processors()} cores",
    )
    run_tests(table, device, min(left() / 3, 150))
    compare_with_cpu(table, networks, device, scale)
    matching = 0.0
    with table.step("matching"):
        matching = measure_matching(table, device, scale)
    measure_networks(table, networks, device, scale)
    with table.step("photos"):
        paths = write_photos(arguments.folder / "photos", scale.photos, left() / 4)
        table.add("photos written", f"{len(paths):,}", f"JPEG, {SIDE}x{SIDE}")
        embedding = measure_study(table, networks, device, scale, paths, left)
        if scale.faces == WHOLE and embedding:
            whole = embedding + VERSIONS * matching
            table.add(
                f"embedding {WHOLE:,} photos from files, and matching {VERSIONS} conditions, s",
                f"{whole:.0f}",
                "without the report",
            )
    print(table)
    return int(table.failed)


if __name__ == "__main__":
    sys.exit(main())
