"""The help of every command, its options by group, and the one rule for options that take a list."""

import argparse
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facepart.cli.list_action import ListAction
from facepart.cli.program import COMMANDS, load_command
from facepart.cli.rank_set_options import HIGHEST_RANK
from facepart.errors import UsageError
from facepart.occlusion.method import OCCLUDERS, STANDARD
from facepart.occlusion.parts import PARTS
from facepart.plots import PLOT_KINDS
from facepart.plots.cmc import DEFAULT_RANKS
from facepart.study.kept_files import KEPT
from tests.conftest import Run

RULE = "separated by spaces or commas"
# Option of a command -> its values, given with blanks and with commas, and what the two are parsed to.
LISTS = {
    ("blur", "--parts"): (["eyes", "nose"], ["eyes", "nose"]),
    ("demo", "--parts"): (["eyes", "nose"], ["eyes", "nose"]),
    ("lists", "--group-column"): (["sex", "age:18", "30"], "sex,age:18,30"),
    ("match", "--group-column"): (["sex", "age:18", "30"], "sex,age:18,30"),
    ("study", "--group-column"): (["sex", "age:18", "30"], "sex,age:18,30"),
    ("match", "-gr"): (["CM", "CF"], ["CM", "CF"]),
    ("plot", "--fmr"): (["1e-3", "0.1"], [0.001, 0.1]),
    ("plot", "--formats"): (["png", "pdf"], ["png", "pdf"]),
    ("study", "--formats"): (["svg", "pgf"], ["svg", "pgf"]),
    ("plot", "--threshold"): (["-0.25", "0.3"], [-0.25, 0.3]),
    ("study", "--parts"): (["eyes", "nose"], ["eyes", "nose"]),
    ("study", "--model"): (["sface", "arcface-r100"], ["sface", "arcface-r100"]),
    ("study", "--groups"): (["CM", "CF"], ["CM", "CF"]),
    ("study", "--occlusion"): (["blur", "grey"], ["blur", "grey"]),
    ("study", "--sweep"): (["dilation=0", "2"], ["dilation=0", "2"]),
    ("study", "--keep"): (["masks", "photos"], ["masks", "photos"]),
}
# What a call of the command needs besides.
NEEDED = {
    "align": ["-s", "photos", "-d", "aligned"],
    "blur": ["-s", "photos", "-m", "masks", "-d", "blurred"],
    "extract": ["-s", "photos", "-d", "features"],
    "match": ["-p", "list.txt", "-o", "out"],
    "plot": [],
    "study": ["-s", "photos", "-o", "out"],
    "parse": ["-s", "photos", "-o", "labels"],
    "lists": ["-s", "features", "-o", "list.txt"],
    "demo": ["-o", "out"],
}
# `facepart plot` needs some of these.
ONE_OF_THESE = ("-a1", "-i1", "-s1", "-r1")
# Libraries that take long to load, or that a plain installation lacks.
HEAVY = {"torch", "cv2", "openvino", "matplotlib", "pandas", "jinja2", "scipy", "onnx", "tqdm", "ray", "sklearn"}


def parsers(command: str) -> Iterator[argparse.ArgumentParser]:
    """The parser of a command, or those of its actions."""
    parser, _ = load_command(command, f"facepart {command}")
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    yield from below[0].choices.values() if below else [parser]


