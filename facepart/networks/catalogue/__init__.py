"""A name -> weights on disk, verified; with their licence and the input of the network.

``catalogue.toml`` lists the networks. Commands call :func:`obtain` with the name or path that the user typed.
"""

from facepart.files.cache import cache_folder
from facepart.networks.catalogue.entries import DEFAULT_PARSER, DETECTOR, Model, Source, catalogue, model
from facepart.networks.catalogue.fetching import fetch
from facepart.networks.catalogue.lookup import find
from facepart.networks.catalogue.recogniser_choice import ChosenRecogniser, choose_recogniser, default_recogniser
from facepart.networks.catalogue.weights import Weights, obtain, obtain_on_worker

__all__ = [
    "DEFAULT_PARSER",
    "DETECTOR",
    "ChosenRecogniser",
    "Model",
    "Source",
    "Weights",
    "cache_folder",
    "catalogue",
    "choose_recogniser",
    "default_recogniser",
    "fetch",
    "find",
    "model",
    "obtain",
    "obtain_on_worker",
]
