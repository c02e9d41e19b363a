"""The folders in which models are looked for, and the one into which they are fetched."""

from pathlib import Path

import facepart
from facepart.files.cache import cache_folder

_LOCAL = Path("insightface") / "models"
_SCRIPTS = (Path("face_matching"), Path("insightface") / "deploy")


def fetched_folder() -> Path:
    """Give the folder of models in the cache."""
    return cache_folder() / "models"


def checkout_folder() -> Path | None:
    """Give ``insightface/models`` of the checkout that facepart runs from; None for an installed package."""
    root = Path(facepart.__file__).resolve().parent.parent
    # Beside an installed package there may be another's folder of that name; a checkout has its project file.
    return root / _LOCAL if (root / "pyproject.toml").is_file() else None


def local_folders() -> list[Path]:
    """Give ``insightface/models`` below the current folder, and the checkout's."""
    here, checkout = _LOCAL.absolute(), checkout_folder()
    return [here] if checkout is None or checkout == here.resolve() else [here, checkout]


def script_folders() -> list[Path]:
    """Give the folders in which the original study's scripts stood, which relative paths in old command lines mean.

    These are ``face_matching`` and ``insightface/deploy``, below the current folder and in the checkout. They need
    not exist.
    """
    roots = [folder.parent.parent for folder in local_folders()]
    return [root / place for root in roots for place in _SCRIPTS]


def models_folders() -> list[Path]:
    """Give every folder of models, in the order in which they are looked through."""
    return [*local_folders(), Path.home() / ".insightface" / "models", fetched_folder()]
