"""Why work on a cluster failed, in one line."""

import pytest

from facepart.cluster.nodes import why
from facepart.errors import FacepartError, UsageError


class TaskError(Exception):
    """As Ray's: holds the error that the work raised."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("of many\nlines")
        self.cause = cause


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (FacepartError("a.npy: is damaged"), "--ray: a.npy: is damaged"),
        (UsageError("--device cuda: is not there"), "--ray: --device cuda: is not there"),
        (MemoryError("too much\nof it"), "--ray: a worker failed (MemoryError: too much)"),
        *(
            (
                ModuleNotFoundError(f"No module named '{module}'"),
                "--ray: a node of the cluster cannot import facepart; install the same version on every node",
            )
            for module in ("facepart", "facepart.cluster", "torch")
        ),
    ],
)
def test_the_reason_is_that_of_the_work(cause: Exception, said: str) -> None:
    found = why(TaskError(cause))
    assert str(found) == said
    assert type(found) is (UsageError if isinstance(cause, UsageError) else FacepartError)


def test_an_error_of_ray_itself_is_named() -> None:
    assert str(why(RuntimeError("the cluster\nis gone"))) == "--ray: a worker failed (RuntimeError: the cluster)"
