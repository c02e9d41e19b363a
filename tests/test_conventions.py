"""The naming convention of photos: recognised from names, or asked for."""

from pathlib import Path

import pytest

from facepart.data.naming_conventions import DATASETS, naming_rule
from facepart.data.recognise_convention import recognise_convention
from facepart.errors import UsageError
from tests.conftest import Run
from tests.test_matching_features import write_features, write_list

NAMES = {
    "MORPH": ["CM/012345_1M20", "CM/012345_2M21", "CF/012346_00F3", "CF/099_07M41"],
    "LFW": ["George_W_Bush/George_W_Bush_0001", "George_Clooney/George_Clooney_0001", "Al_Gore/Al_Gore_0002"],
    "ND_GENDERS_V3": ["x/04201_f_c_1_20080312_7", "y/04202_m_a_1_20080312_7"],
    "AGEDB": ["x/17_MariaCallas_35_f", "x/1_Maria_de_Medeiros_35_f", "x/2_JohnWayne_60_m"],
    "VGGFACE2": ["n000001/0001_01", "n000002/0001_01"],
    "CHIYA": ["x/0012a", "x/0012b", "x/0013a"],
    "FOLDER": ["alice/1", "alice/2", "bob/1"],
}


@pytest.mark.parametrize("dataset", NAMES)
def test_conventions_are_recognised(dataset: str) -> None:
    found = recognise_convention([NAMES[dataset]], "photos")
    assert found.dataset == dataset
    assert found.subject == naming_rule(dataset)(NAMES[dataset][0])


@pytest.mark.parametrize(
    ("names", "dataset", "example"),
    [
        (["x/012345_1M20"], "MORPH", "012345_1M20.JPG -> 012345"),
        (["f/001_0_neutral", "f/001_1_smiling", "f/002_0_neutral"], "MORPH", "001_0_neutral.JPG -> 001"),
        (["f/George_W_Bush_0001", "f/George_Clooney_0003"], "LFW", "George_W_Bush_0001.JPG -> George_W_Bush"),
        (["alice/img_1", "alice/img_2", "bob/img_1"], "FOLDER", "alice/img_1.JPG -> alice"),
        (["alice/alice_1", "bob/bob_1"], "MORPH", "alice_1.JPG -> alice"),  # all rules agree
        (["n000001/0001_01", "n000002/0001_01"], "VGGFACE2", "n000001/0001_01.JPG -> n000001"),
        (["001_1", "001_2", "sub/002_1"], "MORPH", "001_1.JPG -> 001"),  # beside folders, which are no people then
        (["Jose\u0301_1", "Zoe_1"], "MORPH", "Jos\u00e9_1.JPG -> Jos\u00e9"),
    ],
)
def test_the_sentence_has_an_example(names: list[str], dataset: str, example: str) -> None:
    found = recognise_convention([names], "photos")
    assert found.sentence(".JPG") == f"subjects by the {dataset} convention: {example}"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        # Without digits in the middle these are names; with them, a session may follow the name.
        (["f/Ann_session1_0001", "f/Ann_session2_0001"], "'Ann' (-d MORPH) or 'Ann_session1' (-d LFW)"),
        (["Ann_s1_1", "Ann_s2_1", "Bob_s1_1"], "'Ann' (-d MORPH) or 'Ann_s1' (-d LFW)"),
        # UTKFace: the first field is the age.
        (["f/25_0_2_2017", "f/25_1_0_2018", "f/30_0_0_2019"], "'25' (-d MORPH) or '25_0_2' (-d LFW)"),
        # Groups of people, or people.
        (["CM/1_1", "CM/2_1", "CF/3_1"], "'1' (-d MORPH) or 'CM' (-d FOLDER)"),
        (["day1/Ann_0001", "day1/Bob_0001", "day2/Ann_0002"], "'Ann' (-d MORPH) or 'day1' (-d FOLDER)"),
        (["alice/img_1", "alice/dsc_2", "bob/img_3"], "'img' (-d MORPH) or 'alice' (-d FOLDER)"),
        # The folder of a session, or the one above.
        (["Ann/0/1", "Ann/1/2", "Bob/2/3"], "'0' (-d FOLDER) or 'Ann' (another folder, with --subject-pattern)"),
        (["f/subject01.happy", "f/subject01.sad"], "names such as f/subject01.happy do not tell who is in a photo"),
        (["000001", "000002"], "names such as 000001 do not tell who is in a photo"),
    ],
)
def test_what_is_not_certain_is_asked_for(names: list[str], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        recognise_convention([names], "photos")
    message = str(caught.value)
    assert message.startswith("photos: ")
    assert reason in message
    assert message.endswith(": say it with -d or --subject-pattern")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("subjects", "found"),
    [(["biden", "obama"], "MORPH"), (["biden_0", "biden_1", "obama_0"], "LFW"), (["biden"], "MORPH")],
)
def test_a_table_of_subjects_decides(subjects: list[str], found: str) -> None:
    names = ["biden_0_00", "biden_0_01", "biden_1_00", "obama_0_00", "obama_0_01"]
    convention = recognise_convention([names], "photos", subjects)
    assert (convention.dataset, convention.subject) == (found, subjects[0])


def test_the_rule_whose_subjects_are_all_in_the_table_is_taken_before_those_that_share_some() -> None:
    names = ["Ann_Smith_1", "Ann_Hill_1", "Ed_1", "Ed_2"]
    found = recognise_convention([names], "photos", ["Ann_Smith", "Ann_Hill", "Ed", "Flo"])
    assert (found.dataset, found.subject) == ("LFW", "Ann_Smith")
    for subjects in (["Ann_Smith", "Ed"], ["Ann", "Ann_Smith", "Ann_Hill", "Ed"]):
        with pytest.raises(UsageError, match=r"may be 'Ann' .* or 'Ann_Smith'"):
            recognise_convention([names], "photos", subjects)


