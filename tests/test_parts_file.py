"""Files of parts of one's own."""

from itertools import combinations

import numpy as np
import pytest
import torch

from benchmarks.null_world import drawn_labels
from facepart.analysis.shapley import players_of
from facepart.errors import FacepartError
from facepart.networks.alignment import ARCFACE_TEMPLATE
from facepart.networks.label_sets import LabelSet
from facepart.occlusion.device_regions import part_masks
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import BUILT_IN, PARTS, Part, choose_parts, part_mask
from facepart.occlusion.parts_file import read_parts
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import UNKNOWN, EmbeddingStore
from facepart.pipeline.parser_choice import lacking_classes

GOOD = """
# Names or numbers of classes, in any order.
[earrings]
classes = ["earring", 15]
dilation = 2
label = "earrings and necklace"
verb = "are"

[face-cover]
classes = [16, 16, "hat"]
"""


def written(folder, text):
    path = folder / "parts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read(tmp_path):
    found = read_parts(written(tmp_path, GOOD))
    assert found == {
        "earrings": Part("earrings", (9, 15), 2, "earrings and necklace", plural=True),
        "face-cover": Part("face-cover", (16, 18), 0, "face cover"),
    }
    labels = np.random.default_rng(0).integers(0, 19, (512, 512)).astype(np.uint8)
    np.testing.assert_array_equal(part_mask(labels, found["earrings"]), 255 * np.isin(labels, [9, 15]))
    chosen = choose_parts(["face-cover+nose", "earrings", "eyes", "face-cover"], found)
    assert [part.name for part in chosen] == ["eyes", "earrings", "face-cover", "nose+face-cover"]
    np.testing.assert_array_equal(part_mask(labels, chosen[3]), 255 * np.isin(labels, [10, 16, 18]))


@pytest.fixture
def confined(tmp_path):
    """Skin on either side of the face, and around the eyes."""
    zones = {"left_cheek": "left side", "right_cheek": "right side", "lids": "around the eyes"}
    tables = [f'[{name}]\nclasses = ["skin"]\nwhere = "{zone}"\n' for name, zone in zones.items()]
    return read_parts(written(tmp_path, "".join(tables)))


def test_a_part_is_confined_to_a_side(confined):
    assert confined["left_cheek"] == Part("left_cheek", (1,), 0, "left cheek", where="left side")
    assert confined["left_cheek"].describe() == "skin (pixels on the left side of the face only)"
    labels = drawn_labels(np.random.default_rng(0))
    left, right = (part_mask(labels, confined[name]) for name in ("left_cheek", "right_cheek"))
    np.testing.assert_array_equal(left | right, part_mask(labels, PARTS["skin"]))
    assert left.any() and right.any() and not (left & right).any()
    # The person's left is on the photo's right; the drawn face is upright.
    middle = np.argwhere(labels == 10)[:, 1].mean()
    assert np.argwhere(left)[:, 1].mean() > middle + 40
    assert np.argwhere(right)[:, 1].mean() < middle - 40


def test_a_part_is_confined_to_what_landmarks_tell(confined):
    labels = drawn_labels(np.random.default_rng(0))
    landmarks = Landmarks((ARCFACE_TEMPLATE + 0.5) * 2 - 0.5, 224, 224)
    around = part_mask(labels, BUILT_IN["periocular"], landmarks)
    lids = part_mask(labels, confined["lids"], landmarks)
    np.testing.assert_array_equal(lids, around & part_mask(labels, PARTS["skin"]))
    assert lids.any() and np.any(lids != around)
    assert confined["lids"].needs_landmarks
    assert not part_mask(labels, confined["lids"]).any()


def test_a_part_is_confined_on_a_device_as_well(confined):
    labels = drawn_labels(np.random.default_rng(0))
    landmarks = Landmarks((ARCFACE_TEMPLATE + 0.5) * 2 - 0.5, 224, 224)
    for part in confined.values():
        found = part_masks(torch.from_numpy(labels)[None], part, [landmarks])[0].numpy()
        np.testing.assert_array_equal(found, part_mask(labels, part, landmarks) > 0)


