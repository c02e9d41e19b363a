"""The last net of every command: whatever happens becomes one line on standard error, and an exit status.

It loads fast, so that Ctrl-C is caught while the rest of the program loads.
"""

import os
import signal
import sys
from contextlib import suppress
from types import TracebackType
from typing import ClassVar, Self

from facepart.cli.standard_streams import StandardStreams
from facepart.cli.stop_signals import StopSignals
from facepart.errors import FacepartError, first_line
from facepart.memory import memory_error

TRACEBACK_VARIABLE = "FACEPART_TRACEBACK"
# Longer messages are cut: an argument, or what a library says, may have megabytes.
_LONGEST, _HEAD, _TAIL = 3000, 1500, 500
# Said where there is not even the memory to report a lack of it.
_NO_MEMORY = b"facepart: there is not enough memory; raise its limit (ulimit -v), or lower --batch-size\n"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib loads slowly
# All signs below the blank but line feeds, which would move a terminal's cursor or colour its text.
_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), 127) if number != 10}


class Guard:
    """A block of a program that ends in an exit status, whatever happens; may be nested.

    Attributes:
        status: 0, until the block sets it or fails: 1 if the work could not be done; 2 for a wrong call; 128 + n if
            signal n ended it. SystemExit, which argparse raises, goes through.
    """

    _streams: ClassVar[StandardStreams | None] = None
    _signals: ClassVar[StopSignals | None] = None

    def __init__(self) -> None:
        self.status = 0
        self._outermost = False

    def __enter__(self) -> Self:
        if Guard._streams is None:
            self._outermost = True
            Guard._streams, Guard._signals = StandardStreams(), StopSignals()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> bool:
        ended = isinstance(error, SystemExit) and not (Guard._signals and Guard._signals.received)
        if error is not None and not ended:
            try:
                self.status = report(error, Guard._signals.received if Guard._signals else None)
            except MemoryError:
                self.status = report_no_memory(error)
        if self._outermost and (failed := self._close()):
            self.status = self.status or failed
            if isinstance(error, SystemExit) and ended and not error.code:
                error.code = failed
        return not ended

    @classmethod
    def retake_signals(cls) -> None:
        """Take the signals over again, after a library that takes them for itself."""
        if cls._signals is not None:
            cls._signals.take()

    def _close(self) -> int:
        """Restore the process; return 1 if standard output could not be written, else 0."""
        streams, signals = Guard._streams, Guard._signals
        Guard._streams = Guard._signals = None
        assert streams is not None and signals is not None  # noqa: S101 - set by __enter__
        try:
            failure = streams.failure()
            # A reader that went away (`facepart models list | head -1`) has what it wanted.
            if failure is None or isinstance(failure, BrokenPipeError):
                return 0
            print_error(
                f"standard output cannot be written: {failure.strerror or failure}; the output files are not affected"
            )
            return 1
        finally:
            streams.restore()
            signals.restore()


def report(error: BaseException, number: int | None = None) -> int:
    """Print an error in one line; return the exit status.

    Args:
        error: of any kind.
        number: of the signal that ended the program; None if none did. Libraries turn what it raises into other
            errors.
    """
    if os.environ.get(TRACEBACK_VARIABLE):
        import traceback

        traceback.print_exception(error)
    if number is None and isinstance(error, KeyboardInterrupt):
        number = signal.SIGINT
    if number is not None:
        how = "interrupted" if number == signal.SIGINT else f"interrupted ({signal.Signals(number).name})"
        print_error(f"{how}; run the same command again to finish")
        return 128 + number
    found = memory_error(error) or error
    if isinstance(found, FacepartError):
        print_error(str(found))
        return found.exit_status
    if isinstance(found, OSError) and found.filename is not None:
        print_error(f"{os.fsdecode(found.filename)}: {found.strerror}")
    elif isinstance(found, OSError) and found.strerror:
        print_error(found.strerror)
    else:
        print_error(
            f"unexpected error: {type(found).__name__}: {first_line(found)} ({_place(found)}); please report "
            f"it, with what {TRACEBACK_VARIABLE}=1 shows"
        )
    return FacepartError.exit_status


def report_no_memory(error: BaseException) -> int:
    """Report a lack of memory without taking any, and forget the frames that hold it; return the exit status."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    with suppress(OSError):
        os.write(2, _NO_MEMORY)
    return FacepartError.exit_status


def print_error(message: str) -> None:
    """Print a message on standard error, after the program's name."""
    print(f"facepart: {readable(message)}", file=sys.stderr, flush=True)


def readable(message: str) -> str:
    """Return a message without control characters, cut to a readable length."""
    if len(message) > _LONGEST:
        left_out = len(message) - _HEAD - _TAIL
        message = f"{message[:_HEAD]} ... ({left_out} characters left out) ... {message[-_TAIL:]}"
    return message.translate(_CONTROLS)


def _place(error: BaseException) -> str:
    """Return where in this package an error was raised last."""
    place, found = error.__traceback__, "outside facepart"
    while place is not None:
        file = place.tb_frame.f_code.co_filename
        if file.startswith(_PACKAGE):
            found = f"facepart{file.removeprefix(_PACKAGE)}, line {place.tb_lineno}"
        place = place.tb_next
    return found
