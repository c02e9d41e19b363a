"""What the files of a demographic group are called: its name, made safe where it has to be.

A group is shown by its true name everywhere. Its files begin with the same name if that is a plain one. In a name
such as ``Asian/Pacific``, characters that file systems do not take become ``_``, and ``-`` with eight hexadecimal
digits of the name's SHA-256 follows: ``Asian_Pacific-ba4cc455``. So groups never share a file.
"""

import hashlib
import re
from collections.abc import Iterable

from facepart.data.labels import nfc
from facepart.errors import UsageError

# Of UTF-8: what follows, such as `_gallery_labels.txt`, and the mark of a temporary file need room in 255 bytes.
_LONGEST = 120
_UNSAFE = re.compile(r"""[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]""")
# The labels of a gallery: CM_gallery_labels.txt would be those of a group CM_gallery, too.
_TAKEN = re.compile(r"-[0-9a-f]{8}$|_gallery$", re.IGNORECASE)


def group_prefix(group: str) -> str:
    """Return what the names of a group's files begin with.

    Raises:
        UsageError: the group has no name.

    Example:
        >>> [group_prefix(group) for group in ("CM", "Asian/Pacific", "..")]
        ['CM', 'Asian_Pacific-ba4cc455', '__-5ec1f7e7']
    """
    name = nfc(group)
    if not name.strip():
        raise UsageError(f"-gr {group!r}: a group needs a name, with which its files begin")
    safe = _UNSAFE.sub("_", name)
    if safe.startswith("."):
        safe = safe.replace(".", "_", 2) if safe in (".", "..") else f"_{safe[1:]}"
    long = len(safe.encode()) > _LONGEST
    if safe == name and not long and not _TAKEN.search(safe) and safe == safe.strip():
        return group
    cut = safe.encode()[:_LONGEST].decode("utf-8", "ignore").strip()
    return f"{cut}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def refuse_same_files(groups: Iterable[str]) -> None:
    """Refuse groups that read as one, or whose files would be one file where a file system ignores case.

    Raises:
        UsageError: there are two groups that differ by case, by blanks between words, or by how their characters are
            written, alone.
    """
    known: dict[str, str] = {}
    for group in groups:
        other = known.setdefault(" ".join(nfc(group).casefold().split()), group)
        if other != group:
            raise UsageError(
                f"groups {other!r} and {group!r} differ by case or blanks alone: rename one, or compare them apart"
            )
