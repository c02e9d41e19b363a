"""Which recogniser a run uses: the one that is named, else that of the earlier run in its folder, else the default.

The default is the original study's recogniser if it lies where the original has it; otherwise the best of
:data:`FREE_RECOGNISERS` that is on this machine, and if none is, the best that can be fetched. A recogniser on this
machine comes before a better one that would have to be fetched: a run without a network does not wait for one, and
an update of facepart does not change what a machine computes.
"""

import logging
from dataclasses import dataclass

from facepart.errors import FacepartError
from facepart.networks.catalogue.entries import catalogue, model
from facepart.networks.catalogue.folders import local_folders
from facepart.networks.catalogue.lookup import USABLE, is_whole, look_up
from facepart.networks.catalogue.weights import Weights, obtain

STUDY_RECOGNISER = "arcface-r100"
# Without restrictions on their use, the most accurate first: docs/models.md has their error rates on LFW.
FREE_RECOGNISERS = ("sface", "faceplugin")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChosenRecogniser:
    """The recogniser of a run.

    Attributes:
        weights: its weights.
        note: a line for the user that says which it is and why; empty if the user named it.
    """

    weights: Weights
    note: str = ""


def choose_recogniser(named: str | None = None, earlier: str | None = None) -> ChosenRecogniser:
    """Choose the recogniser of a run, and fetch it if it is not on this machine.

    Args:
        named: a name of the catalogue, or a path, see :func:`facepart.networks.catalogue.weights.obtain`; None if the
            user names none.
        earlier: the name of the recogniser that the run's folder was made with, from its record; None if there is no
            record. A name that is not in the catalogue, such as that of a file, is ignored.

    Raises:
        UsageError: there is no such model, or it is not a recogniser.
        FacepartError: the path has no weights, or the recogniser can be neither found nor fetched.
    """
    if named is not None:
        return ChosenRecogniser(obtain(named, "recogniser"))
    known = catalogue().get(earlier or "")
    if known is not None and known.task == "recogniser":
        return _continue_with(known.name)
    name = default_recogniser()
    if name in FREE_RECOGNISERS and not _is_here(name):
        return _fetch_free()
    return ChosenRecogniser(obtain(name, "recogniser"), f"recogniser: {name} ({_why_default(name)})")


def default_recogniser() -> str:
    """Return the name of the default recogniser; nothing is fetched.

    That is the original study's if its weights are in ``insightface/models/model-r100-ii``, otherwise the first of
    :data:`FREE_RECOGNISERS` that is on this machine. If none is, it is the first of them.
    """
    place = model(STUDY_RECOGNISER).locations[0]
    if any(is_whole(folder / place) for folder in local_folders()):
        return STUDY_RECOGNISER
    return next(filter(_is_here, FREE_RECOGNISERS), FREE_RECOGNISERS[0])


def _continue_with(name: str) -> ChosenRecogniser:
    """Return the recogniser that a folder was made with."""
    try:
        weights = obtain(name, "recogniser")
    except FacepartError as error:
        raise FacepartError(
            f"the earlier run in this folder used {name}; to use another recogniser, give --model: {error}"
        ) from error
    default = default_recogniser()
    other = "" if default == name else f"; the default is {default}: --model {default}"
    return ChosenRecogniser(weights, f"recogniser: {name} (as in the earlier run in this folder{other})")


def _why_default(name: str) -> str:
    """Say why a recogniser on this machine is the default."""
    best = FREE_RECOGNISERS[0]
    if name == STUDY_RECOGNISER:
        return "default: the original study's is on this machine"
    return "default" if name == best else f"default on this machine; more accurate: `facepart models fetch {best}`"


def _fetch_free() -> ChosenRecogniser:
    """Return the best free recogniser that can be fetched.

    Raises:
        FacepartError: none can.
    """
    failures: list[str] = []
    for name in FREE_RECOGNISERS:
        try:
            weights = obtain(name, "recogniser")
        except FacepartError as error:
            failures.append(str(error))
            continue
        for failure in failures:
            _logger.warning("%s", failure)
        why = f"default, because {FREE_RECOGNISERS[0]} cannot be fetched" if failures else "default"
        return ChosenRecogniser(weights, f"recogniser: {name} ({why})")
    raise FacepartError(" ".join(f"{failure}." for failure in failures).removesuffix("."))


def _is_here(name: str) -> bool:
    return any(found.state in USABLE for found in look_up(model(name)))
