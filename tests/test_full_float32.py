"""Products keep all bits of float32, whatever PyTorch or the environment was told before."""

import threading

import pytest
import torch

from facepart import full_float32 as module
from facepart.full_float32 import full_float32

SETTINGS = """
import torch
from facepart.full_float32 import full_float32
products = torch.backends.cuda.matmul
print(products.fp32_precision)
with full_float32():
    print(products.fp32_precision, torch.backends.cudnn.conv.fp32_precision)
print(products.fp32_precision, torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
"""

new_api = pytest.mark.skipif(not hasattr(torch.backends, "fp32_precision"), reason="needs PyTorch 2.9 or later")


@pytest.mark.slow
@new_api
@pytest.mark.parametrize(("override", "before"), [("1", "tf32"), ("0", "none"), (None, "none")])
def test_the_environment_does_not_change_products(run_process, override, before):
    """And the settings, the old flags among them, can be read again afterwards."""
    done = run_process("-c", SETTINGS, TORCH_ALLOW_TF32_CUBLAS_OVERRIDE=override)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == [before, "ieee ieee", f"{before} {before == 'tf32'} True"]


@new_api
def test_convolutions_and_products_run_inside(recwarn):
    """PyTorch raises an error where it meets old and new flags that differ."""
    torch.set_float32_matmul_precision("high")
    try:
        with full_float32():
            torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3))
            torch.nn.Linear(3, 2)(torch.ones(1, 3))
            assert set(module._settings()) == {"ieee"}
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


@new_api
def test_blocks_may_overlap_in_threads():
    """The first block to end does not take its exactness from the other."""
    inside, leave = threading.Event(), threading.Event()

    def work():
        with full_float32():
            inside.set()
            leave.wait(10)

    before = module._settings()
    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    with full_float32():
        pass
    assert set(module._settings()) == {"ieee"}
    leave.set()
    thread.join()
    assert module._settings() == before


def test_older_releases_have_flags_of_their_own(monkeypatch):
    """Releases before 2.9, whose flags this one still takes."""
    monkeypatch.setattr(module, "_has_new_api", lambda: False)
    torch.set_float32_matmul_precision("high")
    try:
        with full_float32():
            assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("highest", False)
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == ("high", True)
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.cuda
def test_products_are_exact_on_cuda():
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        exact = torch.full((64, 64), 1 + 2.0**-20, device="cuda")
        with full_float32():
            assert float((exact @ torch.eye(64, device="cuda"))[0, 0]) == 1 + 2.0**-20
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False
