"""Files of parts of one's own."""

import numpy as np
import pytest

from facepart.errors import FacepartError
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS, Part, choose_parts, part_mask
from facepart.occlusion.parts_file import read_parts
from facepart.pipeline.embedded_photo import EmbeddedPhoto
from facepart.pipeline.embedding_store import EmbeddingStore

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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "defines no part; a part is a table such as [earrings] with classes = [9]"),
        ("# nothing\n", "defines no part"),
        ("[earrings\nclasses = [9]", "is not TOML: Expected ']' at the end of a table declaration (at line 1"),
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
    assert np.isnan(store.overlaps("eyes", ["a"])[0, 7])
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
