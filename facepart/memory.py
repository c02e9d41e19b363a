"""Whether an error means that memory ran out, and what limits the memory of this process."""

import errno
import mmap
from collections.abc import Iterator

from facepart.errors import FacepartError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

# What libraries say: glibc's loader, C++, OpenCV, PyTorch, OpenVINO.
_WORDS = (
    *("cannot allocate memory", "can't allocate memory", "could not allocate", "failed to allocate"),
    *("unable to allocate", "bad_alloc", "insufficient memory", "not enough memory", "out of memory"),
    "failed to map segment",
)
# PyTorch's, by name: it is not loaded for this.
_DEVICE_MEMORY = "OutOfMemoryError"
_NO_THREAD = "can't start new thread"
_OPENCV_NO_MEMORY = -4  # cv::Error::StsNoMem
# Bytes that NumPy, SciPy and Pillow take to be loaded.
_NEEDED = 300_000_000
# Bytes below which no network was ever opened by OpenVINO; its threads then end the process, now and then.
OPENVINO_NEEDS = 700_000_000
# Bytes: where a limit leaves less, an error that nobody expects is taken for a lack of memory.
_LITTLE = 64 << 20


def memory_error(error: BaseException) -> FacepartError | None:
    """Return the error to report if memory ran out; None for an error of another cause.

    Args:
        error: with its causes: what a library says of a lack of memory may have been taken for a damaged file.
    """
    if any(type(each).__name__ == _DEVICE_MEMORY for each in _chain(error)):
        line = "there is not enough memory on the GPU; use --device cpu"
        # Whoever caught it may have said more.
        return error if isinstance(error, FacepartError) else FacepartError(line)
    limit = memory_limit()
    # A thread needs memory for its stack; without a limit of memory, it is the number of threads that is limited.
    if not any(_means_memory(each) or (limit is not None and _NO_THREAD in str(each)) for each in _chain(error)) and (
        limit is None or isinstance(error, FacepartError) or not _is_short()
    ):
        return None
    if limit is None:
        return FacepartError("there is not enough memory; lower --batch-size or --workers, or use a larger machine")
    return _lack(limit)


def _means_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    if getattr(error, "code", None) == _OPENCV_NO_MEMORY:
        return True
    if isinstance(error, FacepartError):
        return False
    said = str(error)[:10_000].lower()
    return any(words in said for words in _WORDS)


def _is_short() -> bool:
    """Return whether there is little memory left; what Python itself makes of a lack of it can be any error."""
    try:
        mmap.mmap(-1, _LITTLE).close()
    except (OSError, MemoryError):
        return True
    return False


def refuse_little_memory(needed: int = _NEEDED) -> None:
    """Refuse a limit of memory under which a library cannot be loaded, but would end the process, or interrupt it.

    Args:
        needed: bytes that it takes; by default those of NumPy.

    Raises:
        FacepartError: the limit is that low.
    """
    limit = memory_limit()
    if limit is not None and limit < needed:
        raise _lack(limit)


def _lack(limit: int) -> FacepartError:
    return FacepartError(
        f"there is not enough memory: this process may use {limit / 1e9:.1f} GB (ulimit -v); raise that limit, or "
        "lower --batch-size or --workers"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and those that it was raised for."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def memory_limit() -> int | None:
    """Return how many bytes of addresses this process may use (``ulimit -v``); None for as many as there are."""
    if resource is None:
        return None  # type: ignore[unreachable]  # Windows
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit
