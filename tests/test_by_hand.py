"""``docs/by-hand.md``: every command in its tables runs as it stands; every option of the originals is in them."""

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import scipy.ndimage

from docs.steps_picture import blur_steps, draw
from facepart.data.path_lists import write_list
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.errors import FacepartError
from facepart.matching.match import match_features
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.occlusion.parts import PARTS
from tests.command_line import run_here
from tests.conftest import ROOT
from tests.witness.checkpoints import write_parameters

PAGE = ROOT / "docs" / "by-hand.md"
CHECKOUT = ["Plots", "docs", "examples", "face_matching", "face_parsing_BiSeNet", "facepart", "lists"]
PROGRAMS = ("python3 ./", "python3 docs/", "facepart ", "examples/batch.sh ")

# The original scripts' own options, from their argparse calls; with numbers where there is one for each set.
MATCHER = "-probe -p -gallery -g -output -o -dataset -d -group -gr"
EXTRACTOR = "--source -s --dest -d --image-size --model --ga-model --gender_model --gpu --det --flip --threshold"
PLOT = "-title -t -dest -d -name -n"


def numbered(last: int, names: str = "-authentic -a -impostor -i -label -l") -> str:
    return " ".join(f"{name}{number}" for number in range(1, last + 1) for name in names.split())


ORIGINALS = {
    # github.com/abhatta1234/computerVisionI
    "multiple_parts.py": "--source -s --maskdest -m --finaldest -d",
    "create_mask.py": "",
    "create_blur_part.py": "--source -s --mask -m --dest -d --part -p",
    "process_images.py": "",
    "process_v2.py": "",
    "prepropess_data.py": "",
    "blur_face.py": "",
    "blurring_operation_demo.ipynb": "",
    "blurImg.job": "",
    "nose.job": "",
    "imageBinSeparate.py": "",
    "plot_relative_freq_histogram_v2.py": f"{numbered(6)} {PLOT}",
    # both
    "insightface_feature_extraction.py": EXTRACTOR,
    "feature_match_efficient.py": MATCHER,
    "mult_feature_match_list.py": f"{MATCHER} -metric -m",
    "plot_relative_freq_histogram.py": f"{numbered(4)} {PLOT}",
    # github.com/vitoralbiero/face_matching
    "arcface_feature_extraction.py": EXTRACTOR,
    "cosface_feature_extraction.py": "--source -s --dest -d --image_size --model",
    "facenet_feature_extraction.py": "--weights -w --norm_type -n --source -s --dest -d",
    "lbp_feature_extraction.py": "--source -s --dest -d",
    "magface_feature_extraction.py": "--image_list -i --source -s --dest -d --batch_size -b --workers -w "
    "--magface_dir -m --arch --embedding_size --resume --cpu-mode --dist",
    "resnet50_feature_extraction.py": "--source -s --dest -d --weights -w",
    "vggface_feature_extraction.py": "--net -n --source -s --dest -d --weights -w",
    "amazon_matcher.py": "-probe -p -gallery -g",
    "get_cmc_ranks.py": "-authentic -a -impostor -i -label_probe -lp -label_gallery -lg --distance -d",
    "create_directory_structure.py": "-a --algolist -d --datasetnames",
    "convert_janice_output_to_ND_format.py": "-c --cores -a --algo-list -i --inbuilt",
    "convert_rankone_output_to_ND_format.py": "-c --cores -a --algo-list -i --inbuilt",
    "check_stat_difference.py": "--distribution_1 -i1 --distribution_2 -i2",
    "compute_dprime_values.py": numbered(3),
    "extract_tpr_fpr_thr.py": "-authentic -a -impostor -i -dest -d -name -n",
    "get_tprs_from_file.py": "-file -f",
    "mainPlots.py": "-n --numCores -a --algolist -d --datasetnames -p --plots -e --expts -m --manual",
    "plot_cmc.py": f"-total_ranks -r {numbered(3, '-rank -r -label -l')} {PLOT}",
    "plot_fmr_fnmr.py": f"{numbered(3)} {PLOT}",
    "plot_roc.py": f"{numbered(4)} {PLOT} --ylim",
    "plot_roc_confidence.py": f"{numbered(4)} {PLOT}",
    "plot_roc_multi.py": f"-alg1_path -alg1 -label1 -l1 -alg2_path -alg2 -label2 -l2 {PLOT} --ylim",
}


class Row(NamedTuple):
    """A line of a table: the scripts it is about, their options, the command here, and the difference."""

    scripts: tuple[str, ...]
    there: str
    here: str
    note: str


