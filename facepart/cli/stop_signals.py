"""SIGTERM and SIGHUP end a command like Ctrl-C: what is open is closed, and temporary files are removed."""

import signal
import sys
import threading
from types import FrameType
from typing import Any

# Windows has no SIGHUP.
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_AGAIN = 0.05  # seconds


class StopSignals:
    """Turns the signals that ask a process to end into KeyboardInterrupt, until they are restored.

    A signal that the process was started to ignore, as by ``nohup``, stays ignored.

    Attributes:
        received: the first signal that was; None if there was none.
    """

    def __init__(self) -> None:
        """Take over the signals, if this is the main thread."""
        self.received: int | None = None
        self._before: dict[int, Any] = {}
        self._hook = sys.unraisablehook
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = signal.getsignal(number)
            sys.unraisablehook = self._resend
        self.take()

    def take(self) -> None:
        """Take the signals over again, after a library that takes them for itself."""
        for number in self._before:
            signal.signal(number, self._handle)

    def restore(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        sys.unraisablehook = self._hook

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.received is None:
            self.received = number
        elif number != signal.SIGINT:
            return  # a terminal that closes sends several; only Ctrl-C hurries what is being closed
        raise KeyboardInterrupt

    def _resend(self, unraisable: Any) -> None:
        """Send a signal again that arrived where Python can raise nothing, such as a destructor."""
        if self.received is None or not isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._hook(unraisable)
            return
        number, self.received = self.received, None
        # To the main thread, which may be waiting: a signal to the process may go to any thread, and wake no other.
        timer = threading.Timer(_AGAIN, signal.pthread_kill, (threading.main_thread().ident, number))
        timer.daemon = True
        timer.start()
