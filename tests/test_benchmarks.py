"""The pieces of the benchmarks, on a few photos: that they measure what they say. Nothing here is timed."""

import os
import shutil
import sys
from typing import cast

import numpy as np
import pytest

from benchmarks import accuracy, extract, machine, material, memory, ranks, subject_sums
from facepart.analysis.metrics.dprime import d_prime
from facepart.data.path_lists import write_list
from facepart.data.photo_input import read_photo
from facepart.networks.engine import Engine
from facepart.networks.face_detector import FaceDetector
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.recogniser import RecogniserFile
from facepart.processors import processors
from tests.opened_networks import parser_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recogniser(recogniser_weights):
    return OpenVinoEngine(*RecogniserFile(recogniser_weights).load())


def test_the_machine_is_described_in_words():
    text = machine.describe()
    assert f"{processors()} cores" in text
    assert 1 <= processors() <= (os.cpu_count() or 1)
    assert f"numpy {np.__version__}" in text


def test_few_photos_stand_for_many(tmp_path, face_paths):
    links = material.link_often(face_paths[:2], 5, tmp_path / "links")
    assert [link.resolve() for link in links] == [face_paths[number % 2].resolve() for number in range(5)]
    assert sorted((tmp_path / "links").iterdir()) == links


def test_every_side_of_the_extraction_gives_the_same_features(
    tmp_path, shared, detector_weights, monkeypatch, capsys
):
    faces = material.align_some(shared / "data" / "london" / "images", 3, tmp_path / "faces")
    write_list(tmp_path / "faces.txt", faces)
    # Compiled networks go there, and with the test away.
    monkeypatch.setenv("FACEPART_HOME", str(tmp_path / "home"))
    checkpoint = shared / "models" / "mobilefacenet-y1"
    for name in ("symbol.json", "0000.params"):
        shutil.copy(checkpoint / f"model-{name}", tmp_path / f"y1-{name}")
    seconds, runs = extract.measure(tmp_path / "faces.txt", str(tmp_path / "y1-0000.params"), "cpu", None, rounds=1)
    assert {name.partition(",")[0] for name in seconds} == {"ours", "bare network", "ONNX Runtime"}
    assert all(len(each) == 1 and each[0] > 0 for each in seconds.values())
    assert len(runs) == 1
    told = capsys.readouterr().out.split("fp32: ")[1]
    lowest = {side.rsplit(" ", 1)[0]: float(side.rsplit(" ", 1)[1]) for side in told.split("; ")}
    # The precision by default may be bf16; the others compute in 32 bits.
    assert lowest.pop("default") > 0.99
    assert set(lowest) >= {"ONNX Runtime, 1 at a time", "ONNX Runtime, 16 at a time"}
    assert min(lowest.values()) > 0.9999
    extract.tell(3, {name: [1.0] for name in seconds}, runs, extract.TARGETS)
    assert "3.00 faces/s" in capsys.readouterr().out


def test_features_of_another_face_are_detected_by_their_cosine(tmp_path):
    for side, row in (("fp32", [3, 4]), ("same", [6, 8]), ("other", [4, -3])):
        (tmp_path / side).mkdir()
        np.save(tmp_path / side / "a.npy", np.array(row, np.float32))
    assert extract.compare(tmp_path, "fp32") == pytest.approx({"same": 1, "other": 0})


class Labels:
    """A parser that finds one class everywhere but, with `other`, in the left quarter of all photos but the first."""

    def __init__(self, other):
        self.other = other

    def __call__(self, photos):
        labels = np.zeros(photos.shape[:3], np.uint8)
        labels[1:, :, :128] = self.other
        return labels


def test_equal_pixels_are_counted(faces):
    shares = accuracy.equal_pixels(faces[:2], cast(Engine, Labels(1)), cast(Engine, Labels(0)))
    assert shares == (0.875, 0.75)