def read_rows() -> list[Row]:
    """Read the tables of scripts, each below a heading that names its scripts in backticks."""
    text = PAGE.read_text().split("<!-- scripts", 1)[1]
    rows = []
    scripts: tuple[str, ...] = ()
    for line in text.splitlines():
        if line.startswith("#### "):
            scripts = tuple(name.rpartition("/")[2] for name in re.findall(r"`([^`]+)`", line))
        elif line.startswith("| ") and not line.startswith("| original |"):
            there, here, note = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            rows.append(Row(scripts, there, here, note))
    return rows


ROWS = read_rows()


def test_every_script_and_option_of_the_originals_is_in_the_tables() -> None:
    found: dict[str, set[str]] = {}
    for row in ROWS:
        for script in row.scripts:
            found.setdefault(script, set()).update(re.findall(r"`(-[^` ]+)", row.there))
    assert set(found) == set(ORIGINALS)
    for script, options in ORIGINALS.items():
        assert set(options.split()) <= found[script], script


def test_every_line_has_one_command() -> None:
    for row in ROWS:
        assert re.fullmatch("`[^`]+`", row.here), row
        assert row.here[1:-1].startswith(PROGRAMS), row


@pytest.fixture(scope="module")
def material(tmp_path_factory, recogniser_weights: Path, bisenet_weights: Path) -> Path:
    """All that the commands read, small and made up, under the names that they have in the tables."""
    del bisenet_weights
    folder = tmp_path_factory.mktemp("material")
    rng = np.random.default_rng(14)
    for name in ("001_1", "001_2", "002_1", "002_2"):
        write_image(folder / "IMAGES" / f"{name}.png", rng.integers(0, 256, (112, 112, 3), dtype=np.uint8))
    write_list(folder / "IMAGES.txt", sorted((folder / "IMAGES").iterdir()))
    (folder / "people.csv").write_text("subject,group\n001,CM\n002,CM\n003,CF\n")
    people = rng.standard_normal((3, 64))
    for side in ("probe", "gallery"):
        listed = []
        for person, centre in enumerate(people, start=1):
            for photo in range(3):
                # A name that every naming convention can read: number, subject, ..., day as the fifth field.
                stem = f"00{person}_name{person}_c_1_2008031{photo // 2}_{photo}"
                path = folder / "features" / side / f"n00000{person}" / f"{stem}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, (centre + rng.standard_normal(64)).astype(np.float32))
                listed.append(path)
        write_list(folder / f"{side.upper()}.txt", listed)
    (folder / "FEATURES").symlink_to(folder / "features" / "probe")
    match_features(folder / "PROBE.txt", None, folder / "matches", "CM", save="both", dataset="MORPH")
    for path in (folder / "matches").iterdir():
        if path.name.startswith("CM_"):
            shutil.copy(path, folder / path.name)
    for number in range(1, 7):
        for letter, kind in (("A", "authentic"), ("I", "impostor")):
            pairs = np.load(folder / f"CM_{kind}.npy")
            pairs[:, 2] = np.round(pairs[:, 2] * (1 - number / 20), 6)
            np.save(folder / f"{letter}{number}.npy", pairs)
            np.savetxt(folder / f"{letter}{number}.txt", pairs, fmt="%i %i %.6f")
    (folder / "RANKS.txt").write_text("1\n1\n2\n5\n1\n")
    (folder / "MODEL.onnx").symlink_to(recogniser_weights)
    write_checkpoint(folder / "insightface" / "models" / "my-model" / "model", rng)
    (folder / "insightface" / "deploy").mkdir()
    return folder


