"""A name -> the file in the cache, from the first source that works."""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.atomic import replacing
from facepart.files.cache import cache_folder
from facepart.networks.catalogue.archives import ArchiveError, take
from facepart.networks.catalogue.clients import DownloadError, download
from facepart.networks.catalogue.entries import Model, Source, model
from facepart.networks.catalogue.files import symbol_beside
from facepart.networks.catalogue.folders import checkout_folder, fetched_folder
from facepart.networks.catalogue.hashes import sha256_of
from facepart.networks.catalogue.lookup import locate

_TEMPORARY = "fetch-"
_ABANDONED_AFTER = 24 * 3600  # seconds
_logger = logging.getLogger(__name__)


def fetch(name: str, on_download: Callable[[str], None] = _logger.warning) -> Path:
    """Return the file of the model called `name`; fetch it into the cache if it is not on this machine.

    The sources are tried in turn. A downloaded file is checked against its hash before it is moved into the cache.

    Args:
        name: of a model in the catalogue.
        on_download: called with one line when a download begins.

    Returns:
        The file; for an MXNet checkpoint, the .params file.

    Raises:
        UsageError: there is no such model.
        FacepartError: every source failed; the message says why, and where to put the file by hand.
    """
    entry = model(name)
    found = locate(entry)
    if found is not None:
        return found.path
    target = fetched_folder() / entry.locations[0]
    failures = []
    for source in entry.sources:
        on_download(f"fetching {entry.name} ({_size_and_licence(entry)}) from {source}")
        try:
            with temporary_folder() as folder:
                file = _get(entry, source, folder)
                with replacing(target) as temporary:
                    file.replace(temporary)
        except (DownloadError, ArchiveError) as error:
            failures.append(f"{source}: {error}")
            continue
        if not entry.commercial:
            _logger.warning("%s is not for commercial use; its licence: %s", entry.name, entry.licence)
        return target
    tried = "; ".join(failures) or "no source is known"
    raise FacepartError(f"{entry.name} cannot be fetched: {tried}. {_by_hand(entry)}")


def _get(entry: Model, source: Source, folder: Path) -> Path:
    """Download from one source into `folder`; return the model's file, verified."""
    file = download(source, folder)
    if source.member is not None:
        _require(file, source.sha256)
        archive, file = file, folder / "member"
        take(archive, source.member, file)
    _require(file, entry.sha256)
    return file


def _require(file: Path, expected: str | None) -> None:
    sha256 = sha256_of(file)
    if expected is not None and sha256 != expected:
        raise DownloadError(f"delivered another file (sha256 {sha256[:12]}..., not {expected[:12]}...)")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder in the cache, whose files can be renamed into place; remove it afterwards.

    Its name is random, because two runs may fetch the same model at the same time.

    Raises:
        FacepartError: the cache cannot be written to.
    """
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(cache)
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=cache, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        raise FacepartError(f"{cache}: cannot be written: {error.strerror or error}; set FACEPART_HOME") from error


def _remove_abandoned(cache: Path) -> None:
    """Remove the temporary folders of killed runs: those older than a day."""
    for folder in cache.glob(f"{_TEMPORARY}*"):
        # Another run may remove its own folder at this moment, or it is another user's.
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(folder, ignore_errors=True)


def _size_and_licence(entry: Model) -> str:
    return entry.licence if entry.size is None else f"{entry.size / 1e6:.1f} MB, {entry.licence}"


def _by_hand(entry: Model) -> str:
    """Return a sentence that says where to put the file by hand."""
    place = (checkout_folder() or fetched_folder()) / entry.locations[0]
    if entry.format == "mxnet":
        return f"Put {place.name} and {symbol_beside(place).name} by hand into {place.parent}"
    return f"Put it by hand at {place} (sha256 {entry.sha256})"
