"""A photo on disk -> an array of 8-bit RGB.

Pillow decodes, because it says when a file is cut short, where OpenCV returns a half-grey picture; JPEG pixels
are the same as OpenCV's (both use libjpeg-turbo).

Colour profiles are not applied: recognisers are trained on pixels as they are stored. Transparency is dropped: the
stored colours are used also where nothing would show. Of several frames or pages the first is taken.
"""

import errno
import io
import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from facepart.data.photo_depth import DARKEST_16, DEEP_MODES, Depth, find_depth
from facepart.data.photo_kinds import FORMATS, HEIF_MISSING, has_heif
from facepart.data.photo_repair import decode_without_end, has_damaged_pixels, without_metadata
from facepart.data.pillow_settings import MOST_PIXELS, PILLOW_SETTINGS, silence_libtiff
from facepart.errors import FacepartError, first_line
from facepart.files.addresses import is_address, read_whole

# Stages of failures that may be mended without a change of the photo's file: these photos are tried again.
OPEN, WRITE = "open", "write"

# Photos of more pixels are decoded one at a time, so that threads that read do not fill the memory.
LARGE_PIXELS = 50_000_000
# Pixels that are converted at a time.
_STRIP_PIXELS = 1 << 22

_ORIENTATION = 0x0112  # EXIF's tag
# Brands of ISO media files that hold HEIC photos (ISO/IEC 23008-12).
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a disk"),
)

_one_large_photo = threading.RLock()
_turn_of_thread = threading.local()
# One thread for all large photos: the memory that Pillow frees stays with the thread that had it.
_large_reader = ThreadPoolExecutor(1, "large-photos")


class PhotoError(FacepartError):
    """A photo that cannot be worked on; the message is the reason alone, without the path.

    Attributes:
        stage: where it failed: ``open``, ``read``, ``align``, ``resize``, ``labels``,
            ``embed`` or ``write``.
    """

    def __init__(self, reason: str, stage: str = "read") -> None:
        super().__init__(reason)
        self.stage = stage


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Read a photo, turned upright by its EXIF orientation.

    Grey is repeated over the channels, alpha is dropped, 16 bits keep their upper 8 (or those of the range that the
    file declares), CMYK and palettes are converted; of several frames the first is taken.

    Returns:
        uint8 of shape (height, width, 3), RGB.

    Raises:
        PhotoError: the file is missing, cannot be opened, is cut short, is no image, is larger than
            :data:`facepart.data.pillow_settings.MOST_PIXELS`, or has values whose range is not known.
    """
    held: ExitStack | None = getattr(_turn_of_thread, "held", None)
    if held is not None:
        return _read(path, held)
    with ExitStack() as own:
        return _read(path, own)


def read_size(path: Path) -> tuple[int, int]:
    """Return rows and columns of a photo, turned upright by its EXIF orientation, from the beginning of the file.

    Raises:
        PhotoError: it cannot be read so far.
    """
    try:
        source = io.BytesIO(read_whole(path)) if is_address(path) else _regular(path)
        with PILLOW_SETTINGS, Image.open(source) as image:
            turned = _orientation(image) >= 5
            return (image.width, image.height) if turned else (image.height, image.width)
    except PhotoError:
        raise
    except Exception:
        # What only a second look at the file makes readable.
        return read_photo(path).shape[:2]


@contextmanager
def large_photos_in_turn() -> Iterator[None]:
    """While this thread reads a photo of more than :data:`LARGE_PIXELS`, and until the block ends, no other does.

    Threads that keep only something smaller beyond the block thus hold one such photo in memory, however many they
    are.
    """
    with ExitStack() as held:
        _turn_of_thread.held = held
        try:
            yield
        finally:
            _turn_of_thread.held = None


def _read(path: Path, held: ExitStack) -> NDArray[np.uint8]:
    """Read a photo; `held` keeps the turn of a large one."""
    try:
        source = read_whole(path) if is_address(path) else _regular(path)
        with PILLOW_SETTINGS:
            try:
                return _decode(source, held)
            except (PhotoError, MemoryError, Image.DecompressionBombError):
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                return _decode_again(source if isinstance(source, bytes) else path.read_bytes(), error, held)
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError("does not fit into the memory", stage=OPEN) from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"is larger than {MOST_PIXELS // 10**6} megapixels: shrink it") from error
    except Exception as error:
        # A damaged file can make Pillow's decoders raise nearly anything (OSError, SyntaxError, struct.error ...).
        raise _explain(error) from error


def _regular(path: Path) -> Path:
    """Return the path of a file that can be read to its end.

    Raises:
        OSError: it cannot be looked at. PhotoError: it is a pipe, which would keep the run waiting, or a device.
    """
    mode = os.stat(path).st_mode  # noqa: PTH116 - for every photo: Path.stat takes twice as long
    for is_special, name in _SPECIAL if not stat.S_ISREG(mode) else ():
        if is_special(mode):
            raise PhotoError(f"is {name}, not a file", stage=OPEN)
    return path


def _explain(error: Exception) -> PhotoError:
    """Return why a photo cannot be read, in a few words."""
    if isinstance(error, FileNotFoundError):
        return PhotoError("no such file", stage=OPEN)
    if isinstance(error, IsADirectoryError):
        return PhotoError("is a folder", stage=OPEN)
    if isinstance(error, PermissionError):
        return PhotoError("no permission to read it", stage=OPEN)
    if isinstance(error, OSError) and error.errno is not None:
        loop = "is a link to itself, or one of too many links"
        return PhotoError(loop if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}", stage=OPEN)
    if isinstance(error, UnidentifiedImageError):
        return PhotoError("is not an image of a known kind")
    return PhotoError(f"cannot be decoded: {' '.join(first_line(error).split())}")


def _decode(source: Path | bytes, held: ExitStack) -> NDArray[np.uint8]:
    """Decode a file, or the contents of one.

    Raises:
        PhotoError: it is no photo, or its range is not known. Whatever Pillow raises.
    """
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        if image.format not in FORMATS:
            raise PhotoError(f"is a file of the kind {image.format}, not a photo")
        if image.format == "TIFF":
            silence_libtiff()
        if image.width * image.height > LARGE_PIXELS:
            held.enter_context(_one_large_photo)
            pixels = _large_reader.submit(_load, image).result()
        else:
            pixels = _load(image)
        is_png = image.format == "PNG"
    if is_png and has_damaged_pixels(_whole(source)):
        raise PhotoError("its pixels are damaged: they do not have their checksum")
    return pixels


def _whole(source: Path | bytes) -> bytes:
    return source if isinstance(source, bytes) else source.read_bytes()


def _load(image: ImageFile.ImageFile) -> NDArray[np.uint8]:
    """Load an opened photo, and convert it to upright RGB.

    Raises:
        PhotoError: its range is not known. Whatever Pillow raises.
    """
    of_16_bits = any(";16" in str(tile.args) for tile in image.tile)
    depth = find_depth(image) if of_16_bits or image.mode in DEEP_MODES else None
    image.load()
    if image.mode in DEEP_MODES or of_16_bits:
        _refuse_unknown_range(image, depth)
    return _to_rgb(image, depth, _orientation(image))


def _decode_again(data: bytes, error: Exception, held: ExitStack) -> NDArray[np.uint8]:
    """Decode a file that Pillow refused, if its pixels are whole.

    Args:
        data: the contents.
        error: Pillow's.
        held: see :func:`_read`.

    Raises:
        PhotoError: it is a HEIC photo, and they cannot be read. `error`: it cannot be decoded either.
    """
    if isinstance(error, UnidentifiedImageError):
        if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
            return _decode_heif(data, held)
        if data[:4] in (b"II*\0", b"MM\0*"):
            error = PhotoError("is a TIFF of a kind that is not read: convert it to 8 bits per channel")
    for attempt in (_decode_plain, _decode_cut):
        try:
            pixels = attempt(data, held)
        except (MemoryError, Image.DecompressionBombError):
            raise
        except Exception:  # noqa: S112 - the first error says what is wrong with the file itself
            continue
        if pixels is not None:
            return pixels
    raise error


def _decode_plain(data: bytes, held: ExitStack) -> NDArray[np.uint8] | None:
    """Decode a file without its metadata."""
    plain = without_metadata(data)
    return None if plain is None else _decode(plain, held)


def _decode_cut(data: bytes, held: ExitStack) -> NDArray[np.uint8] | None:
    """Decode a JPEG without an end mark."""
    return decode_without_end(without_metadata(data) or b"", _Decoder(held))


class _Decoder:
    """Decodes contents while a large photo's turn is held."""

    def __init__(self, held: ExitStack) -> None:
        self._held = held

    def __call__(self, data: bytes) -> NDArray[np.uint8]:
        return _decode(data, self._held)


