"""What is told of a cluster that cannot be had, and that nothing of Ray is there unless it is asked for."""

import socket
from contextlib import nullcontext
from pathlib import Path

import pytest

from facepart.cli import main
from facepart.cluster.connect import connect
from facepart.errors import FacepartError
from tests.cluster_features import skip_without_ray, write_features
from tests.conftest import Run


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_features(tmp_path_factory.mktemp("features") / "some", 1, 600)


@pytest.mark.slow
def test_without_the_option_ray_is_not_imported(features: Path, tmp_path: Path, run_process: Run) -> None:
    script = (
        "import sys; from facepart.cli import main\n"
        "import facepart.cluster.connect, facepart.cluster.ray_pair_counter\n"
        f"assert main(['match', '-p', {str(features)!r}, '-gr', 'CM', '-o', {str(tmp_path)!r}]) == 0; "
        "assert not [name for name in sys.modules if name.split('.')[0] == 'ray']"
    )
    done = run_process("-c", script)
    assert done.returncode == 0, done.stderr


def test_few_pairs_are_written_here_and_that_is_said(features: Path, tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr("facepart.cluster.connect.connect", lambda address: nullcontext())
    assert main(["match", "-p", str(features), "-gr", "CM", "-o", str(tmp_path), "--ray", "local"]) == 0
    assert "this machine counted and wrote them" in caplog.text
    assert (tmp_path / "CM_impostor.npy").exists()


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--ray", "local", "--save", "both"], 2, "leave out --ray or --save both"),
        (["--ray", "local", "--device", "cuda"], 2, "leave out --ray or --device cuda"),
        (["--ray", "somewhere"], 2, "give auto, local, HOST:6379 or ray://HOST:10001"),
        (["--ray", "ray://somewhere:99999"], 2, "give auto, local, HOST:6379 or ray://HOST:10001"),
        (["--ray", "127.0.0.1:{port}"], 1, "there is no cluster (Connection refused)"),
        (["--ray", "ray://127.0.0.1:{port}"], 1, "there is no cluster (Connection refused)"),
    ],
)
def test_errors_are_reported_in_one_line(
    options, status: int, said: str, features: Path, tmp_path: Path, capsys
) -> None:
    skip_without_ray()
    with socket.socket() as taken:  # nothing listens there, and nobody else will
        taken.bind(("127.0.0.1", 0))
        filled = [option.format(port=taken.getsockname()[1]) for option in options]
        assert main(["match", "-p", str(features), "-gr", "CM", "-o", str(tmp_path / "out"), *filled]) == status
    told = capsys.readouterr().err
    assert said in told
    assert told.startswith("facepart: ")
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_ray_the_message_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr("facepart.cluster.connect.find_spec", lambda name: None)
    with pytest.raises(FacepartError, match=r"pip install facepart\[ray\]"), connect("local"):
        pass
