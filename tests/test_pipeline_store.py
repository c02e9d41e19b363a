"""The shares of parts that occlusions removed, in the store: as they were, and of other tables of parts."""

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import UNKNOWN, EmbeddingStore

NOSE, CONTROL = Occlusion(Region(PARTS["nose"])), Occlusion(Region(PARTS["nose"], 1))


def record(number, occlusions, overlaps=True):
    rng = np.random.default_rng(number)
    names = ["baseline", *(each.name for each in occlusions)]
    embeddings = {name: rng.standard_normal(8).astype(np.float32) for name in names}
    shares = {each.name: rng.random(len(PARTS)).astype(np.float32) for each in occlusions}
    shares = {name: np.where(share < 0.1, np.nan, share).astype(np.float32) for name, share in shares.items()}
    return EmbeddedPhoto(f"{number:03}", "1", embeddings, overlaps=shares if overlaps else {})


def filled(folder, records):
    store = EmbeddingStore(folder, [NOSE, CONTROL])
    for each in records:
        store.add(each)
    store.flush()
    return EmbeddingStore(folder, [NOSE, CONTROL])


def test_overlaps_come_back(tmp_path):
    """Over shards, in any order; embeddings are not confused with them."""
    first = [record(number, [NOSE, CONTROL]) for number in range(5)]
    second = [record(number, [NOSE]) for number in range(5, 9)]
    filled(tmp_path, first)
    store = filled(tmp_path, second)
    by_name = {each.name: each for each in first + second}
    for names in (["007", "002", "005", "000"], ["003"], []):
        found = store.overlaps("nose", names)
        assert found.dtype == np.float32
        assert found.shape == (len(names), len(PARTS))
        for row, name in zip(found, names, strict=True):
            np.testing.assert_array_equal(row, by_name[name].overlaps["nose"])
    np.testing.assert_array_equal(
        store.overlaps("nose_control1", ["004", "001"]),
        [by_name[n].overlaps["nose_control1"] for n in ("004", "001")],
    )
    np.testing.assert_array_equal(store.embeddings("nose", ["007"])[0], by_name["007"].embeddings["nose"])


def test_what_is_not_known_is_nan(tmp_path):
    store = filled(tmp_path, [record(0, [NOSE], overlaps=False), record(1, [NOSE])])
    found = store.overlaps("nose", ["000", "001"])
    assert np.isnan(found[0]).all()
    assert not np.isnan(found[1]).all()


def test_shards_of_another_table_of_parts(tmp_path):
    """Parts are told by their names; a shard of a version without overlaps has none."""
    kept = record(0, [NOSE])
    filled(tmp_path, [kept])
    path = tmp_path / "shard-00001.npz"
    with np.load(path) as file:
        arrays = dict(file)
    parts = ["ears", *reversed(list(PARTS)[1:])]
    shares = dict(zip(PARTS, kept.overlaps["nose"], strict=True))
    other = np.array([[shares.get(part, 0.5) for part in parts]], np.float32)
    np.savez(path, **{**arrays, "parts": np.array(parts), "overlaps_nose": other})
    found = EmbeddingStore(tmp_path, [NOSE]).overlaps("nose", ["000"])[0]
    np.testing.assert_array_equal(found[1:], kept.overlaps["nose"][1:])
    assert found[0] == UNKNOWN
    np.savez(path, **{name: array for name, array in arrays.items() if name not in ("parts", "overlaps_nose")})
    assert (EmbeddingStore(tmp_path, [NOSE]).overlaps("nose", ["000"]) == UNKNOWN).all()


def test_a_shard_without_its_embeddings_is_refused(tmp_path):
    filled(tmp_path, [record(0, [NOSE])])
    path = tmp_path / "shard-00001.npz"
    with np.load(path) as file:
        arrays = {name: array for name, array in file.items() if name != "embeddings_nose"}
    np.savez(path, **arrays)
    store = EmbeddingStore(tmp_path, [NOSE])
    with pytest.raises(
        FacepartError, match=r"shard-00001.npz: cannot be read \(it has no embeddings_nose\); remove it"
    ):
        store.embeddings("nose", ["000"])
