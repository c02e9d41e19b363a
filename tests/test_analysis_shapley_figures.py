"""Worths of coalitions that scores do not support, and groups that cannot be compared."""

import math

import numpy as np
import pytest

from facepart.analysis.choices import D_PRIME, FMR_RATIO, SHIFT
from facepart.analysis.criteria import Unsupported
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.shapley import Coalitions
from facepart.analysis.shapley_figures import CoalitionWorths, coalition_name, measure_shapley, worths_of
from tests.people_scores import drawn_scores
