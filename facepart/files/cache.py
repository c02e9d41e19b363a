"""The folder in which facepart keeps what it fetched and compiled."""

import os
import stat
import tempfile
from pathlib import Path

from facepart.errors import FacepartError

CACHE_VARIABLE = "FACEPART_HOME"


def cache_folder() -> Path:
    """Return the cache: ``FACEPART_HOME``, else the platform's cache folder for facepart.

    A user without a home folder, as in some containers, has a cache in the folder of temporary files.

    Raises:
        FacepartError: that folder is another user's; or ``FACEPART_HOME`` is relative, and the current folder has
            been removed.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if not chosen:
        return _usual_cache()
    try:
        return expand_home(Path(chosen)).absolute()
    except OSError as error:
        raise FacepartError(f"{CACHE_VARIABLE}={chosen}: the current folder has been removed") from error


def expand_home(path: Path) -> Path:
    """Return a path with ``~`` replaced by the home folder; without a home folder, the path as it is."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _usual_cache() -> Path:
    # Imported here: where the variable says which folder it is, a machine may lack the package.
    import platformdirs

    try:
        folder = platformdirs.user_cache_path("facepart", appauthor=False)
    except RuntimeError:  # no home folder; some releases return one that begins with ~
        return _temporary_cache()
    return folder if folder.is_absolute() else _temporary_cache()


def _temporary_cache() -> Path:
    """Return a folder of this user's for temporary files.

    Raises:
        FacepartError: another user has made a folder of this name, or may write to it: what is cached is run.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"facepart-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return folder  # cannot be written, as any cache
    own = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o022
    if hasattr(os, "getuid") and not (own and status.st_uid == user):
        raise FacepartError(f"{folder}: belongs to another user; set {CACHE_VARIABLE} to a folder of your own")
    return folder
