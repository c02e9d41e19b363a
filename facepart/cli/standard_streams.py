"""Standard output and error that never end the work.

A full disk, a reader that went away or a closed stream is remembered and reported when the work is done. A name that
the stream's encoding cannot hold is shown with escapes; bytes of a name that is not UTF-8 are written as they are.
"""

import codecs
import io
import os
import sys
from typing import Any, TextIO

_ERRORS = "facepart.show"
_STREAMS = ("stdin", "stdout", "stderr")
_BYTES = range(0xDC80, 0xDD00)  # how Python holds bytes of a name that are not valid in the encoding of names


class _Output(io.FileIO):
    """A file descriptor that swallows what cannot be written."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write bytes; after the first failure, none."""
        size = memoryview(data).nbytes
        if self.failure is not None:
            return size
        try:
            written = super().write(data)
        except OSError as error:
            self.failure = error
            return size
        return written or 0


class StandardStreams:
    """Standard output and error as this module describes them, until they are restored."""

    def __init__(self) -> None:
        """Replace the streams of this process."""
        self._before = sys.stdout, sys.stderr
        _fill_closed()
        self._outputs = [_output(stream, number) for number, stream in ((1, sys.stdout), (2, sys.stderr))]
        sys.stdout, sys.stderr = (
            before if output is None else _text(output, before)
            for output, before in zip(self._outputs, self._before, strict=True)
        )

    def failure(self) -> OSError | None:
        """Write out what is buffered; return why standard output could not be written, or None."""
        sys.stdout.flush()
        return None if self._outputs[0] is None else self._outputs[0].failure

    def restore(self) -> None:
        """Give the process back the streams that it had."""
        for stream, output in zip((sys.stdout, sys.stderr), self._outputs, strict=True):
            if output is not None:
                stream.flush()
        sys.stdout, sys.stderr = self._before


def _fill_closed() -> None:
    """Open the descriptors 0, 1 and 2 where they are closed: the next file would get their number, and our output."""
    for number, name in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                # Descriptors are given out from the lowest; writing to this one fails.
                os.open(os.devnull, os.O_RDONLY)


def _output(stream: TextIO | None, number: int) -> _Output | None:
    """Return the descriptor of a stream; None for a stream that has none, as in a notebook."""
    if os.name != "posix":
        return None
    try:
        return _Output(number if stream is None else stream.fileno(), "w", closefd=False)
    except (OSError, ValueError, AttributeError):
        return None


def _text(output: _Output, before: TextIO | None) -> TextIO:
    if before is not None:
        before.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors=_ERRORS,
        line_buffering=before is None or output.isatty() or before.fileno() == 2,
    )


def _show(error: UnicodeError) -> tuple[bytes, int]:
    """Encode what an encoding cannot hold: bytes as they are, signs as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    shown = (
        bytes([ord(sign) - 0xDC00]) if ord(sign) in _BYTES else sign.encode("ascii", "backslashreplace")
        for sign in signs
    )
    return b"".join(shown), error.end


codecs.register_error(_ERRORS, _show)
