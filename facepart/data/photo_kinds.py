"""Which files are photos, by their extensions, and which formats are decoded.

A file of a folder is a photo if its extension says so, in upper or lower case. The contents decide how it is decoded:
a HEIC file that is called ``.jpg`` is read as HEIC.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec

_USUAL = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".webp", ".tif", ".tiff"})
_OTHERS = frozenset(
    {".jpe", ".jfif", ".mpo", ".apng", ".dib", ".pbm", ".pnm", ".gif", ".avif", ".qoi", ".tga"}
    | {".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"}
)
_HEIF = frozenset({".heic", ".heif", ".hif"})
# Of all images that are read, here or where pillow-heif is installed.
READABLE = _USUAL | _OTHERS | _HEIF
# Pillow's names of the formats that are decoded. Of the others that it knows, some are no photos; EPS runs a program.
FORMATS = frozenset(
    {"JPEG", "MPO", "PNG", "BMP", "DIB", "PPM", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000", "HEIF", "QOI", "TGA"}
    | {"ICO", "PCX", "PSD", "SGI", "SUN"}
)
# What lies beside photos without being one: lists, tables, notes, records, features.
_BESIDE_PHOTOS = frozenset(
    {".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".md", ".rst"}
    | {".html", ".htm", ".css", ".js", ".py", ".sh", ".m", ".log", ".db", ".pdf", ".doc", ".docx", ".xls", ".xlsx"}
    | {".npy", ".npz", ".mat", ".pkl", ".pts", ".part"}
)

HEIF_MISSING = 'HEIC needs pillow-heif: pip install "facepart[heif]"'


@cache
def has_heif() -> bool:
    """Return whether HEIC photos can be read: whether pillow-heif, the extra ``heif``, is installed."""
    return find_spec("pillow_heif") is not None


def extensions() -> frozenset[str]:
    """Return the extensions of photos that can be read, in lower case."""
    return _USUAL | _OTHERS | (_HEIF if has_heif() else frozenset())


def is_photo(extension: str) -> bool:
    """Return whether a file with an extension, in any case, is a photo that can be read."""
    lower = extension.lower()
    return lower in _USUAL or lower in _OTHERS or (lower in _HEIF and has_heif())


def is_usual(extension: str) -> bool:
    """Return whether photos of an extension take precedence over others of the same name."""
    return extension.lower() in _USUAL


class PassedOver:
    """Counts the files of a folder that are not photos, by extension; lists, tables and the like are not counted."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()

    def add(self, extension: str) -> None:
        """Count a file."""
        if extension.lower() not in _BESIDE_PHOTOS:
            self._found[extension.lower()] += 1

    def __bool__(self) -> bool:
        """Return whether any was counted."""
        return bool(self._found)

    def __str__(self) -> str:
        """Return the counts on one line: "12 files of other kinds were passed over: 10 .cr2, 2 .heic"."""
        count = self._found.total()
        files = "1 file of another kind was" if count == 1 else f"{count} files of other kinds were"
        line = f"{files} passed over: {', '.join(self._kinds())}"
        return f"{line} ({HEIF_MISSING})" if _HEIF.intersection(self._found) else line

    def _kinds(self) -> Iterable[str]:
        """Yield the most frequent kinds, with their counts."""
        most = sorted(self._found.items(), key=_by_count)
        for extension, count in most[:_NAMED]:
            yield f"{count} {extension or 'without an extension'}"
        if len(most) > _NAMED:
            yield f"{sum(count for _, count in most[_NAMED:])} others"


# Kinds that are named in a line.
_NAMED = 6


def _by_count(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]
