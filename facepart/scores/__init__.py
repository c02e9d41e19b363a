"""Scores between the stages: what the matcher counts, the metrics measure and the plots show."""

from facepart.scores.distribution import STEPS, ScoreDistribution
from facepart.scores.files import GroupScores, load_scores, save_scores
from facepart.scores.score_input import read_both, read_kind

__all__ = ["STEPS", "GroupScores", "ScoreDistribution", "load_scores", "read_both", "read_kind", "save_scores"]
