"""The runner of `extract`: photos on disk -> features on disk, one ``.npy`` per photo or all in one matrix."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from facepart import __version__
from facepart.data.feature_files import LIST_FILE, MATRIX_FILE
from facepart.data.path_lists import refuse_unlistable, write_list
from facepart.data.photos import Photo, find_photos, photo_stamp
from facepart.data.resize import Size
from facepart.errors import FacepartError
from facepart.files.addresses import ExistingPaths, refuse_overwriting
from facepart.files.failures import Outcome
from facepart.files.lock import output_lock
from facepart.files.progress import Progress, StepTimes, silent
from facepart.files.record import read_record
from facepart.networks.alignment import CROP_SIZE
from facepart.networks.alignment_check import refuse_unalignable, warn_of_unaligned
from facepart.networks.catalogue import DETECTOR, choose_recogniser, obtain
from facepart.networks.recogniser import choose_size
from facepart.pipeline.batches import DEFAULT_BATCH
from facepart.pipeline.calibration import calibrate, with_calibration
from facepart.pipeline.executor import LOCAL, Executor, Session
from facepart.pipeline.faces_table import FacesTable
from facepart.pipeline.feature_check import whole_features
from facepart.pipeline.feature_matrix import MatrixRows, holds_matrix
from facepart.pipeline.network_files import NetworkFiles
from facepart.pipeline.photo_run import PhotoRun
from facepart.pipeline.worker import PhotoTask, PhotoWorker, RecogniserInfo


@dataclass
class ExtractOutcome(Outcome):
    """What a run did; besides :class:`Outcome`, the recogniser's name, why it was chosen, and where the features are.

    Attributes:
        model: the recogniser's name.
        note: a line with that name and why it was chosen; empty if the call named it.
        features_list: the list of features, or the matrix.
        several: photos with several faces; the largest near the centre was aligned.
    """

    model: str = ""
    note: str = ""
    features_list: Path = Path()
    several: int = 0


class _FeatureFiles(NamedTuple):
    """Where the features of a run are.

    Attributes:
        folder: of the features.
        all_together: the list of them, or the matrix.
    """

    folder: Path
    all_together: Path

    def feature(self, photo: Photo) -> Path:
        """Return the file for a photo's feature. If features go to a matrix, it is not written."""
        return self.folder / f"{photo.name}.npy"

    def paths(self, photo: Photo) -> set[Path]:
        """Return the files that are written of a photo."""
        # A photo may be called "features": then its file would be where the matrix is.
        return {self.feature(photo)} - {self.all_together}

    def earlier_files(self, folder: Path) -> Iterator[Path]:
        """Yield the features that earlier runs wrote into a folder."""
        return (path for path in folder.rglob("*.npy") if not path.name.startswith("."))


