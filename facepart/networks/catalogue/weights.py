"""A name or a path on the command line -> weights on disk, with their entry in the catalogue."""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from facepart.errors import FacepartError, UsageError, one_line
from facepart.files.cache import cache_folder, expand_home
from facepart.networks.catalogue.entries import Model, catalogue, model
from facepart.networks.catalogue.fetching import fetch
from facepart.networks.catalogue.files import network_sha256, symbol_beside
from facepart.networks.catalogue.folders import script_folders
from facepart.networks.catalogue.hashes import sha256_of
from facepart.networks.catalogue.lookup import is_file, locate
from facepart.networks.compiled_cache import CompiledCache
from facepart.suggestion import did_you_mean

_EXTENSIONS = (".onnx", ".pth", ".pt", ".params")

_logger = logging.getLogger(__name__)

_CHECKPOINT = re.compile(r"model-(?P<epoch>\d+)\.params")


@dataclass(frozen=True)
class Weights:
    """A network's weights on disk.

    Attributes:
        path: the file; for an MXNet checkpoint, the .params file, with its symbol beside it.
        model: its entry in the catalogue; None for a file that is not in the catalogue.
        sha256: of the network, all files; see :func:`facepart.networks.catalogue.files.network_sha256`.
    """

    path: Path
    model: Model | None
    sha256: str

    @property
    def name(self) -> str:
        """Its name in the catalogue, or that of the file; of MXNet's ``model,0`` that of its folder.

        Checkpoints of insightface are all called ``model``, in a folder for each network. An epoch other than 0
        follows the name of the folder: ``model-r100-ii-16``.
        """
        if self.model:
            return self.model.name
        checkpoint = _CHECKPOINT.fullmatch(self.path.name)
        folder = self.path.absolute().parent.name
        if checkpoint is None or not folder:
            return self.path.name
        epoch = int(checkpoint["epoch"])
        return f"{folder}-{epoch}" if epoch else folder

    @property
    def symbol(self) -> Path | None:
        """The graph of an MXNet checkpoint; None for other files."""
        return symbol_beside(self.path) if self.path.suffix == ".params" else None

    @property
    def compiled(self) -> CompiledCache:
        """Where the compiled network is cached; see :func:`facepart.networks.engine_choice.open_engine`."""
        return CompiledCache(cache_folder() / "compiled", self.sha256)


def obtain(name_or_path: str, task: str) -> Weights:
    """Return the weights that a user names.

    An existing path comes first: a file, a folder with one network in it, or MXNet's ``prefix,epoch``, such as
    ``insightface/models/model-r100-ii/model,0``. A relative ``prefix,epoch`` that does not exist below the current
    folder is searched for below the folders of the original study's scripts, such as
    ``../models/model-r100-ii/model,0`` from ``insightface/deploy``. A file of the catalogue is recognised by its
    hash, wherever it is. Anything else is the name of a model, which is fetched if it is not on this machine.

    Args:
        name_or_path: as the user typed it.
        task: the task of the network: ``parser``, ``recogniser`` or ``detector``.

    Raises:
        UsageError: there is no such model, or it has another task.
        FacepartError: the path has no weights, or the model can be neither found nor fetched.
    """
    path = _given_path(name_or_path)
    if path is not None:
        own = sha256_of(path)
        known = next((entry for entry in catalogue().values() if entry.sha256 == own), None)
        if known is not None:
            _require_task(known, task, f"{name_or_path} ({known.name})")
        return Weights(path, known, network_sha256(path, own))
    if name_or_path.endswith(_EXTENSIONS) or os.sep in name_or_path:
        raise FacepartError(f"{name_or_path}: no such file or folder{did_you_mean(name_or_path, catalogue())}")
    entry = model(name_or_path)
    _require_task(entry, task, entry.name)
    found = locate(entry)
    if found is not None:
        return Weights(found.path, entry, found.sha256)
    path = fetch(entry.name)
    return Weights(path, entry, network_sha256(path))


def obtain_on_worker(weights: Weights, task: str) -> Weights:
    """Return, on this machine, weights that were obtained on another: from the same path, or by their name.

    Raises:
        FacepartError: there are none and they cannot be fetched, or they are other weights.
    """
    found = weights
    if not weights.path.exists():
        if weights.model is None:
            raise FacepartError(
                f"{weights.path}: no such file; weights must be at a path that every machine can read"
            )
        found = obtain(weights.model.name, task)
    if network_sha256(found.path) != weights.sha256:
        raise FacepartError(
            f"{found.path}: differs from the weights of that name on the machine that started the run"
        )
    return found


def _given_path(text: str) -> Path | None:
    """Return the weights at an explicit path; None if `text` is not a path to anything."""
    path = expand_home(Path(text))
    if is_file(path):
        return _with_symbol(path)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises PermissionError where it may not look
        return _in_folder(path)
    prefix_and_epoch = re.fullmatch(r"(.+?)\s*,\s*(\d+)", text)
    if prefix_and_epoch is None:
        return None
    prefix, epoch = prefix_and_epoch.groups()
    params = expand_home(Path(f"{prefix}-{int(epoch):04d}.params"))
    if is_file(params):
        return _with_symbol(params)
    found = _from_script_folders(params)
    if found is None:
        other = "" if params.is_absolute() else "; it is not below face_matching/ or insightface/deploy/ either"
        raise FacepartError(
            f"{params}: no such file; {text} means this file, with {symbol_beside(params).name} beside it{other}"
        )
    _logger.warning("%s: not found from the current folder; using %s", text, found)
    return _with_symbol(found)


def _from_script_folders(path: Path) -> Path | None:
    """Find a path relative to the folders of the original study's scripts; None if it does not exist."""
    if path.is_absolute():
        return None
    # Normalised as text: the folders themselves need not exist.
    candidates = [Path(os.path.normpath(folder / path)) for folder in script_folders()]
    return next((candidate for candidate in candidates if is_file(candidate)), None)


def _in_folder(folder: Path) -> Path:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in _EXTENSIONS)
    except OSError as error:
        raise FacepartError(f"{folder}: cannot be opened: {error.strerror}") from error
    if not files:
        raise FacepartError(f"{folder}: contains no network (a file ending in {', '.join(_EXTENSIONS)})")
    if len(files) > 1:
        raise FacepartError(
            f"{folder}: contains several networks; name one: {one_line(', '.join(path.name for path in files))}"
        )
    return _with_symbol(files[0])


def _with_symbol(path: Path) -> Path:
    if path.suffix == ".params" and not symbol_beside(path).is_file():
        raise FacepartError(f"{path}: {symbol_beside(path).name}, which contains the graph, must be beside it")
    return path


def _require_task(entry: Model, task: str, called: str) -> None:
    if entry.task != task:
        others = ", ".join(other.name for other in catalogue().values() if other.task == task)
        raise UsageError(f"{called} is a {entry.task}, not a {task}; known {task}s: {others}")
