"""A photo is not compared with its own occluded copy, whatever the folders and extensions of the two sides' names."""

from pathlib import Path

import numpy as np
import pytest

from facepart.data.naming_conventions import naming_rule
from facepart.data.pair_list import read_pair_list
from facepart.errors import FacepartError
from facepart.matching.groups import read_group
from facepart.matching.match import match_features
from facepart.matching.match_listed import match_pairs
from tests.conftest import Run
from tests.test_matching import listed

PHOTOS = [f"{person:03}_{photo}" for person in range(3) for photo in range(2)]


@pytest.mark.parametrize(("one", "other"), [(".jpg", ".png"), (".JPG", ""), ("", ".png"), (".jpg", ".jpg")])
def test_extensions_of_photos_do_not_tell_two_photos_apart(tmp_path: Path, one: str, other: str) -> None:
    """As numpy.save(f"{photo}.npy") names them; occluded copies are PNG files whatever the photos were."""
    probe = listed(tmp_path / "nose", [name + one for name in PHOTOS], seed=1)
    gallery = listed(tmp_path / "base", [name + other for name in PHOTOS], seed=2)
    out = match_features(probe, gallery, tmp_path / "out", "CM", dataset="MORPH")
    assert (out.authentic, out.impostor, out.left_out) == (6, 24, 6)


def test_subjects_are_read_from_names_with_an_extension() -> None:
    assert naming_rule("CHIYA")("f/0000a.jpg") == "0000"
    assert naming_rule("LFW")("f/Ann_Lee_0001.jpeg") == "Ann_Lee"
    # A pattern sees the whole label.
    assert naming_rule(None, r"(\w+)\.jpg$")("f/ann.jpg") == "ann"


def test_a_photo_in_a_folder_of_its_own_leaves_the_others_in_theirs(tmp_path: Path) -> None:
    """One name stands twice, so that folders count, and those of the sides have other names."""
    names = [*PHOTOS, "old/000_0"]
    probe, gallery = listed(tmp_path / "nose", names, seed=1), listed(tmp_path / "base", names, seed=2)
    out = match_features(probe, gallery, tmp_path / "out", "CM", dataset="MORPH")
    # Of 7 x 7 pairs, three photos of the first person and two of each other one.
    assert (out.authentic, out.left_out) == (9 + 4 + 4 - 7, 7)


def test_photos_of_one_name_in_two_sessions_are_two_photos_in_a_list_of_pairs(tmp_path: Path) -> None:
    names = [f"{person}/{session}/01" for person in ("ann", "bob") for session in ("s1", "s2")]
    probe, gallery = listed(tmp_path / "nose", names, seed=1), listed(tmp_path / "base", names, seed=2)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("ann/s1/01,ann/s2/01,1\nbob/s1/01,bob/s1/01,1\nann/s1/01,bob/s1/01,0\n")
    group = read_group("CM", probe, gallery)
    (outcome,) = match_pairs([group], read_pair_list(pairs), tmp_path / "out", workers=1)
    assert (outcome.authentic, outcome.impostor, outcome.same_photo.count) == (1, 1, 1)


@pytest.mark.parametrize("dataset", ["FOLDER", "PUBLIC_IVS"])
def test_a_photo_beside_the_folders_of_subjects_is_refused(tmp_path: Path, dataset: str) -> None:
    """It would be an impostor of its own occluded copy, since its folder is called otherwise there."""
    names = ["ann/1", "ann/2", "bob/1", "bob/2", "loose"]
    probe, gallery = listed(tmp_path / "nose", names, seed=1), listed(tmp_path / "base", names, seed=2)
    with pytest.raises(FacepartError, match=r"nose/loose lies beside the folders of subjects"):
        match_features(probe, gallery, tmp_path / "out", "CM", dataset=dataset)
    probe, gallery = (listed(tmp_path / side, names[:4], seed=1) for side in ("n2", "b2"))
    assert match_features(probe, gallery, tmp_path / "out", "CM", dataset=dataset).authentic == 4
    # A convention that reads the name of such a photo takes it.
    names = ["n000001/0001_01", "n000002/0001_01", "n000001_0002_01"]
    assert match_features(listed(tmp_path / "v", names), None, tmp_path / "out", "CM", dataset="VGGFACE2").authentic


def test_labelled_pairs_need_no_names_of_subjects(tmp_path: Path, run: Run) -> None:
    """Templates have numbers for names; without labels, the convention has to be said."""
    source = listed(tmp_path / "t", [str(number) for number in range(4)])
    for text, code in (("0 1 1\n2 3 0\n", 0), ("0 1\n2 3\n", 2)):
        (tmp_path / "pairs.txt").write_text(text)
        words = ("-p", source, "--pairs", tmp_path / "pairs.txt", "-gr", "T", "-o", tmp_path / "out")
        done = run("-m", "facepart", "match", *words)
        assert done.returncode == code, done.stderr
    assert "do not tell who is in a photo" in done.stderr
    assert np.load(tmp_path / "out" / "T_authentic.npy").shape == (1, 3)
