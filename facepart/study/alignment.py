"""Whether a study's photos are aligned: by the study, by `facepart align` before it, or not at all."""

from contextlib import suppress
from pathlib import Path

from facepart.errors import FacepartError
from facepart.files.record import read_record
from facepart.networks.alignment_check import find_misalignment
from facepart.networks.catalogue import DETECTOR
from facepart.report.methods import NetworkFacts
from facepart.study.setup import Setup


def aligned_before(source: Path) -> NetworkFacts | None:
    """Return the detector with which `facepart align` made the photos in a folder; None if it did not make them."""
    with suppress(FacepartError):  # a run.json that is none of ours
        record = read_record(source)
        if record and record.get("stage") == "align" and not (record.get("counts") or {}).get("given"):
            return NetworkFacts(DETECTOR, str(record["settings"].get("detector")))
    return None


def misalignment_of_sample(setup: Setup) -> str:
    """Say why one of the photos is no aligned crop; empty if it may be one, or photos are aligned by the study."""
    if setup.detector:
        return ""
    return find_misalignment(setup.members.of(setup.photos)[0])
