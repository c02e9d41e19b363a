"""The folders that are searched for models, and the one that models are fetched to."""

from pathlib import Path

import facepart
from facepart.files.cache import cache_folder, expand_home

_LOCAL = Path("insightface") / "models"
_SCRIPTS = (Path("face_matching"), Path("insightface") / "deploy")


def fetched_folder() -> Path:
    """Return the folder of models in the cache."""
    return cache_folder() / "models"


def checkout_folder() -> Path | None:
    """Return ``insightface/models`` of the checkout that facepart runs from; None for an installed package."""
    root = Path(facepart.__file__).resolve().parent.parent
    # A folder of that name beside an installed package is another's; a checkout has its project file.
    return root / _LOCAL if (root / "pyproject.toml").is_file() else None


def local_folders() -> list[Path]:
    """Return ``insightface/models`` below the current folder, and the checkout's."""
    checkout = checkout_folder()
    others = [] if checkout is None else [checkout]
    try:
        here = _LOCAL.absolute()
    except OSError:  # the current folder has been removed
        return others
    return [here] if checkout == here.resolve() else [here, *others]


def script_folders() -> list[Path]:
    """Return the folders of the original study's scripts, which paths in its command lines are relative to.

    These are ``face_matching`` and ``insightface/deploy``, below the current folder and in the checkout. They need
    not exist.
    """
    roots = [folder.parent.parent for folder in local_folders()]
    return [root / place for root in roots for place in _SCRIPTS]


def models_folders() -> list[Path]:
    """Return every folder of models, in the order in which they are searched."""
    home = expand_home(Path("~"))
    # A user without a home folder has none there.
    of_insightface = [home / ".insightface" / "models"] if home.is_absolute() else []
    return [*local_folders(), *of_insightface, fetched_folder()]
