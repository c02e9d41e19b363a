"""Pillow's settings while photos are read: its limit of size, its warnings, and what libtiff prints by itself.

These settings belong to the whole process, and photos are read in several threads. So they are changed when the first
thread begins to read and put back when the last one ends; :func:`warnings.catch_warnings` alone would restore another
thread's settings.
"""

import ctypes
import ctypes.util
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import PIL
from PIL import Image

# Phones make photos of 200 megapixels; a file of a few kilobytes can claim any size.
MOST_PIXELS = 1 << 28
# Warnings about metadata, palettes and sizes come from these modules.
_MODULES = r"(PIL|pillow_heif|facepart\.data)(\.|$)"

_changing = threading.Lock()
_readers = 0
_limit: int | None = None
_warnings = warnings.catch_warnings()


@contextmanager
def pillow_settings() -> Iterator[None]:
    """Let Pillow read up to :data:`MOST_PIXELS` pixels without a word as long as the block lasts, in all threads."""
    _begin()
    try:
        yield
    finally:
        _end()


def _begin() -> None:
    global _readers, _limit, _warnings
    with _changing:
        if not _readers:
            # Pillow warns beyond its limit, and refuses beyond twice the limit.
            _limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MOST_PIXELS // 2
            _warnings = warnings.catch_warnings()
            _warnings.__enter__()
            warnings.filterwarnings("ignore", module=_MODULES)
        _readers += 1


def _end() -> None:
    global _readers
    with _changing:
        _readers -= 1
        if not _readers:
            Image.MAX_IMAGE_PIXELS = _limit
            _warnings.__exit__(None, None, None)


@cache
def silence_libtiff() -> None:
    """Stop libtiff from printing errors: Pillow turns off its warnings alone, and reports errors by itself."""
    packages = Path(PIL.__file__).parent
    bundled = [*packages.parent.glob("pillow.libs/libtiff*"), *packages.glob(".dylibs/libtiff*")]
    for name in [str(path) for path in bundled] or [ctypes.util.find_library("tiff") or ""]:
        # Without this library, or this function in it, its lines on the screen are all that is wrong.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(name).TIFFSetErrorHandler(None)
