"""A name -> weights on disk, verified; with their licence and what the network takes.

``catalogue.toml`` lists the networks. :func:`obtain` is the way in for the stages: it takes what the user typed.
"""

from facepart.files.cache import cache_folder
from facepart.models.entries import DEFAULT_PARSER, DETECTOR, Model, Source, catalogue, model
from facepart.models.fetching import fetch
from facepart.models.lookup import default_recogniser, find
from facepart.models.weights import Weights, obtain, obtain_again

__all__ = [
    "DEFAULT_PARSER",
    "DETECTOR",
    "Model",
    "Source",
    "Weights",
    "cache_folder",
    "catalogue",
    "default_recogniser",
    "fetch",
    "find",
    "model",
    "obtain",
    "obtain_again",
]
