"""The folder in which facepart keeps what it fetched and compiled."""

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "FACEPART_HOME"


def cache_folder() -> Path:
    """Return the cache: ``FACEPART_HOME``, else the platform's cache folder for facepart."""
    chosen = os.environ.get(CACHE_VARIABLE)
    folder = Path(chosen) if chosen else platformdirs.user_cache_path("facepart", appauthor=False)
    return folder.expanduser().absolute()
