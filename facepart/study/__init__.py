"""The whole experiment: from photos to the answer and its report.

``run_study(Request(source, output))`` is all that the command does.
"""

from facepart.study.experiment import StudyOutcome, run_study
from facepart.study.request import Request

__all__ = ["Request", "StudyOutcome", "run_study"]