def write_checkpoint(prefix: Path, rng: np.random.Generator) -> None:
    """Write a small recogniser in MXNet's format: a convolution, and 64 numbers from what it gives."""
    convolution = {"kernel": "(16, 16)", "stride": "(16, 16)", "num_filter": "4"}
    nodes = [
        node("null", "data"),
        node("null", "conv_weight"),
        node("null", "conv_bias"),
        node("Convolution", "conv", 0, 1, 2, **convolution),
        node("null", "fc1_weight"),
        node("null", "fc1_bias"),
        node("FullyConnected", "fc1", 3, 4, 5, num_hidden="64"),
    ]
    shapes = {"conv_weight": (4, 3, 16, 16), "conv_bias": (4,), "fc1_weight": (64, 4 * 7 * 7), "fc1_bias": (64,)}
    prefix.parent.mkdir(parents=True)
    arrays = {f"arg:{name}": rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    write_parameters(prefix.with_name("model-0000.params"), arrays)
    symbol = {"nodes": nodes, "arg_nodes": [0, 1, 2, 4, 5], "heads": [[6, 0, 0]]}
    prefix.with_name("model-symbol.json").write_text(json.dumps(symbol))


def node(operator: str, name: str, *inputs: int, **attributes: str) -> dict[str, object]:
    return {"op": operator, "name": name, "attrs": attributes, "inputs": [[number, 0, 0] for number in inputs]}


COMMANDS = list(dict.fromkeys(row.here[1:-1] for row in ROWS))


def program_of(command: str) -> tuple[str, ...]:
    """Return the program that a command runs; ``face_matching`` is two, by their first option."""
    words = command.split()
    return tuple(words[: 3 if words[1] == "./face_matching/" else 2])


# The first command of each program is run as a user's process. All others run in the process of the tests.
AS_PROCESS = {program_of(command): command for command in reversed(COMMANDS)}.values()


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs_as_it_stands(tmp_path: Path, material: Path, command: str) -> None:
    if "steps_picture" in command:
        needs_photograph()
    words = words_of(command)
    outputs = outputs_of(words)
    for name in CHECKOUT:
        (tmp_path / name).symlink_to(ROOT / name)
    for path in material.iterdir():
        if path.name not in {*outputs, "matches"}:
            (tmp_path / path.name).symlink_to(path)
    before = set(tmp_path.iterdir())
    if command in AS_PROCESS:
        done = run_in_shell(command, tmp_path)
    else:
        done = run_here(*(words[1:] if words[0] == "python3" else ["-m", *words]), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    made = {path.name for path in set(tmp_path.iterdir()) - before}
    assert made == {name.split("/")[0] for name in outputs} or not outputs
    for name in outputs:
        assert (tmp_path / name).is_file() or any((tmp_path / name).iterdir()), name
    if any(row.note.startswith("no effect") for row in ROWS if row.here[1:-1] == command):
        assert len([line for line in done.stderr.splitlines() if "no effect" in line]) == 1


def words_of(command: str) -> list[str]:
    """Split a command into words as the shell does, quotes and all."""
    done = subprocess.run(["bash", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def run_in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does, in `folder`."""
    python = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}
    shell = ["bash", "-c", command]
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def outputs_of(words: list[str]) -> set[str]:
    """Give the files and folders that a command writes, by its options: -d names a data set where lists are read."""
    if "docs/steps_picture.py" in words:
        return {words[-1]}
    matching = {"-p", "-probe", "--people"} & set(words)
    flags = {"-o", "-output"} if matching else {"-d", "-dest", "--dest", "-m", "--maskdest", "--finaldest"}
    return {word for flag, word in pairwise(words) if flag in flags}


def needs_photograph() -> None:
    from facepart.demo.photographs import fetch_photographs

    try:
        fetch_photographs()
        obtain(DETECTOR, "detector")
    except FacepartError as error:
        pytest.skip(f"needs a photograph and the detector, which cannot be had here: {error}")


@pytest.mark.parametrize(
    ("part", "times"),
    [("eyes", 4), ("brows", 2), ("eyes_brows", 4), ("nose", 3), ("mouth", 4), ("hair", 4), ("skin", 0)],
)
def test_the_steps_of_the_figure_are_those_of_the_original(part: str, times: int) -> None:
    rng = np.random.default_rng(times)
    face = rng.integers(0, 256, (224, 224, 3), dtype=np.uint8)
    mask = np.zeros((512, 512), np.uint8)
    cv2.ellipse(mask, (200, 230), (70, 31), 20, 0, 360, 255, -1)
    steps = blur_steps(face, mask, part)
    assert list(steps) == ["mask", "dilated", "softened", "face", "blurred face", "result"]
    # As the original does it: with OpenCV, SciPy and floating point.
    small = cv2.resize(mask, (224, 224), interpolation=cv2.INTER_AREA)
    grown = cv2.dilate(small, np.ones((5, 5), np.uint8), iterations=times) if times else small
    soft = scipy.ndimage.gaussian_filter(grown, 5)
    blurred = cv2.blur(face, (15, 15))
    share = soft[:, :, None] / 255
    result = (share * blurred + (1 - share) * face).astype(np.uint8)
    for name, expected in (("mask", small), ("dilated", grown), ("face", face), ("blurred face", blurred)):
        np.testing.assert_array_equal(steps[name], expected)
    assert np.abs(steps["softened"].astype(int) - soft).max() <= 1
    assert np.abs(steps["result"].astype(int) - result).max() <= 1


def test_the_figure_has_a_row_for_every_part() -> None:
    labels = np.arange(512 * 512, dtype=np.int64).reshape(512, 512) // 14000
    figure = draw(np.zeros((224, 224, 3), np.uint8), labels.astype(np.uint8))
    assert len(figure.axes) == 6 * len(PARTS)
    titles = [axes.get_title() for axes in figure.axes[:6]]
    assert titles == ["mask", "dilated", "softened", "face", "blurred face", "result"]
    image = ROOT / "docs" / "images" / "steps.jpg"
    assert image.stat().st_size < 200_000
    assert read_photo(image).shape[1] > 1000