def parse(command: str, *words: str) -> argparse.Namespace:
    return load_command(command, f"facepart {command}")[0].parse_args([*NEEDED[command], *words])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained_with_its_default_in_a_group(command: str) -> None:
    for parser in parsers(command):
        grouped = [(group.title, action) for group in parser._action_groups for action in group._group_actions]
        for title, action in grouped:
            if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
                continue
            assert action.help, action.option_strings
            if not action.option_strings:
                continue
            assert title not in (None, "options"), action.option_strings
            has_default = action.nargs != 0 and not action.required and action.option_strings[0] not in ONE_OF_THESE
            if title != "options of the original script":
                assert ("(default" in action.help) == has_default, action.option_strings


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_loads_no_heavy_library_and_fits(command: str, run_process: Run) -> None:
    code = (
        "import sys; from facepart.cli import main\n"
        f"try: main([{command!r}, '-h'])\n"
        f"except SystemExit: print('LOADED', sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = run_process("-c", code, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    text, loaded = done.stdout.split("LOADED ")
    assert loaded == "[]\n"
    # The table of naming conventions has lines of its own.
    assert max(map(len, text.partition("naming conventions for -d")[0].splitlines())) <= 80
    assert text.startswith(f"usage: facepart {command} ")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_rule_for_lists_is_in_the_help_once_where_there_are_lists(command: str) -> None:
    for parser in parsers(command):
        lists = [action for action in parser._actions if isinstance(action, ListAction)]
        text = " ".join(parser.format_help().split())
        assert text.count(RULE) == bool(lists)
        # A list could otherwise swallow what stands after it.
        positional = [action for action in parser._actions if not action.option_strings]
        assert not positional or lists in ([], positional)
        # No option takes several values by another rule.
        others = [action for action in parser._actions if action.nargs in ("+", "*") and action not in lists]
        assert all(action.help == argparse.SUPPRESS for action in others)


def test_the_table_above_has_every_list() -> None:
    found = {
        (command, action.option_strings[0])
        for command in NEEDED
        for parser in parsers(command)
        for action in parser._actions
        if isinstance(action, ListAction)
    }
    assert found == set(LISTS)


@pytest.mark.parametrize(("command", "option"), LISTS)
def test_blanks_and_commas_are_the_same_and_a_second_time_adds(command: str, option: str) -> None:
    words, values = LISTS[command, option]
    parser = load_command(command, "facepart")[0]
    (action,) = (each for each in parser._actions if option in each.option_strings)
    for given_words in (words, [",".join(words)], [f"{words[0]},", *words[1:]], [", ".join(words)]):
        assert getattr(parse(command, option, *given_words), action.dest) == values
        assert getattr(parse(command, *NEEDED[command], option, *given_words), action.dest) == values
    separate = [word for each in words for word in (option, each)]
    assert getattr(parse(command, *separate), action.dest) == values
    # What was parsed once does not stay for the next time.
    assert getattr(parse(command), action.dest) == action.default


@given(
    st.lists(st.text("ab c=.é", min_size=1, max_size=5).map(str.strip).filter(bool), min_size=1, max_size=6),
    st.data(),
)
def test_any_mixture_of_separators_gives_the_same_list(values: list[str], data: st.DataObject) -> None:
    words, repeated = [values[0]], ["--names"]
    for value in values[1:]:
        if data.draw(st.booleans()):
            words[-1] += data.draw(st.sampled_from([",", ", ", ",,", " ,"])) + value
        else:
            words.append(value)
    for word in words:
        if len(repeated) > 1 and data.draw(st.booleans()):
            repeated.append("--names")
        repeated.append(word)
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", action=ListAction, default=["default"])
    assert parser.parse_args(repeated).names == values


def test_models_takes_names_by_the_same_rule(run: Run) -> None:
    parser, _ = load_command("models", "facepart models")
    assert parser.parse_args(["fetch", "yunet,faceplugin", "arcface-r100"]).names == [
        "yunet",
        "faceplugin",
        "arcface-r100",
    ]
    assert parser.parse_args(["check"]).names == []
    with pytest.raises(UsageError, match=r"NAME: the list is empty \(see `facepart models fetch -h`\)"):
        parser.parse_args(["fetch", ","])


@pytest.mark.parametrize(("command", "option"), LISTS)
@pytest.mark.parametrize("words", [["--"], [], [""], [","], [",", " "]])
def test_an_empty_list_is_refused(command: str, option: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        parse(command, option, *words)
    assert option in str(refused.value)
    assert re.search(r"is empty|expected at least one argument", str(refused.value))
    assert str(refused.value).endswith(f"(see `facepart {command} -h`)")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["blur", "-s", "a", "-m", "b", "-d", "c", "--parts"], "argument --parts: expected at least one argument"),
        (["blur", "-s", "a", "-m", "b", "-d", "c", "--parts", ","], "--parts: the list is empty"),
        (["blur", "-s", "a"], "the following arguments are required: -m/--maskdest, -d/--finaldest"),
        (["blur", "-s", "a", "-m", "b", "-d", "c", "d"], "unrecognized arguments: d"),
        (["extract", "--workers", "none"], "argument --workers: 'none' is not a whole number of at least 1"),
        (["plot", "--fmr", "0.1,x"], "argument --fmr: invalid value 'x'"),
        (
            ["study", "--keeps", "masks"],
            "the following arguments are required: -s/--source, -o/--output; --keeps is unknown (did you mean "
            "--keep?)",
        ),
        (
            ["blur", "-s", "a", "-m", "b", "-d", "c", "--part", "eyes"],
            "unrecognized arguments: --part eyes; --part is unknown (did you mean --parts?)",
        ),
    ],
)
def test_a_wrong_call_is_one_line_that_names_the_help(words: list[str], reason: str, run: Run) -> None:
    done = run("-m", "facepart", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"facepart: {reason} (see `facepart {words[0]} -h`)\n"


def test_the_numbers_of_a_sweep_may_have_blanks_or_commas() -> None:
    from facepart.cli.study import _make_request

    expected = ("blur=5,9,15", "dilation=0,0.5")
    for words in (
        ["blur=5,9,15", "dilation=0,0.5"],
        ["blur=5,9,15,dilation=0,0.5"],
        ["blur=5", "9", "15", "dilation=0", "0.5"],
        ["blur=", "5", "9,15", "dilation=0", "0.5"],
    ):
        request = _make_request(parse("study", "--sweep", *words))
        assert tuple(request.sweeps) == expected
    assert [method.name for method in request.methods()] == [
        "blur",
        "blur-5",
        "blur-9",
        "blur-dilation-0",
        "blur-dilation-0.5",
    ]
    with pytest.raises(UsageError, match="'5,9' is not a sweep"):
        _make_request(parse("study", "--sweep", "5", "9")).methods()


def test_a_group_whose_name_has_a_blank_is_quoted() -> None:
    assert parse("study", "--groups", "African American,Caucasian", "East Asian").groups == [
        "African American",
        "Caucasian",
        "East Asian",
    ]


def test_the_help_names_every_part_method_kind_and_file() -> None:
    texts = {command: " ".join(next(parsers(command)).format_help().split()) for command in NEEDED}
    for command in ("blur", "study", "demo"):
        assert " ".join(PARTS) in texts[command]
    for command in ("blur", "study"):
        methods = texts[command].partition("--occlusion NAME")[2]
        for name in OCCLUDERS:
            assert re.search(rf"\b{name}\b", methods), name
        assert f"(default: {STANDARD.occluder})" in methods
    kinds = next(parsers("plot"))._option_string_actions["--kind"]
    assert set(kinds.choices or ()) == {*PLOT_KINDS, "cmc", "table", "difference"}
    assert HIGHEST_RANK == DEFAULT_RANKS
    for name in kinds.choices or ():
        assert f"{name} (" in texts["plot"]
    for name in KEPT:
        assert re.search(rf"\b{name}\b", texts["study"].partition("--keep WHAT")[2])


def test_only_the_users_own_command_lines_are_needed(tmp_path: Path) -> None:
    """The command lines of the original scripts, as the entries of the checkout pass them on."""
    for command, line in (
        ("blur", "-s IMAGES -m MASKS -d BLURRED"),
        ("extract", "-s IMAGES -d FEATURES"),
        ("match", "-p PROBE.txt -o MATCHES -d MORPH -gr CM"),
        ("match", "-p PROBE.txt -g GALLERY.txt -o MATCHES -d MORPH -gr CM"),
        ("match", "-probe PROBE.txt -gallery GALLERY.txt -output MATCHES -dataset MORPH -group CM"),
        ("plot", "-a1 A1.npy -i1 I1.npy -l1 Original -a2 A2.npy -i2 I2.npy -l2 Eyes -t Title -d FOLDER -n output"),
    ):
        load_command(command, "facepart")[0].parse_args(line.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_in_the_help_is_a_command_line(command: str) -> None:
    module = import_module(COMMANDS[command])
    parser, _ = load_command(command, f"facepart {command}")
    assert len(module.EXAMPLES) >= 2
    for example in module.EXAMPLES:
        words = shlex.split(example.replace("\\\n", " "))
        assert words[:2] == ["facepart", command]
        parser.parse_args(words[2:])
    help_text = parser.format_help()
    (begin,) = (found.start() for found in re.finditer("^examples:$", help_text, re.MULTILINE))
    # After the options, and before the tables.
    assert begin > help_text.rindex("\noptions:") and all(
        begin < help_text.index(table)
        for table in ("naming conventions for -d, with", "parts, and their classes")
        if table in help_text
    )


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["studdy"], "(did you mean study?)"),
        (["models", "fetsh", "yunet"], "(did you mean fetch?)"),
        (["models", "where", "yunnet"], "(did you mean yunet?)"),
        (["study", "-s", "a", "-o", "b", "--align", "--undetected", "excluded"], "(did you mean exclude?)"),
        (["study", "-s", "a", "-o", "b", "--parts", "eyes", "noes"], "(did you mean nose?)"),
        (["study", "-s", "a", "-o", "b", "--parts", "eyes+muoth"], "(did you mean mouth?)"),
        (["study", "-s", "a", "-o", "b", "--occlusion", "gray"], "(did you mean grey?)"),
        (["study", "-s", "a", "-o", "b", "--keep", "mask"], "(did you mean masks?)"),
        (["study", "-s", "a", "-o", "b", "-d", "MORF"], "(did you mean MORPH?)"),
        (["study", "--sauce", "a", "-o", "b"], "--sauce is unknown (did you mean --source?)"),
        (["extract", "-s", "a", "-d", "b", "--precision", "fp23"], "(did you mean fp32?)"),
        (["blur", "-s", ".", "-m", "m", "-d", "d", "--device", "cdua"], "(did you mean cuda?)"),
        (["match", "-p", "a", "-o", "b", "-gr", "CM", "--sav", "pairs"], "(did you mean --save?)"),
        (["study", "-s", ".", "-o", "b", "--people", "CSV", "--groups", "Asain"], "(did you mean Asian?)"),
        (["study", "-s", ".", "-o", "b", "--people", "CSV", "--group-column", "grup"], "(did you mean group?)"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(
    words: list[str], suggestion: str, run: Run, tmp_path: Path
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("subject,group\n1,Asian\n2,White\n")
    places = {"CSV": table, ".": tmp_path, "b": tmp_path / "out", "d": tmp_path / "d", "m": tmp_path / "m"}
    (tmp_path / "photo.png").touch()
    done = run("-m", "facepart", *(places.get(word, word) for word in words))
    assert done.returncode in (1, 2)
    assert suggestion in done.stderr
    assert "Traceback" not in done.stderr


def test_progress_in_a_log_is_lines_with_the_time_left(run_process: Run) -> None:
    code = (
        "import time\nfrom facepart.cli.progress_bar import ProgressBar\n"
        "with ProgressBar('study') as progress:\n"
        "    for done in range(0, 101, 25):\n"
        "        progress(done, 100, 'read photo')\n"
        "        time.sleep(0.1)\n"
    )
    lines = run_process("-c", code, FACEPART_PROGRESS="0.15").stderr.splitlines()
    assert 1 <= len(lines) <= 3
    pattern = r"study: (\d+) of 100 photos(, [\d.]+ per second, \d+ s left)?, bottleneck: read photo"
    assert all(re.fullmatch(pattern, line) for line in lines), lines
    assert run_process("-c", code, FACEPART_PROGRESS="0").stderr == ""
    assert run_process("-c", code, FACEPART_PROGRESS=None).stderr == ""
