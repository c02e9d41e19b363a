"""Damaged inputs of every kind are refused in one line, or read; `python -m benchmarks.fuzz` has thousands."""

import random
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.fuzz.arrays import NAMES, OCCLUSION, put_store
from benchmarks.fuzz.damages import JSON, NPY, TEXT, ZIP, damage
from benchmarks.fuzz.runner import FAULTS, FINE, all_kinds, run
from facepart.data.photo_input import PhotoError, read_photo
from facepart.errors import FacepartError
from facepart.files.lock import LOCK_FILE, output_lock
from facepart.networks.catalogue.archives import ArchiveError, take
from facepart.networks.state_file import read_state
from facepart.pipeline.embedding_store import EmbeddingStore

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("modules", "inputs"), [(("photos", "texts", "arrays"), 8), (("state", "networks"), 3)])
def test_damaged_inputs_are_refused_in_one_line_or_read(modules, inputs):
    # Whole networks take seconds.
    kinds = [name for name in all_kinds(modules) if name not in ("BiSeNet", "MobileFaceNet")]
    found = list(run(modules, kinds, inputs, seed=2))
    assert len(found) > 50
    assert not [result for result in found if result.outcome in FAULTS]
    assert {result.outcome for result in found} <= set(FINE)


@pytest.mark.parametrize("damages", [NPY, ZIP, TEXT, JSON])
def test_damages_follow_from_the_seed_and_change_the_file(damages):
    data = b'{"a": [1, 2.5, "text"], "b": {"c": null}}\n' * 3
    for number in range(50):
        one, other = (damage(data, damages, random.Random(number)) for _ in range(2))
        assert one == other
        assert one[1] != data


def as_png(folder, *, of_pixels, of_crc):
    """A PNG of which a bit of the compressed pixels, or of the CRC-32 of their chunk, is flipped."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    path = folder / "a.png"
    Image.fromarray(pixels).save(path)
    data = bytearray(path.read_bytes())
    first = data.index(b"IDAT") + 4
    end = first + int.from_bytes(data[first - 8 : first - 4], "big")
    if of_pixels:
        # The end of the stream, and with it its own checksum, comes too early for Pillow to look at it.
        data[first:end] = zlib.compress(zlib.decompress(bytes(data[first:end])))[:-4] + bytes(4)
        data[first - 8 : first - 4] = (len(data) - first - 16).to_bytes(4, "big")
    if of_crc:
        place = data.index(b"IEND") - 8
        data[place] ^= 1
    path.write_bytes(bytes(data))
    return path, pixels


def test_a_png_with_a_wrong_crc_but_whole_pixels_is_read(tmp_path):
    path, pixels = as_png(tmp_path, of_pixels=False, of_crc=True)
    np.testing.assert_array_equal(read_photo(path), pixels)


def test_a_png_whose_pixels_lack_their_checksum_is_refused(tmp_path):
    path, _ = as_png(tmp_path, of_pixels=True, of_crc=True)
    with pytest.raises(PhotoError):
        read_photo(path)


@pytest.mark.parametrize("checked", [True, False])
def test_a_bit_of_a_state_dict_is_noticed_by_its_checksum(tmp_path, checked):
    path = tmp_path / "net.pth"
    torch.serialization.set_crc32_options(checked)
    try:
        torch.save({"fc.weight": torch.arange(1000.0)}, path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert read_state(path, ("fc.weight",), "a net")["fc.weight"][500] == 500
    data = bytearray(path.read_bytes())
    data[data.index(np.arange(400.0, 600.0, dtype=np.float32).tobytes()) + 402] ^= 1
    path.write_bytes(bytes(data))
    if checked:
        with pytest.raises(FacepartError, match=r"net\.pth: is damaged"):
            read_state(path, ("fc.weight",), "a net")
    else:
        assert read_state(path, ("fc.weight",), "a net")["fc.weight"][500] != 500


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\3\4" + bytes(200), b"\x1f\x8b\x08" + bytes(40)])
def test_what_is_no_archive_is_said_in_one_line(tmp_path, data):
    (tmp_path / "archive").write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be unpacked") as caught:
        take(tmp_path / "archive", "a", tmp_path / "out")
    assert len(str(caught.value).splitlines()) == 1


def test_a_shard_whose_overlaps_are_not_found_by_their_name_is_refused(tmp_path):
    put_store(tmp_path)
    path = tmp_path / "shard-00001.npz"
    name = f"overlaps_{OCCLUSION.name}.npy".encode()
    data = path.read_bytes()
    assert data.count(name) == 2, "in the head of the member, and in the directory"
    path.write_bytes(data.replace(name, name[:-5] + b"x.npy"))
    store = EmbeddingStore(tmp_path, [OCCLUSION])
    with pytest.raises(FacepartError, match=r"shard-00001\.npz: cannot be read \(it has no overlaps of"):
        store.overlaps(OCCLUSION.name, NAMES)


@pytest.mark.parametrize("number", ["Infinity", "1e999", "NaN", "null", "[]", '"x"'])
def test_a_lock_with_a_number_that_is_none_is_taken_over(tmp_path, number):
    (tmp_path / LOCK_FILE).write_text(
        f'{{"process": {number}, "host": "h", "boot": "b", "started": "5", "command": "c", "since": "s"}}'
    )
    with output_lock(tmp_path):
        assert (tmp_path / LOCK_FILE).exists()
