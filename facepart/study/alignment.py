"""Whether a study's photos are aligned: by the study, by `facepart align` before it, or not at all."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from facepart.errors import FacepartError
from facepart.files.record import read_record
from facepart.networks.alignment_check import find_misalignment
from facepart.networks.catalogue import DETECTOR
from facepart.report.methods import NetworkFacts
from facepart.study.setup import Setup


class AlignedBefore(NamedTuple):
    """How `facepart align` made the photos in a folder.

    Attributes:
        detector: what found the landmarks that were not given.
        given: photos whose landmarks were given.
        several: photos with several faces.
    """

    detector: NetworkFacts
    given: int
    several: int


def aligned_before(source: Path) -> AlignedBefore | None:
    """Return how `facepart align` made the photos in a folder; None if it did not make them."""
    with suppress(FacepartError, ValueError, TypeError):  # a run.json that is none of ours
        record = read_record(source)
        if record and record.get("stage") == "align":
            counts = record.get("counts") or {}
            detector = NetworkFacts(DETECTOR, str(record["settings"].get("detector")))
            return AlignedBefore(detector, *(int(counts.get(name, 0)) for name in ("given", "several")))
    return None


def misalignment_of_sample(setup: Setup) -> str:
    """Say why one of the photos is no aligned crop; empty if it may be one, or photos are aligned by the study."""
    if setup.detector:
        return ""
    return find_misalignment(setup.members.of(setup.photos)[0])