def _decode_heif(data: bytes, held: ExitStack) -> NDArray[np.uint8]:
    if not has_heif():
        raise PhotoError(f"is not read: {HEIF_MISSING}", stage=OPEN)
    import pillow_heif

    pillow_heif.register_heif_opener()
    return _decode(data, held)


def _refuse_unknown_range(image: Image.Image, depth: Depth | None) -> None:
    """Refuse values of which nobody says what is black and what is white.

    Raises:
        PhotoError: they are floats, or of 32 bits, and no range is declared; or they use only the lower part of 16
            bits, as 12 bits do that were stored without scaling.
    """
    if image.mode in DEEP_MODES:
        if depth is None:
            values = "floats" if image.mode == "F" else "32 bits"
            raise PhotoError(
                f"its values are {values} and it does not declare their range: convert it to 8 bits, or set the TIFF "
                "tags SMinSampleValue and SMaxSampleValue"
            )
        if depth.declared:
            return
        highest = int(np.asarray(image).max())
    elif image.mode in ("RGB", "RGBA", "L", "LA"):
        # Pillow has dropped the lower 8 bits.
        extremes = np.atleast_2d(np.array(image.getextrema()))[: 1 if image.mode[0] == "L" else 3]
        highest = (int(extremes[:, 1].max()) << 8) + 255
    else:
        return
    if highest < DARKEST_16:
        raise PhotoError(
            f"its 16-bit values use only the lowest {max(highest, 1).bit_length()} bits, so the photo would be dark: "
            "scale it to 16 bits, or convert it to 8"
        )


def _to_rgb(image: Image.Image, depth: Depth | None, orientation: int) -> NDArray[np.uint8]:
    """Convert a loaded image to uint8 (h, w, 3), and turn it upright (EXIF 2.32, 4.6.5).

    A large one is converted in strips, since Pillow converts by copying, and is released.
    """
    width, height = image.size
    if width * height <= LARGE_PIXELS:
        return np.ascontiguousarray(_turn(_convert(image, depth), orientation))
    pixels = np.empty((width, height, 3) if orientation >= 5 else (height, width, 3), np.uint8)
    stored = _turn_back(pixels, orientation)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        stored[top:bottom] = _convert(image.crop((0, top, width, bottom)), depth)
    image.close()
    return pixels


def _convert(image: Image.Image, depth: Depth | None) -> NDArray[np.uint8]:
    if image.mode in DEEP_MODES:
        assert depth is not None  # noqa: S101 - others were refused
        return np.repeat(depth.scale(np.asarray(image))[:, :, None], 3, axis=2)
    # A copy, because Pillow's own memory is read-only.
    return np.array(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation, 1 to 8; 1, upright, if there is none or the EXIF data cannot be read."""
    try:
        orientation = int(image.getexif().get(_ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:
        # Pillow raises nearly anything here, too.
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _turn(stored: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return a view of stored pixels, (h, w, 3), upright: EXIF says where the first row and column are."""
    if orientation >= 5:  # the first row is at the left or the right
        stored = stored.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        stored = stored[:, ::-1]
    if orientation in (3, 4, 7, 8):
        stored = stored[::-1]
    return stored


def _turn_back(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return a view of upright pixels as they are stored, which undoes :func:`_turn`."""
    if orientation in (3, 4, 7, 8):
        upright = upright[::-1]
    if orientation in (2, 3, 6, 7):
        upright = upright[:, ::-1]
    return upright.transpose(1, 0, 2) if orientation >= 5 else upright
