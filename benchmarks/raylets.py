"""A Ray cluster of several nodes on this machine that can be killed one by one: for what is to be shown of faults.

Each node is a raylet with one processor and a folder of its own. Where this process may make network namespaces (root
on Linux, with ``ip``), each node has one, joined to the others by a bridge; elsewhere nodes are addresses of the
loopback device. When the processes of a node are killed, the system closes their connections. A machine whose power
is cut closes none: it falls silent, and so does a node that is unplugged from the bridge before it is killed.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PORT = 6379
# Of a node's store: features of 31,706 faces are 65 MB.
_STORE = 400 << 20
# Seconds; Ray takes a node that fell silent for dead after a minute and more.
_PATIENCE = 180.0
# Marks the processes of a node: children inherit it, also those whose parent has died.
_MARK = "FACEPART_RAYLET"


class Raylets:
    """Nodes of a cluster, as long as the block lasts.

    Attributes:
        isolated: whether each has a network namespace of its own.
        alive: the addresses of nodes that can be cut, the oldest first; the head's is not among them.
    """

    def __init__(self, nodes: int = 3) -> None:
        """Take how many nodes the cluster has."""
        self._nodes = nodes
        # Short names, that no other process takes: a network device has at most 15 letters.
        self._name = f"fp{os.getpid()}"
        self._subnet = f"10.{100 + os.getpid() // 250 % 100}.{os.getpid() % 250}"
        self._made = 0
        self._processes: list[subprocess.Popen[bytes]] = []
        self.isolated = False
        self.alive: list[str] = []

    def __enter__(self) -> "Raylets":
        """Start the nodes.

        Raises:
            RuntimeError: one does not start.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="fp"))  # short: sockets lie below it
        self._environment = {
            **os.environ,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(16),
        }
        try:
            self.isolated = _succeeds("ip", "link", "add", self._name, "type", "bridge")
            if self.isolated:
                _ip("link", "set", self._name, "up")
            self.head = self._address(1)
            self._start()
            for _ in range(self._nodes - 1):
                self.add()
            self.settle()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Take everything down that was made here."""
        for number in range(1, self._made + 1):
            address = self._address(number)
            _kill_all(address)
            if self.isolated:  # the device by itself: connections that are dying may hold the namespace for a while
                _succeeds("ip", "link", "del", self._device(address))
                _succeeds("ip", "netns", "del", self._device(address))
        for process in self._processes:
            process.wait()
        if self.isolated:
            _succeeds("ip", "link", "del", self._name)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def address(self) -> str:
        """What to give ``--ray``."""
        return f"{self.head}:{PORT}"

    def on_head(self, command: Sequence[str | Path]) -> tuple[list[str], Mapping[str, str]]:
        """Return a command and its environment, as it is run on the head's node."""
        return [*self._inside(self.head), *map(str, command)], {**self._environment, _MARK: self.head}

    def add(self) -> None:
        """Start one more node; it joins when it is up."""
        self.alive.append(self._start())

    def kill(self, silent: bool = False) -> None:
        """Kill all that runs on the node that is there longest, but the head.

        Args:
            silent: disconnect it first, so that its death is not reported; needs nodes that are isolated.
        """
        address = self.alive.pop(0)
        if silent:
            _ip("link", "set", self._device(address), "down")
        _kill_all(address)

    def settle(self) -> None:
        """Wait until the cluster takes for alive those nodes that are.

        Raises:
            RuntimeError: it does not.
        """
        code = (
            "import logging, ray, sys, time; wanted = set(sys.argv[2:])\n"
            "ray.init(sys.argv[1], logging_level=logging.ERROR, log_to_driver=False)\n"
            "while {each['NodeManagerAddress'] for each in ray.nodes() if each['Alive']} != wanted: time.sleep(0.2)\n"
        )
        command, environment = self.on_head([sys.executable, "-c", code, self.address, self.head, *self.alive])
        try:
            subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=True)
        except subprocess.SubprocessError as error:
            logs = "\n".join(path.read_text() for path in sorted(self._folder.glob("*/start.log")))
            raise RuntimeError(f"the cluster is not what it should be:\n{logs}") from error

    def _start(self) -> str:
        """Start a node; give its address."""
        self._made += 1
        address = self._address(self._made)
        if self.isolated:
            self._plug_in(address)
        folder = self._folder / str(self._made)
        folder.mkdir()
        where = ["--address", self.address]
        if self._made == 1:
            where = ["--head", "--port", str(PORT), "--include-dashboard", "false"]
        options = ["--node-ip-address", address, "--num-cpus", "1", "--object-store-memory", str(_STORE)]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *where, *options, "--temp-dir", str(folder)]
        log = folder / "start.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [*self._inside(address), *command, "--block"],
                env={**self._environment, _MARK: address},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        if self._made == 1:
            _wait_for("Ray runtime started", log, process)
        return address

    def _plug_in(self, address: str) -> None:
        """Make a namespace with an address on the bridge."""
        name = self._device(address)
        _ip("netns", "add", name)
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", name, "master", self._name, "up")
        for arguments in (["link", "set", "lo", "up"], ["addr", "add", f"{address}/24", "dev", "eth0"]):
            _ip("-n", name, *arguments)
        _ip("-n", name, "link", "set", "eth0", "up")

    def _address(self, number: int) -> str:
        return f"{self._subnet}.{number}" if self.isolated else f"127.{self._subnet.partition('.')[2]}.{number}"

    def _device(self, address: str) -> str:
        return f"{self._name}v{address.rpartition('.')[2]}"

    def _inside(self, address: str) -> list[str]:
        return ["ip", "netns", "exec", self._device(address)] if self.isolated else []


def _processes(address: str) -> list[int]:
    """Find the processes of a node that have not ended."""
    mark = f"{_MARK}={address}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # of processes that ended meanwhile; of those that have, the environment is empty
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def _kill_all(address: str) -> None:
    while found := _processes(address):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _wait_for(text: str, log: Path, process: "subprocess.Popen[bytes]") -> None:
    begun = time.monotonic()
    while text not in log.read_text():
        if process.poll() is not None or time.monotonic() - begun > _PATIENCE:
            raise RuntimeError(f"a node of Ray did not start:\n{log.read_text()}")
        time.sleep(0.1)


def _succeeds(*command: str) -> bool:
    with suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True).returncode == 0
    return False


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
