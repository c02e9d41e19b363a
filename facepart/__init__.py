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

if TYPE_CHECKING:
    from facepart.analysis.metrics import d_prime, eer, fmr, fnmr, kolmogorov_smirnov, threshold_at_fmr
    from facepart.arrays import align_faces, embed_faces, match, occlude, parse_faces, roc
    from facepart.errors import FacepartError, UsageError
    from facepart.study import Request, StudyOutcome, StudyTables, read_study, run_study

__version__ = "0.2.0"

# Public name -> its module.
_HOMES = {
    "FacepartError": "errors",
    "Request": "study.request",
    "StudyOutcome": "study.experiment",
    "StudyTables": "study.finished_study",
    "UsageError": "errors",
    "align_faces": "arrays",
    "d_prime": "analysis.metrics",
    "eer": "analysis.metrics",
    "embed_faces": "arrays",
    "fmr": "analysis.metrics",
    "fnmr": "analysis.metrics",
    "kolmogorov_smirnov": "analysis.metrics",
    "match": "arrays",
    "occlude": "arrays",
    "parse_faces": "arrays",
    "read_study": "study.finished_study",
    "roc": "arrays",
    "run_study": "study.experiment",
    "threshold_at_fmr": "analysis.metrics",
}

__all__ = [
    "FacepartError",
    "Request",
    "StudyOutcome",
    "StudyTables",
    "UsageError",
    "__version__",
    "align_faces",
    "d_prime",
    "eer",
    "embed_faces",
    "fmr",
    "fnmr",
    "kolmogorov_smirnov",
    "match",
    "occlude",
    "parse_faces",
    "read_study",
    "roc",
    "run_study",
    "threshold_at_fmr",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