def test_a_confined_part_is_told_from_all_others(confined):
    recipes = [part.recipe() for part in (*confined.values(), PARTS["skin"], BUILT_IN["periocular"])]
    assert recipes[0] == {"classes": [1], "dilations_5x5": 0, "where": ["left side", 1]}
    assert not any(one == other for one, other in combinations(recipes, 2))
    # The sides do not overlap, but both do with the skin.
    chosen = players_of([confined["left_cheek"], confined["right_cheek"], PARTS["skin"]])
    assert [part.name for part in chosen] == ["left_cheek", "right_cheek"]


def test_a_confined_part_needs_its_classes_and_for_a_side_the_nose(confined):
    skin, nose = LabelSet("skin", (0, 1)), LabelSet("nose", (0, 10))
    assert lacking_classes(confined["left_cheek"], skin) == ["nose"]
    assert lacking_classes(confined["lids"], skin) == []
    assert lacking_classes(confined["lids"], nose) == lacking_classes(confined["left_cheek"], nose) == ["skin"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "defines no part; a part is a table such as [earrings] with classes = [9]"),
        ("# nothing\n", "defines no part"),
        ("[earrings\nclasses = [9]", "is not TOML: Expected ']' at the end of a table declaration (at line 1"),
        ("a = " + "[" * 100_000, "is not TOML: maximum recursion depth"),
        (f"[a]\nclasses = [{'9' * 5000}]", "is not TOML: Exceeds the limit"),
        ("[a]\nclasses = [9]\n[a]\nclasses = [8]", "is not TOML: Cannot declare ('a',) twice (at line 3"),
        ("[a]\nclasses = [9]\nclasses = [8]", "is not TOML: Cannot overwrite a value (at "),
        ("classes = [9]", "'classes' is not a table; write [classes] on a line of its own"),
        ("[[a]]\nclasses = [9]", "'a' is not a table; write [a]"),
        ("[a]", "[a]: needs classes, a list of names or numbers from 0 to 18"),
        ("[a]\nclasses = []", "[a]: needs classes"),
        ("[a]\nclasses = 9", "[a]: needs classes"),
        ('[a]\nclasses = "nose"', "[a]: needs classes"),
        ("[a]\nclasses = [19]", "[a]: unknown class 19; known: background, skin, "),
        ("[a]\nclasses = [-1]", "[a]: unknown class -1"),
        ("[a]\nclasses = [true]", "[a]: unknown class True"),
        ("[a]\nclasses = [1.0]", "[a]: unknown class 1.0"),
        ('[a]\nclasses = ["beard"]', "[a]: unknown class 'beard'"),
        ("[a]\nclasses = [[1]]", "[a]: unknown class [1]"),
        ("[a]\nclasses = [1]\ndilations = 3", "[a]: unknown key 'dilations'; known: classes dilation label verb"),
        ("[a]\nclasses = [1]\ndilation = 1.5", "[a]: dilation 1.5 is not a whole number from 0 to 20"),
        ("[a]\nclasses = [1]\ndilation = -1", "[a]: dilation -1 is not"),
        ("[a]\nclasses = [1]\ndilation = 21", "[a]: dilation 21 is not"),
        ("[a]\nclasses = [1]\ndilation = true", "[a]: dilation True is not"),
        ('[a]\nclasses = [1]\nlabel = " "', "[a]: label ' ' is not a line of text"),
        ("[a]\nclasses = [1]\nlabel = 3", "[a]: label 3 is not a line of text"),
        ('[a]\nclasses = [1]\nlabel = "a\\nb"', "[a]: label 'a\\nb' is not a line of text"),
        ('[a]\nclasses = [1]\nverb = "were"', '[a]: verb \'were\' is neither "is" nor "are"'),
        ("[a]\nclasses = [1]\nverb = []", "[a]: verb [] is neither"),
        (
            '[a]\nclasses = [1]\nwhere = "left"',
            "[a]: where 'left' is no zone of the face; known: left side, right side, below the nose, around the eyes",
        ),
        ('[a]\nclasses = [1]\nwhere = ""', "[a]: where '' is no zone"),
        ("[a]\nclasses = [1]\nwhere = []", "[a]: where [] is no zone"),
        ('[a]\nwhere = "left side"', "[a]: needs classes"),
        ("[nose]\nclasses = [1]", "[nose]: is a built-in part; choose another name"),
        ("[left_eye]\nclasses = [1]", "[left_eye]: is a built-in part"),
        ('["a+b"]\nclasses = [1]', "[a+b]: is not a name: use lower-case letters, digits"),
        ('["../a"]\nclasses = [1]', "[../a]: is not a name"),
        ('[""]\nclasses = [1]', "[]: is not a name"),
        ("[Nose]\nclasses = [1]", "[Nose]: is not a name"),
        ("[nose_grey]\nclasses = [1]", "[nose_grey]: 'grey' has a meaning of its own in file names"),
        ("[nose_control1]\nclasses = [1]", "[nose_control1]: 'control1' has a meaning"),
        ("[nose-patch]\nclasses = [1]", "[nose-patch]: 'patch' has a meaning"),
        ("[baseline]\nclasses = [1]", "[baseline]: 'baseline' has a meaning"),
        ("[cross_nose]\nclasses = [1]", "[cross_nose]: 'cross' has a meaning"),
    ],
)
def test_a_wrong_file_gives_one_clear_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(FacepartError) as caught:
        read_parts(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FacepartError, match=r"none\.toml: no such file of parts"):
        read_parts(tmp_path / "none.toml")
    (tmp_path / "photo.toml").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(FacepartError, match=r"photo\.toml: is not a file of parts: it is not a text file"):
        read_parts(tmp_path / "photo.toml")