def extract_features(
    source: Path,
    features: Path,
    *,
    model: str | None = None,
    image_size: Size | None = None,
    device: str = "auto",
    precision: str = "auto",
    flip: bool = False,
    align: bool = False,
    matrix: bool = False,
    overwrite: bool = False,
    batch: int = DEFAULT_BATCH,
    workers: int | None = None,
    executor: Executor = LOCAL,
    progress: Progress = silent,
    times: StepTimes | None = None,
) -> ExtractOutcome:
    """Extract the embedding of every photo.

    Writes ``<name>.npy`` (float32, L2 norm 1) for each photo into `features`, and there ``list.txt`` (the absolute
    paths of this source's features, sorted), ``run.json``, with `align` ``faces.csv``
    (:mod:`facepart.pipeline.faces_table`) and, where photos failed, ``failures.csv``. A photo whose feature exists is
    skipped, unless the feature is damaged or the photo was replaced since. The name is the
    photo's path below the source folder; the photos of a list are named ``<folder>/<stem>``, as the original study's
    program does. Of two photos of one name, the second fails.

    With `matrix`, no files of single features are written but ``features.npy`` (float32, (n, d)), ``labels.txt`` and
    ``names.txt`` (see :mod:`facepart.pipeline.feature_matrix`), rows in the order that the list would have. Features
    that are there in files of their own go into the matrix, too, unless all is to be redone. Once a folder holds a
    matrix, all of its features go there: without `matrix` it is refused.

    Args:
        source: a folder of photos, or a list of them.
        features: folder for the features.
        model: the recogniser: a name from `facepart models list`, or a path; None for that of the earlier run in
            `features`, which `overwrite` forgets, or the default.
        image_size: rows and columns that the network gets, for networks that take any; photos of other proportions
            then fail. None for the network's own size, to which all photos are resized.
        device: see :func:`facepart.networks.engine_choice.open_engine`; likewise `precision`.
        precision: see there.
        flip: sum the embeddings of the face and of its mirror image.
        align: find the face and warp it to the ArcFace template first, to crops of 224x224 as a study does, or of
            `image_size`; without it, photos must be aligned crops.
        matrix: write one matrix instead of a file a photo.
        overwrite: extract all photos again; a matrix is removed first.
        batch: see :func:`facepart.pipeline.batches.run_batches`; likewise `workers`.
        workers: see there.
        executor: does the work.
        progress: is called with how far the run is.
        times: collects the time of each step.

    Raises:
        FacepartError: nothing to work on, no weights, a network that does not take `image_size`, other settings or
            another kind of features in the folder, a path that no list can hold, another run that is writing there,
            or it cannot be written. UsageError: an unknown device or precision; faces are to be aligned for a
            network that takes neither squares nor 112 rows to 96 columns; or `source` is a list where that of the
            features would be written.
    """
    refuse_unlistable(features)
    refuse_overwriting([source], [features / LIST_FILE])
    with output_lock(features):
        photos, failures = find_photos(source, exclude=(features,), by_folder=True)
        # The order in which matching takes the files of a list, whatever the photos' own extensions.
        outputs = _FeatureFiles(features, features / (MATRIX_FILE if matrix else LIST_FILE))
        photos.sort(key=lambda photo: str(outputs.feature(photo)))
        chosen = choose_recogniser(model, None if overwrite else _recorded_model(features))
        weights = chosen.weights
        preprocessing = weights.model.preprocessing if weights.model else None
        size = choose_size(weights.path, preprocessing, image_size) if image_size else None
        detector = obtain(DETECTOR, "detector") if align else None
        # As a study does, so that features are the same; a network of another size gets crops of that.
        crop = None if image_size else CROP_SIZE
        name = weights.name
        device, precision = executor.choose_engine(device, precision)
        times = times or StepTimes()
        networks = NetworkFiles(None, (weights,), detector, device, precision, flip, size)
        networks = with_calibration(networks, photos)
        worker = PhotoWorker(
            networks,
            crop=crop,
            undistorted=image_size is not None,
            features=None if matrix else features,
            batch=batch,
            workers=workers,
        )
        # In the form of run.json: null is the network's own size. Runs of earlier releases have no "crop": they cut
        # crops of the network's size.
        asked = {
            "model": name,
            "sha256": weights.sha256,
            "precision": precision,
            **({"calibration": networks.calibration} if networks.calibration else {}),
            "image_size": list(size) if size else None,
            "flip": flip,
            "align": detector.sha256 if detector else None,
            "crop": crop if align else None,
        }
        calibrate(networks, photos, crop)
        network = None if overwrite else _recorded_network(features, asked)
        session = None
        if network is None:
            # Before anything is written: a wrong network must not leave a record of itself.
            session = _start(executor, worker, times, (source, features), asked)
            network = _record_of(session.info[0])
        files = {photo.name: outputs.feature(photo) for photo in photos}
        inputs = {"source": source, "features": features}
        run = PhotoRun("extract", [features], outputs, inputs, asked | network, device=device, overwrite=overwrite)
        dimension = network["dimension"]
        stamps = {photo.name: photo_stamp(photo) for photo in photos}
        replaced = {photo.name for photo in photos if run.finished.is_replaced(photo, files[photo.name])}
        rows = None
        if matrix:
            rows = MatrixRows(features, dimension, overwrite=overwrite)
            there = rows.find(files, stamps, replaced, source)
        elif holds_matrix(features):
            raise FacepartError(
                f"{features}: holds a matrix of features; continue with --matrix, or choose another folder"
            )
        else:
            whole = set() if overwrite else whole_features(ExistingPaths([features]), files, dimension)
            there = whole - replaced
        todo = [photo for photo in photos if photo.name not in there]
        if todo and session is None:
            session = _start(executor, worker, times, (source, features), asked)
            run.set_settings(asked | _record_of(session.info[0]))
        outcome = ExtractOutcome(
            skipped=len(photos) - len(todo),
            failures=failures,
            model=name,
            note=chosen.note,
            features_list=outputs.all_together,
        )
        if overwrite and rows:
            rows.clear()
        run.begin([] if matrix else photos)
        if session and todo and not align:
            fit = session.info[0].preprocessing
            warn_of_unaligned(todo[0], (fit.height, fit.width), undistorted=image_size is not None)
        tasks = [PhotoTask(photo, signature=stamps[photo.name]) for photo in todo]
        faces = FacesTable(features, anew=overwrite) if align else None
        failed = run.work(session, tasks, outcome, progress, times, [each for each in (rows, faces) if each])
        if faces:
            outcome.several = faces.count_several({photo.name for photo in photos})
        if rows:
            written = rows.merge(files)
        else:
            existing = ExistingPaths([features])
            # What is there of a photo that failed is no feature, but a folder of that name.
            without = {failure.path for failure in failed}
            features_of = (files[photo.name] for photo in photos if photo.path not in without)
            listed = [path for path in features_of if path in existing]
            if listed:
                write_list(outputs.all_together, listed)
            written = len(listed)
        for photo in photos:
            if photo.name in there:
                run.finished.believe(photo)
        run.finished.save()
        run.end(outcome, photos=written)
        return outcome


