"""For the tests of fetching: archives made in memory, a server that misbehaves on demand, and a cache of our own."""

import hashlib
import http.server
import io
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from facepart.networks.catalogue import Source, entries, fetch, fetching, folders, model

CONTENT = b"the weights" * 200_000
OTHER = b"another file"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            information = tarfile.TarInfo(name)
            information.size = len(data)
            archive.addfile(information, io.BytesIO(data))
        for name, target in (links or {}).items():
            information = tarfile.TarInfo(name)
            information.type = tarfile.SYMTYPE
            information.linkname = target
            archive.addfile(information)
    return buffer.getvalue()


def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Choose a cache that does not exist yet, and see to it that no other folder has models.

    The home folder and that of temporary files are empty, and are to stay so.
    """
    for name in ("here", "home", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("FACEPART_HOME", str(tmp_path / "cache"))
    for module in (folders, fetching):
        monkeypatch.setattr(module, "checkout_folder", lambda: None)
    return tmp_path / "cache"


def fetch_small(*sources: Source, commercial: bool = True) -> Path:
    """Fetch a model called small, with CONTENT for weights, from the given sources."""
    entry = replace(
        model("yunet"),
        name="small",
        licence="as you like",
        commercial=commercial,
        size=len(CONTENT),
        sha256=sha256(CONTENT),
        locations=("a/b.onnx",),
        sources=sources,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "catalogue", lambda: {"small": entry})
        return fetch("small")


@contextmanager
def server(bodies: Mapping[str, bytes], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve `bodies` by their paths on this machine, over TLS if there is a context; yield the address.

    ``/moved`` leads to ``/file``, ``/to-http`` to another scheme; ``/cut`` and ``/stalled`` send half of CONTENT.
    """
    closing = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in ("/moved", "/to-http"):
                self.send_response(302)
                self.send_header("Location", "/file" if self.path == "/moved" else "http://localhost/file")
                self.end_headers()
            elif self.path in ("/cut", "/stalled"):
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(CONTENT[: len(CONTENT) // 2])
                self.wfile.flush()
                if self.path == "/stalled":
                    closing.wait(60)
            elif self.path in bodies:
                self.send_response(200)
                self.send_header("Content-Length", str(len(bodies[self.path])))
                self.end_headers()
                self.wfile.write(bodies[self.path])
            else:
                self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("localhost", 0), Handler) as opened:
        opened.daemon_threads = True
        if context is not None:
            opened.socket = context.wrap_socket(opened.socket, server_side=True)
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        yield f"{'http' if context is None else 'https'}://localhost:{opened.server_address[1]}"
        closing.set()
        opened.shutdown()