@pytest.mark.parametrize("subjects", [[], ["someone"], ["biden", "obama_0"]])
def test_a_table_without_subjects_of_one_rule_alone_does_not(subjects: list[str]) -> None:
    with pytest.raises(UsageError, match=r"the subject of biden_0_00 may be 'biden' .* or 'biden_0' "):
        recognise_convention([["biden_0_00", "biden_1_00", "obama_0_00"]], "photos", subjects)


@pytest.mark.parametrize(
    ("names", "subjects", "dataset", "subject"),
    [
        (["Ann_Smith_1", "Ann_Smith_2", "Ed_1"], ["Ann_Smith", "Ed"], "LFW", "Ann_Smith"),
        (["Ann_Smith_1", "Ann_Smith_2", "Ed_1"], ["Ann", "Ed"], "MORPH", "Ann"),
        (["Ann_Smith_1", "Ann_Smith_2", "Ed_1"], ["Ed"], "MORPH", "Ann"),
        (["p1/Ann_1", "p1/Ann_2", "p2/Bob_1"], ["p1", "p2"], "FOLDER", "p1"),
        (["p1/Ann_1", "p1/Ann_2", "p2/Bob_1"], [], "MORPH", "Ann"),
    ],
)
def test_of_rules_that_divide_photos_alike_the_table_chooses_the_one_whose_subjects_it_names(
    names: list[str], subjects: list[str], dataset: str, subject: str
) -> None:
    found = recognise_convention([names], "photos", subjects)
    assert (found.dataset, found.subject) == (dataset, subject)


def test_folders_further_up_that_a_table_names_have_to_be_said() -> None:
    with pytest.raises(UsageError, match=r"subject of 0/1 is 'Ann' by the table \(another folder, with --subject-p"):
        recognise_convention([["Ann/0/1", "Ann/0/2", "Bob/1/1"]], "photos", ["Ann", "Bob"])


def test_probes_and_gallery_in_two_folders_are_no_two_people() -> None:
    sides = [["eyes/1_1", "eyes/2_1"], ["baseline/1_1", "baseline/1_2"]]
    assert recognise_convention(sides, "photos").dataset == "MORPH"


def test_every_convention_recognises_its_own_example() -> None:
    certain = {"MORPH", "AGEDB", "VGGFACE2", "ND_GENDERS_V3", "LFW"}
    for dataset in certain:
        assert recognise_convention([[DATASETS[dataset].example]], "photos").dataset == dataset


def test_the_faces_of_lfw_and_london_are_recognised(shared: Path) -> None:
    for folder, dataset in (("lfw", "LFW"), ("london", "MORPH")):
        images = shared / "data" / folder / "images"
        names = [path.relative_to(images).with_suffix("").as_posix() for path in images.rglob("*.jpg")]
        assert recognise_convention([names], folder).dataset == dataset
        flat = [Path(name).name for name in names]
        assert recognise_convention([flat], folder).dataset == dataset


@pytest.mark.parametrize("program", [["./face_matching/"], ["-m", "facepart", "match"]])
def test_the_command_says_which_it_is(tmp_path: Path, run: Run, program: list[str]) -> None:
    names = ["George_W_Bush_0001", "George_W_Bush_0002", "George_Clooney_0001"]
    source = write_list(tmp_path / "f.txt", write_features(tmp_path / "f", names))
    done = run(*program, "-p", source, "-o", tmp_path / "out", "-gr", "CM")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == "subjects by the LFW convention: George_Clooney_0001 -> George_Clooney"
    assert "3 embeddings of 2 subjects with each other: 1 authentic and 2 impostor scores" in second
    # With -d, nothing is guessed.
    merged = run(*program, "-p", source, "-o", tmp_path / "out", "-gr", "CM", "-d", "MORPH")
    assert merged.returncode == 1
    assert "all features show one subject, 'George'" in merged.stderr


def test_lists_of_a_group_and_curves_recognise_it_too(tmp_path: Path, run: Run) -> None:
    names = ["Al_Gore_0001", "Al_Gore_0002", "Al_Pacino_0001", "Bo_Derek_0001"]
    write_features(tmp_path / "f", names)
    (tmp_path / "people.csv").write_text("subject,group\nAl_Gore,CM\nAl_Pacino,CM\nBo_Derek,CF\n")
    table = ("--people", tmp_path / "people.csv", "--group", "CM")
    done = run("./lists/", "-s", tmp_path / "f", "-o", tmp_path / "CM.txt", *table)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "subjects by the LFW convention: Al_Gore_0001 -> Al_Gore"
    assert "listed 3 of 4 embeddings (2 subjects of group CM)" in done.stdout
    run("./face_matching/", "-p", tmp_path / "CM.txt", "-o", tmp_path / "m", "-gr", "CM")
    (tmp_path / "m" / "run.json").unlink()
    pairs = [
        f"-{letter}1={tmp_path / 'm' / f'CM_{kind}.npy'}" for letter, kind in (("a", "authentic"), ("i", "impostor"))
    ]
    options = [word for pair in pairs for word in pair.split("=")]
    drawn = run("./Plots/", "--kind", "cmc", *options, "-t", "T", "-d", tmp_path / "plots", "-n", "x")
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.splitlines()[0] == "subjects by the LFW convention: Al_Gore_0001 -> Al_Gore"


def test_a_folder_that_holds_folders_is_no_subject() -> None:
    assert recognise_convention([["f/001_1", "f/sub/002_1"]], "photos").dataset == "MORPH"
