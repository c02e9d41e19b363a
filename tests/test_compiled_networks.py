"""Compiled networks in the cache: what is damaged, or another network's, is never used."""

import json
import logging
import os
import shutil

import numpy as np
import pytest
import torch
from torch import nn

from facepart.errors import FacepartError
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.engine import Preprocessing
from facepart.networks.engine_choice import open_engine

pytestmark = pytest.mark.slow

SMALL = Preprocessing(height=16, width=24, colour="bgr", mean=(10.0, 20.0, 30.0), scale=(2.0, 4.0, 8.0))
SHA256 = "a1" * 32


class Source:
    """A network that is loaded already, and counts how often it was asked for."""

    def __init__(self, network, sha256=SHA256):
        self.network, self.hash, self.loaded = network, sha256, 0

    def load(self):
        self.loaded += 1
        return self.network, SMALL

    def sha256(self):
        return self.hash


def make(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


@pytest.fixture
def photos():
    return np.random.default_rng(3).integers(0, 256, (5, 16, 24, 3)).astype(np.uint8)


@pytest.fixture
def cache(tmp_path):
    return CompiledCache(tmp_path / "compiled", SHA256)


def answer(source, photos, cache, **options):
    return open_engine(source, "cpu", "fp32", compiled=cache, **options)(photos)


def test_a_compiled_network_is_kept_and_needs_no_loading(cache, photos):
    source = Source(make(0))
    expected = answer(source, photos, cache)
    again = open_engine(source, "cpu", "fp32", compiled=cache)
    assert source.loaded == 1
    np.testing.assert_array_equal(again(photos), expected)
    assert again.preprocessing == SMALL
    assert (again.precision, again.output_shape) == ("fp32", (5,))
    assert [path.name for path in cache.folder.iterdir()] == [f"{SHA256[:32]}-fp32.openvino"]


def test_forty_damages_are_noticed_and_the_network_is_compiled_anew(cache, photos, caplog):
    """Bits flipped, blocks of zeros, ends cut off or added, anywhere in the file."""
    source = Source(make(0))
    expected = answer(source, photos, cache)
    path = cache.path("fp32")
    whole = path.read_bytes()
    body = whole.index(b"\n") + 1
    generator = np.random.default_rng(17)
    damages = [whole[: int(at)] for at in generator.integers(0, len(whole), 8)]
    damages += [b"", whole + b"\0", whole[:-1]]
    for at in generator.integers(body, len(whole), 15):
        damages.append(whole[:at] + bytes([whole[at] ^ (1 << int(generator.integers(8)))]) + whole[at + 1 :])
    for at in generator.integers(0, body, 6):
        damages.append(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for at in generator.integers(body, len(whole) - 64, 8):
        damages.append(whole[:at] + b"\0" * 64 + whole[at + 64 :])
    assert len(damages) == 40
    for number, damaged in enumerate(damages, 2):
        path.write_bytes(damaged)
        caplog.clear()
        np.testing.assert_array_equal(answer(source, photos, cache), expected)
        assert source.loaded == number, "compiled anew"
        assert all("\n" not in record.getMessage() for record in caplog.records)
        assert path.read_bytes()[body:][:100] == whole[body:][:100]
    # A damaged body is worth a line.
    path.write_bytes(whole[:-1])
    with caplog.at_level(logging.WARNING):
        answer(source, photos, cache)
    assert caplog.messages[-1] == f"{path}: is damaged: the network is compiled anew"


def test_the_file_of_another_network_under_this_name_is_not_used(cache, photos):
    first, second = Source(make(0)), Source(make(1), "b2" * 32)
    expected = answer(first, photos, cache)
    other = cache._replace(sha256="b2" * 32)
    assert not np.array_equal(answer(second, photos, other), expected)
    shutil.copy(other.path("fp32"), cache.path("fp32"))
    np.testing.assert_array_equal(answer(first, photos, cache), expected)
    assert first.loaded == 2


@pytest.mark.parametrize("change", ["variant", "precision", "classes", "facepart", "openvino", "processor", "format"])
def test_what_was_compiled_for_something_else_is_not_used(cache, photos, change):
    """The same weights for another size or precision, as another kind of network, or by another release."""
    source = Source(nn.Conv2d(3, 5, 3).eval())
    expected = answer(source, photos, cache)
    path = cache.path("fp32")
    line, _, body = path.read_bytes().partition(b"\n")
    header = json.loads(line)
    header[change] = 5 if change == "classes" else "another"
    path.write_bytes(json.dumps(header).encode() + b"\n" + body)
    np.testing.assert_array_equal(answer(source, photos, cache), expected)
    assert source.loaded == 2


def test_a_network_that_scores_classes_is_another_than_the_same_without(cache, photos):
    source = Source(nn.Conv2d(3, 5, 3, padding=1).eval())
    scores = answer(source, photos, cache)
    labels = answer(source, photos, cache, classes=5)
    np.testing.assert_array_equal(labels, scores.argmax(1))
    np.testing.assert_array_equal(answer(source, photos, cache), scores)


def test_weights_that_are_replaced_while_they_are_read_are_kept_under_no_name(cache, photos):
    with pytest.raises(FacepartError, match="the weights were replaced while they were read; run it again"):
        answer(Source(make(0), "c3" * 32), photos, cache)
    assert not cache.folder.exists()


def test_a_cache_that_cannot_be_read_or_written_costs_time_alone(cache, photos, caplog):
    source = Source(make(0))
    expected = answer(source, photos, cache)
    path = cache.path("fp32")
    path.unlink()
    path.mkdir()  # can be neither read nor replaced, not even by root
    np.testing.assert_array_equal(answer(source, photos, cache), expected)
    assert not caplog.records


def test_leftovers_of_killed_runs_are_removed_after_a_day(cache, photos):
    cache.folder.mkdir()
    old, new = (cache.folder / f".x-fp32.openvino.{digit * 16}.part" for digit in "01")
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    answer(Source(make(0)), photos, cache)
    assert sorted(cache.folder.iterdir()) == sorted([new, cache.path("fp32")])


def test_other_preprocessing_in_a_cached_file_is_noticed(cache, photos):
    source = Source(make(0))
    answer(source, photos, cache)
    path = cache.path("fp32")
    whole = path.read_bytes()
    assert whole.count(b'"height": 16') == 1
    path.write_bytes(whole.replace(b'"height": 16', b'"height": 17'))
    assert open_engine(source, "cpu", "fp32", compiled=cache).preprocessing == SMALL
    assert source.loaded == 2
