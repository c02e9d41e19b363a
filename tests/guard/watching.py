"""Python commands under the guard, with an empty home folder and an empty folder for temporary files."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

# They would move files out of the home folder, or turn telemetry off by themselves.
_UNSET = ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SCIKIT_LEARN_DATA", "RAY_TMPDIR", "CI", "TF_BUILD")
_CALLS = "connect,bind,sendto,sendmsg,sendmmsg,open,openat,creat,mkdir,mkdirat"
_STRACE = ("strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={_CALLS}")
_ADDRESS = re.compile(r"^\d+ +(\w+)\(.*?(?:inet_addr\(|inet_pton\(AF_INET6, )\"([^\"]+)\"")
_OPENED = re.compile(r"^\d+ +(?:open|openat|creat|mkdir|mkdirat)\((?:AT_FDCWD, )?\"([^\"]+)\"(.*)")
_READ_ONLY = re.compile(r"^, O_RDONLY(?!.*O_CREAT)")


class Guard:
    """Run Python under the guard; where strace works, the system is watched too, which sees more than Python.

    Attributes:
        home: the home folder.
        temporary: the folder for temporary files.
        cache: facepart's cache.
        traced: whether the system is watched.
    """

    def __init__(self, folder: Path, allowed: tuple[str, ...] = ()) -> None:
        """Lay out the folders in `folder`; connections to the hosts `allowed` work and are not counted."""
        self.home, self.temporary, self.cache = (folder / name for name in ("home", "temporary", "cache"))
        self._traces, self._attempts = folder / "traces", folder / "attempts.txt"
        for made in (self.home, self.temporary, self.cache, self._traces):
            made.mkdir(parents=True)
        self._allowed = allowed
        self.traced = _strace_works()

    def run(self, *arguments: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python with `arguments` in `folder`."""
        environment = {name: value for name, value in os.environ.items() if name not in _UNSET}
        environment |= {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "FACEPART_HOME": str(self.cache),
            "FACEPART_TEST_ATTEMPTS": str(self._attempts),
            "FACEPART_TEST_ALLOWED": " ".join(self._allowed),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(ROOT)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        }
        command = [sys.executable, *map(str, arguments)]
        if self.traced:
            trace = self._traces / str(len(list(self._traces.iterdir())))
            command = [*_STRACE, "-o", str(trace), *command]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)

    def attempts(self) -> list[str]:
        """List the look-ups, connections and forks that Python was asked for since the last call."""
        lines = self._attempts.read_text().splitlines() if self._attempts.exists() else []
        self._attempts.unlink(missing_ok=True)
        return lines

    def addresses(self) -> list[str]:
        """List the addresses, of hosts that are not allowed, to which the system was asked to connect or listen."""
        found = [match for line in self._lines() if (match := _ADDRESS.match(line))]
        return [f"{call} {host}" for call, host in (match.groups() for match in found) if host not in self._allowed]

    def written(self, folder: Path) -> list[str]:
        """List the files and folders that commands run in `folder` tried to write outside it and the cache."""
        found = [match.groups() for line in self._lines() if (match := _OPENED.match(line))]
        paths = {Path(os.path.normpath(folder / path)) for path, options in found if not _READ_ONLY.match(options)}
        inside = (folder, self.cache, Path("/dev"), Path("/proc"), self._attempts)
        return sorted(str(path) for path in paths if not any(path.is_relative_to(each) for each in inside))

    def _lines(self) -> list[str]:
        return [line for trace in self._traces.iterdir() for line in trace.read_text(errors="replace").splitlines()]


@cache
def _strace_works() -> bool:
    """Tell whether strace is installed, and allowed to watch: containers often forbid it."""
    try:
        return subprocess.run([*_STRACE, "-o", os.devnull, "true"], capture_output=True).returncode == 0
    except OSError:
        return False
