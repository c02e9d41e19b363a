"""Pillow's settings while photos are read: its limit of size, its warnings, and what libtiff prints by itself.

These settings belong to the whole process, and photos are read in several threads. So they are changed when the first
thread begins to read and put back when the last one ends; :func:`warnings.catch_warnings` alone would restore another
thread's settings.
"""

import ctypes
import ctypes.util
import threading
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

import PIL
from PIL import Image

# Phones make photos of 200 megapixels; a file of a few kilobytes can claim any size.
MOST_PIXELS = 1 << 28
# Warnings about metadata, palettes and sizes come from these modules.
_MODULES = r"(PIL|pillow_heif|facepart\.data)(\.|$)"


class _PillowSettings:
    """Changes the settings as long as any thread is in a block of it."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._readers = 0
        self._limit: int | None = None
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._changing:
            if not self._readers:
                # Pillow warns beyond its limit, and refuses beyond twice the limit.
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MOST_PIXELS // 2
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                warnings.filterwarnings("ignore", module=_MODULES)
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        with self._changing:
            self._readers -= 1
            if not self._readers:
                Image.MAX_IMAGE_PIXELS = self._limit
                self._warnings.__exit__(None, None, None)


# Bytes. Pillow allocates large images in blocks; those of 64 MiB go back to the system when they are freed, while its
# own choice, 16 MiB, may stay with the allocator: 800 MB of a photo of 200 megapixels, in each thread that had one.
Image.core.set_block_size(64 << 20)  # type: ignore[attr-defined]

# `with PILLOW_SETTINGS:` lets Pillow read up to MOST_PIXELS pixels without a word, in all threads.
PILLOW_SETTINGS = _PillowSettings()


@cache
def silence_libtiff() -> None:
    """Stop libtiff from printing errors: Pillow turns off its warnings alone, and reports errors by itself."""
    packages = Path(PIL.__file__).parent
    bundled = [*packages.parent.glob("pillow.libs/libtiff*"), *packages.glob(".dylibs/libtiff*")]
    for name in [str(path) for path in bundled] or [ctypes.util.find_library("tiff") or ""]:
        # Without this library, or this function in it, its lines on the screen are all that is wrong.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(name).TIFFSetErrorHandler(None)
