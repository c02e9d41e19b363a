"""What several benchmarks work on: ArcFace r100 with random weights, and aligned faces, as often as wanted."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from facepart.data.path_lists import write_list
from facepart.data.photos import find_photos
from facepart.demo.faces import align_folder
from facepart.networks.mxnet.checkpoint import read_symbol
from tests.witness.checkpoints import golden_parameters, write_parameters


def make_r100(models: Path, folder: Path) -> Path:
    """Write ArcFace r100 with random weights, which change nothing about speed or memory, as an MXNet checkpoint.

    Args:
        models: the folder `models` of the shared data, for the network's graph.
        folder: where to write it.

    Returns:
        The checkpoint's ``.params`` file.
    """
    symbol = models / "arcface-r100-random" / "model-symbol.json"
    shutil.copy(symbol, folder / "r100-symbol.json")
    return write_parameters(folder / "r100-0000.params", golden_parameters(read_symbol(symbol)))


def align_some(photos: Path, count: int, folder: Path) -> list[Path]:
    """Align the faces of at most `count` photos of a folder to 224x224 pixels; return the crops' paths (PNG)."""
    listed = folder.with_name(f"{folder.name}-sources.txt")
    write_list(listed, [photo.path for photo in find_photos(photos)[0][:count]])
    align_folder(listed, folder)
    return [photo.path for photo in find_photos(folder)[0]]


def link_often(photos: Sequence[Path], count: int, folder: Path) -> list[Path]:
    """Fill `folder` with `count` links to a few photos, in turn; return the links."""
    folder.mkdir()
    links = [folder / f"{number:06d}{photos[number % len(photos)].suffix}" for number in range(count)]
    for number, link in enumerate(links):
        link.symlink_to(photos[number % len(photos)].absolute())
    return links