def record(name, parts, pixels):
    occlusions = [Occlusion(Region(part)) for part in parts]
    embeddings = {each.name: np.ones(4, np.float32) for each in occlusions}
    overlaps = {each.name: np.linspace(0, 0.8, 9, dtype=np.float32) for each in occlusions}
    return EmbeddedPhoto(
        name, "1", embeddings, dict.fromkeys(embeddings, pixels), dict.fromkeys(embeddings, 0.1), overlaps=overlaps
    )


def test_a_part_that_is_defined_anew_is_recomputed_and_nothing_else(tmp_path):
    """A definition that is taken back finds its embeddings, pixels and overlaps again."""
    nose, eyes = PARTS["nose"], PARTS["eyes"]
    first, second = Part("cheeks", (1,), 0, "cheeks"), Part("cheeks", (1, 9), 0, "cheeks")
    measured = [*PARTS.values(), nose]

    def store_of(part):
        parts = (eyes, nose, part)
        return EmbeddingStore(tmp_path, [Occlusion(Region(each)) for each in parts], [*measured[:7], part, eyes])

    store = store_of(first)
    store.add(record("a", [eyes, nose, first], 100))
    store.flush()
    for part, missing in ((first, []), (second, ["cheeks"])):
        store = store_of(part)
        occlusions = [Occlusion(Region(each)) for each in (eyes, nose, part)]
        assert [each.name for each in occlusions if each.name not in store.photos["a"].places] == missing
    # Of the part as it is now, the eyes' share is not known.
    assert store.overlaps("eyes", ["a"])[0, 7] == UNKNOWN
    assert "cheeks" not in store.photos["a"].record.pixels
    store.add(record("a", [second], 200))
    store.flush()
    for part, pixels in ((second, 200), (first, 100)):
        found = store_of(part).photos["a"]
        assert set(found.places) == {"eyes", "nose", "cheeks"}
        assert found.record.pixels == {"eyes": 100, "nose": 100, "cheeks": pixels}
    assert store_of(first).overlaps("eyes", ["a"])[0, 7] == np.float32(0.7)


def test_a_label_or_verb_changes_nothing_that_was_computed():
    one, other = Part("cheeks", (1,), 0, "cheeks"), Part("cheeks", (1,), 0, "the cheeks", plural=True)
    assert Occlusion(Region(one)).recipe() == Occlusion(Region(other)).recipe()
    assert one.key == other.key
