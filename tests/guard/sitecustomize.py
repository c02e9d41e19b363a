"""The guard inside Python: each process with this folder on PYTHONPATH imports this module when it starts.

A name look-up or a connection to another host than those of FACEPART_TEST_ALLOWED fails, and is a line of the file
FACEPART_TEST_ATTEMPTS. So is a fork, which works. An audit hook sees all of Python, and nothing can remove it.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
_CONNECTIONS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
_INTERNET = (socket.AF_INET, socket.AF_INET6)
_ALLOWED = os.environ["FACEPART_TEST_ALLOWED"].split()
_ATTEMPTS = Path(os.environ["FACEPART_TEST_ATTEMPTS"])


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the host that is looked up or connected to; None for anything else."""
    if event in _LOOKUPS:
        first = arguments[0]
        return str(first[0] if isinstance(first, tuple) else first)
    if event in _CONNECTIONS and arguments[0].family in _INTERNET and arguments[1] is not None:
        return str(arguments[1][0])
    return None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    host = _host(event, arguments)
    if event != "os.fork" and (host is None or host in _ALLOWED):
        return
    with _ATTEMPTS.open("a") as file:
        file.write(f"{event} {host}\n")
    if host is not None:
        raise OSError(f"{event} {host}: forbidden by the tests' guard")


sys.addaudithook(_watch)
