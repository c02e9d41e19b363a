"""A cluster of ``--ray local``: no other machine can reach it, it connects to none, and nothing is left of it."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.cluster_features import skip_without_ray, write_features
from tests.guard.watching import Guard

# As the system and as Python write it.
LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost")


def test_it_keeps_to_this_machine_and_leaves_nothing(tmp_path, face_paths, recogniser_weights):
    skip_without_ray()
    guard = Guard(tmp_path / "guard", allowed=LOOPBACK)
    write_features(tmp_path / "some", 1, 600)
    (tmp_path / "photos").mkdir()
    for path in face_paths[:2]:
        shutil.copy(path, tmp_path / "photos")
    commands = (
        ("extract", "-s", "photos", "-d", "features", "--model", recogniser_weights),
        ("match", "-p", "some/features.npy", "-gr", "CM", "-o", "matches", "--save", "distribution"),
    )
    # Short, so that Ray's sockets fit in.
    with tempfile.TemporaryDirectory() as temporary:
        for command in commands:
            done = guard.run("-m", "facepart", *command, "--ray", "local", folder=tmp_path, TMPDIR=temporary)
            assert done.returncode == 0, done.stderr
        assert list(Path(temporary).iterdir()) == []
    assert list(guard.home.iterdir()) == []
    assert [attempt for attempt in guard.attempts() if not attempt.startswith("os.fork")] == []
    if not guard.traced:
        pytest.skip("needs strace, with the right to watch processes: what is outside Python is not watched")
    assert guard.addresses() == []
