"""The whole experiment: from photos to the answer and its report.

``run_study(Request(source, output))`` is all that the command does; ``read_study(output)`` reads its results back.
"""

from facepart.study.experiment import StudyOutcome, run_study
from facepart.study.finished_study import StudyTables, read_study
from facepart.study.request import Request

__all__ = ["Request", "StudyOutcome", "StudyTables", "read_study", "run_study"]