def test_accuracy_and_d_prime_are_those_of_all_pairs():
    generator = np.random.default_rng(1)
    embeddings = generator.normal(size=(12, 8)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    people = [str(number // 3) for number in range(12)]
    pairs = [(one, other) for one in range(12) for other in range(one)]
    scores = {pair: float(embeddings[pair[0]] @ embeddings[pair[1]]) for pair in pairs}
    authentic = [score for (one, other), score in scores.items() if people[one] == people[other]]
    impostor = [score for (one, other), score in scores.items() if people[one] != people[other]]
    assert accuracy.d_prime_within(embeddings, people) == pytest.approx(d_prime(authentic, impostor))

    names = [f"{person}/{number}" for number, person in enumerate(people)]
    named = [(names[one], names[other]) for one, other in pairs]
    right = [
        sum(score >= threshold for score in authentic) + sum(score < threshold for score in impostor)
        for threshold in (*scores.values(), np.inf)
    ]
    # A pair whose photo has no embedding does not count.
    measured = accuracy.pairs_accuracy(embeddings, names, [*named, ("0/0", "nobody/1")])
    assert measured == pytest.approx(max(right) / len(pairs))


def test_bounds_hold_for_equal_engines_and_break_for_a_worse_one(
    face_paths, bisenet_weights, detector_weights, recogniser, capsys
):
    crops = accuracy.align(face_paths[:4], FaceDetector(detector_weights))
    names = {f"{path.stem.partition('_')[0]}/{path.stem}": crop for path, crop in crops.items()}
    pairs = [(one, other) for one in names for other in names if one < other]
    parser = parser_of(bisenet_weights)

    class Worse:
        preprocessing, output_shape, batch = recogniser.preprocessing, recogniser.output_shape, recogniser.batch

        def __call__(self, photos):
            return recogniser(photos) + np.random.default_rng(0).normal(size=(len(photos), 512)).astype(np.float32)

    verdicts = accuracy.Verdicts()
    accuracy.judge_parser({"photos": [read_photo(face_paths[0])]}, parser, parser, verdicts)
    accuracy.judge_recogniser(crops, names, pairs, [(parser, recogniser)] * 2, verdicts)
    assert verdicts.broken == 0
    assert "BROKEN" not in capsys.readouterr().out
    accuracy.judge_recogniser(crops, names, pairs, [(parser, cast(Engine, Worse())), (parser, recogniser)], verdicts)
    # At the least the three sets of embeddings.
    assert verdicts.broken >= 3
    assert capsys.readouterr().out.count("BROKEN") == verdicts.broken


def test_memory_is_that_of_the_program_alone(tmp_path):
    size = 150 * 2**20
    ballast = bytes(2 * size)  # of this process; it shall not be counted
    program = f"import time; block = b'1' * {size}; time.sleep(1); del block; time.sleep(0.1)"
    usage = memory.watch([sys.executable, "-c", program], tmp_path)
    assert len(ballast) > usage["peak"] > size
    if sys.platform == "linux":
        assert 1.05 * usage["peak"] > usage["level"] > size / 2


def test_a_command_that_fails_ends_the_measurement(tmp_path):
    with pytest.raises(SystemExit, match="no-such-folder"):
        memory.watch(memory.command_for("extract", tmp_path / "no-such-folder", tmp_path / "out", "x"), tmp_path)


def test_the_commands_whose_memory_is_measured_run(tmp_path, face_paths, recogniser_weights):
    material.link_often(face_paths[:1], 2, tmp_path / "photos")
    command = memory.command_for("extract", tmp_path / "photos", tmp_path / "out", str(recogniser_weights))
    usage = memory.watch(command, tmp_path / "home")
    assert 20e6 < usage["peak"] < 3e9
    assert sorted(path.name for path in (tmp_path / "out").glob("*.npy")) == ["000000.npy", "000001.npy"]


@pytest.mark.parametrize("side", subject_sums.SIDES)
def test_matching_is_timed_with_and_without_kernels(side):
    found = subject_sums.run_side(side, subject_sums.make_faces(300, 75))
    assert found["seconds"] > 0
    assert found["peak"] > 50


@pytest.mark.parametrize("random", [False, True])
def test_matching_is_measured_with_and_without_ranks(tmp_path, random):
    source = ranks.write_features(tmp_path / "features", 40, random)
    found = ranks.measure(source, tmp_path, rounds=1)
    assert list(found) == ["without ranks", "with ranks"]
    assert min(min(each[0].values()) for each in found.values()) > 0
    assert ranks.ratio(found, "peak") > 0.5
    assert not (tmp_path / "without ranks" / "CM_ranks.csv").exists()
    rows = (tmp_path / "with ranks" / "CM_ranks.csv").read_text().splitlines()[1:]
    first = [row.split(",")[1] == "1" for row in rows]
    assert len(rows) == 40
    assert (sum(first) < 20) == random