def _start(
    executor: Executor, worker: PhotoWorker, times: StepTimes, paths: Sequence[Path], asked: Mapping[str, Any]
) -> Session:
    """Open the network.

    Raises:
        UsageError: faces are to be aligned for it, and no template has its proportions.
    """
    session = executor.start(worker, times, paths)
    if asked["align"]:
        fit = session.info[0].preprocessing
        refuse_unalignable(asked["model"], fit.height, fit.width)
    return session


def _record_of(network: RecogniserInfo) -> dict[str, Any]:
    """Return what a run's record says of the open network: how it takes faces, and how long its embeddings are."""
    fit = network.preprocessing
    return {"dimension": network.dimension, "colour": fit.colour, "mean": fit.mean, "scale": fit.scale}


def _recorded_network(features: Path, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the record of a folder says of the network, if this run would have the same; None if not.

    The same release opens the same network from the same weights, so that it need not be opened to know.
    """
    record = read_record(features)
    versions = record.get("versions") if record else None
    if record is None or not isinstance(versions, dict) or versions.get("facepart") != __version__:
        return None
    recorded: dict[str, Any] = record["settings"]
    if record.get("stage") != "extract" or {key: recorded.get(key) for key in asked} != asked:
        return None
    found = {key: recorded.get(key) for key in ("dimension", "colour", "mean", "scale")}
    dimension = found["dimension"]
    whole = isinstance(dimension, int) and dimension > 0 and found.keys() <= recorded.keys()
    return found if whole else None


def _recorded_model(features: Path) -> str | None:
    """Return the name of the recogniser of the earlier run in a folder; None if there was none."""
    record = read_record(features)
    name = record["settings"].get("model") if record else None
    return name if isinstance(name, str) else None
