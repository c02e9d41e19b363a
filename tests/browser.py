"""The browser in which the report is tested: ``python -m tests.browser`` brings one where there is none.

Any Chromium on the path will do. Playwright is told where it is, so that it need not download one of its own.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
# As root, as in a container, Chromium refuses to start with its sandbox. The others keep it from connecting anywhere
# by itself.
FLAGS = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    # It still asks for updates and accounts: no name shall be found.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def find_browser() -> str | None:
    """Return the path of a Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install_browser() -> None:
    """Install Debian's Chromium if no browser is there; where that is not possible, exit and say in one line how."""
    if find_browser():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=False)
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", "chromium"], env=quiet, check=False)
    if not find_browser():
        sys.exit("The report's tests need a browser: install Chromium, on Debian by `sudo apt-get install chromium`")


if __name__ == "__main__":
    install_browser()
