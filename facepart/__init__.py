"""Which parts of a face does a face recogniser rely on?

The names below work on arrays and return arrays or small records; each loads what it needs when it is first used.

>>> import facepart
>>> scores = facepart.match([[1, 0], [3, 4], [0, 2]], ["ann", "ann", "bob"])
>>> scores.authentic.mean, scores.impostor.n
(0.6, 2)

The packages, in the order in which data flows; each imports only those before it:

``files``, ``data``
    whole files or none, records; photos, lists, subjects
``networks``
    weights, engines, face parser, recognisers, face detector
``occlusion``
    photo + label map -> occluded photos
``pipeline``
    photos -> label maps, occluded photos, embeddings
``scores``, ``matching``
    embeddings + subjects -> authentic and impostor scores
``analysis``
    scores -> metrics, intervals, rankings, groups compared
``plots``, ``report``
    figures -> PNG and SVG; a page
``study``
    the whole experiment
``cluster``
    the same on several machines, by Ray
``demo``, ``cli``
    photographs for a first study; the commands
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `as`: type checkers then know that a name is public
    from facepart.analysis.metrics import d_prime as d_prime
    from facepart.analysis.metrics import eer as eer
    from facepart.analysis.metrics import fmr as fmr
    from facepart.analysis.metrics import fnmr as fnmr
    from facepart.analysis.metrics import kolmogorov_smirnov as kolmogorov_smirnov
    from facepart.analysis.metrics import threshold_at_fmr as threshold_at_fmr
    from facepart.arrays import align_faces as align_faces
    from facepart.arrays import embed_faces as embed_faces
    from facepart.arrays import match as match
    from facepart.arrays import occlude as occlude
    from facepart.arrays import parse_faces as parse_faces
    from facepart.arrays import roc as roc
    from facepart.errors import FacepartError as FacepartError
    from facepart.errors import UsageError as UsageError
    from facepart.study.experiment import StudyOutcome as StudyOutcome
    from facepart.study.experiment import run_study as run_study
    from facepart.study.finished_study import StudyTables as StudyTables
    from facepart.study.finished_study import read_study as read_study
    from facepart.study.request import Request as Request

__version__ = "0.2.0"

# Module -> the public names that come from it when they are first used.
_HOMES = {
    "analysis.metrics": ("d_prime", "eer", "fmr", "fnmr", "kolmogorov_smirnov", "threshold_at_fmr"),
    "arrays": ("align_faces", "embed_faces", "match", "occlude", "parse_faces", "roc"),
    "errors": ("FacepartError", "UsageError"),
    "study.experiment": ("StudyOutcome", "run_study"),
    "study.finished_study": ("StudyTables", "read_study"),
    "study.request": ("Request",),
}
__all__ = sorted(["__version__", *(name for names in _HOMES.values() for name in names)])


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            globals()[name] = found = getattr(import_module(f"{__name__}.{module}"), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
