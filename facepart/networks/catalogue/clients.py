"""Downloads: an https URL, a Python package's archive by pip, an npm package's archive by npm.

Package registries are reached through their ordinary clients, which use the user's mirrors, proxies and certificates.
So it also works on a machine that only reaches a package mirror.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO

from facepart.networks.catalogue.entries import Source

CONNECTION_TIMEOUT = 30  # seconds without a byte
CLIENT_TIMEOUT = 1800  # seconds for a whole download by pip or npm
_REASON_LENGTH = 160


class DownloadError(Exception):
    """A download failed; the message says why, in a few words."""


def download(source: Source, folder: Path) -> Path:
    """Download a source into the empty folder `folder`, and return the file.

    Raises:
        DownloadError: the client is missing, there is no network, the download timed out, or the hash is wrong.
    """
    if source.kind == "https":
        return _https(source.spec, folder / "download")
    if source.kind == "pip":
        return _pip(source, folder)
    return _npm(source.spec, folder)


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follow redirections, but never to another scheme."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not newurl.startswith("https://"):
            raise urllib.error.URLError(f"redirected to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _https(url: str, target: Path) -> Path:
    if not url.startswith("https://"):
        raise DownloadError("is not an https address")
    try:
        opener = urllib.request.build_opener(_HttpsOnly)
        with opener.open(url, timeout=CONNECTION_TIMEOUT) as answer, target.open("wb") as copy:
            shutil.copyfileobj(answer, copy)
    except urllib.error.HTTPError as error:
        raise DownloadError(f"answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise DownloadError(f"cannot be reached: {_short(str(error.reason))}") from error
    except (OSError, HTTPException) as error:
        raise DownloadError(f"broke off: {_short(str(error))}") from error
    return target


def _pip(source: Source, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source.spec} --hash=sha256:{source.sha256}\n", encoding="utf-8")
    package = source.spec.partition("==")[0]
    wanted = "--no-binary" if source.archive == "sdist" else "--only-binary"
    # For an sdist, pip runs the package's own metadata step, which is foreign code. The pinned hash makes this
    # acceptable: pip checks it first, so the code is that of the pinned archive.
    options = ["--no-deps", "--no-input", "--require-hashes", wanted, package]
    target = folder / "package"
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(target), "-r", str(requirements)]
    stderr = _run(command, folder)
    files = list(target.glob("*"))
    if stderr is not None or len(files) != 1:
        raise DownloadError(_pip_reason(stderr or ""))
    return files[0]


def _npm(package: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadError("npm (of Node.js) is not installed")
    # By default, npm retries for more than a minute before it reports that there is no network.
    options = ["--ignore-scripts", "--loglevel=error", "--fetch-retries=1", *_npm_quiet(folder)]
    stderr = _run([npm, "pack", package, *options], folder)
    files = list(folder.glob("*.tgz"))
    if stderr is not None or len(files) != 1:
        raise DownloadError(_npm_reason(stderr or ""))
    return files[0]


def _npm_quiet(folder: Path) -> list[str]:
    """Return options that keep npm's cache and logs in `folder` and turn off its update, funding and audit requests.

    Options, not variables: a user's ``NPM_CONFIG_CACHE`` could take precedence over a variable.
    """
    return [f"--cache={folder / 'npm'}", "--logs-max=0", "--no-update-notifier", "--no-fund", "--no-audit"]


def _environment(folder: Path) -> dict[str, str]:
    """Return variables that keep temporary files and pip's cache in `folder` and turn off pip's update check.

    Variables, not options: to build an sdist's metadata, pip starts itself again without its options.
    """
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    own = {"PIP_CACHE_DIR": str(folder / "pip"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {**os.environ, **own, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))}


def _run(command: Sequence[str], folder: Path) -> str | None:
    """Run a client in `folder`; return None if it succeeded, else its standard error."""
    try:
        # In a session of its own, so that it can be ended with the processes that it starts.
        client = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise DownloadError(f"{command[0]} cannot be started: {error.strerror}") from error
    with client:
        try:
            _, stderr = client.communicate(timeout=CLIENT_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            _end(client)
            raise DownloadError(f"did not finish within {CLIENT_TIMEOUT // 60} minutes") from error
        except BaseException:
            _end(client)
            raise
    return stderr.decode("utf-8", "replace") if client.returncode else None


def _end(client: "subprocess.Popen[bytes]") -> None:
    """End a client and the processes that it started: they would go on to write into a folder that is removed."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(client.pid, signal.SIGKILL)
        else:
            client.kill()


def _pip_reason(stderr: str) -> str:
    """Return the line of pip's error output that gives the cause.

    Without a network, the last line only says that there is no such package; the warnings before it give the cause.
    """
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    last = (errors or lines or ["pip downloaded no file"])[-1]
    broken = re.findall(r"after connection broken by '(.*)':", stderr)
    if broken and last.startswith("No matching distribution"):
        return "no connection: " + _short(re.sub(r"<[^>]*>:?\s*", "", broken[-1]))
    return _short(last.split(". ")[0])


def _npm_reason(stderr: str) -> str:
    """Return the line of npm's error output that gives the cause: the first that is not just a code."""
    lines = re.findall(r"^npm (?:error|ERR!) +(\S.*)$", stderr, re.MULTILINE)
    causes = [line for line in lines if not re.match(r"(code|errno|syscall) ", line)]
    return _short((causes or stderr.splitlines() or ["npm downloaded no file"])[0])


def _short(text: str) -> str:
    return textwrap.shorten(text, _REASON_LENGTH, placeholder=" ...").rstrip(".")
