"""A search for a regular expression that ends, however long it would take."""

import re
import signal
import threading
from types import FrameType

from facepart.errors import UsageError

# Seconds of processor time for one name. A usual pattern takes microseconds.
LONGEST = 2.0


class _TooLongError(Exception):
    """The search was stopped."""


def search(pattern: re.Pattern[str], text: str, called: str) -> re.Match[str] | None:
    """Search a text for a pattern.

    Some patterns, such as ``(a+)+$``, take time that doubles with each character that they do not match. In the main
    thread of a Unix system, a timer stops them.

    Args:
        pattern: what is searched for.
        text: where.
        called: what the user calls the pattern, for the message.

    Raises:
        UsageError: the search takes more than :data:`LONGEST` seconds.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return pattern.search(text)
    if signal.getsignal(signal.SIGVTALRM) is not signal.SIG_DFL:
        return pattern.search(text)  # the program around us has a timer of its own
    signal.signal(signal.SIGVTALRM, _stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
        return pattern.search(text)
    except _TooLongError as error:
        raise UsageError(
            f"{called} takes more than {LONGEST:g} seconds for {text!r}; write it without repetitions inside "
            "repetitions, such as (a+)+"
        ) from error
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _TooLongError
