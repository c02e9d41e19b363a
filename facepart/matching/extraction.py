"""The network and settings that made a feature, from the ``run.json`` of the extraction."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facepart.errors import FacepartError
from facepart.files.record import RECORD_FILE, read_record

# Settings of an extraction. Features that differ in the first are of different spaces though the network is the
# same; features that differ in the second can be compared, but the difference moves their scores.
_REFUSED = ("colour", "mean", "scale")
_WARNED = ("precision", "device", "flip", "align", "image_size")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExtractionModel:
    """The network that made a feature, as the ``run.json`` of the extraction says.

    Attributes:
        name: the network's.
        sha256: of its weights.
        record: the ``run.json``.
        settings: what else the extraction says of how the features were made; older ones say less.
    """

    name: str
    sha256: str
    record: Path
    settings: Mapping[str, Any]


def find_model(folder: Path, models: dict[Path, ExtractionModel | None]) -> ExtractionModel | None:
    """Find the nearest record of an extraction in `folder` or above; `models` remembers the answers."""
    if folder not in models:
        try:
            record = read_record(folder)
        except FacepartError:
            record = None  # some other program's run.json
        settings = record["settings"] if record and record.get("stage") == "extract" else None
        if record and isinstance(settings, dict) and settings.get("sha256"):
            # The device stands beside the settings, since a run may be resumed on another.
            used = {key: record[key] for key in _WARNED if key in record} | settings
            name, sha256 = str(settings.get("model")), str(settings["sha256"])
            models[folder] = ExtractionModel(name, sha256, folder / RECORD_FILE, used)
        else:
            models[folder] = None if folder == folder.parent else find_model(folder.parent, models)
    return models[folder]


def compare_models(models: Sequence[ExtractionModel]) -> None:
    """Refuse, or warn of, features that were not made as the first were.

    The warning is one, of the first that differs in precision, device, mirroring, alignment or the size of the faces.

    Raises:
        FacepartError: the networks differ, or what they were fed.
    """
    distinct = list({model.record: model for model in models}.values())
    pairs = [(distinct[0], other) for other in distinct[1:]]
    for first, other in pairs:
        if first.sha256 != other.sha256:
            raise FacepartError(
                f"features of different networks cannot be compared: {first.name} ({first.record}) "
                f"and {other.name} ({other.record}); extract all with one"
            )
        differences = _differences(first, other, _REFUSED)
        if differences:
            raise FacepartError(
                f"features of {first.name} with different preprocessing cannot be compared: {differences} "
                f"({first.record} and {other.record}); extract all with the same settings"
            )
    for first, other in pairs:
        differences = _differences(first, other, _WARNED)
        if differences:
            _logger.warning(
                "%s and %s record different extractions: %s; this changes the scores between their features, too",
                *(first.record, other.record, differences),
            )
            return


def _differences(model: ExtractionModel, other: ExtractionModel, keys: Sequence[str]) -> str:
    """Return the settings that both records have and that differ, with their values."""
    common = [key for key in keys if key in model.settings and key in other.settings]
    values = [(key, _shown(key, model.settings[key]), _shown(key, other.settings[key])) for key in common]
    return ", ".join(f"{key} {value} and {other_value}" for key, value, other_value in values if value != other_value)


def _shown(key: str, value: Any) -> str:
    """Return a setting in words; equal words mean that it makes no difference."""
    if key == "device":
        return str(value).partition(":")[0]  # which one of several GPUs does not matter
    if key == "align":
        return f"by {str(value)[:8]}" if value else "no"  # the detector's sha256
    if key == "image_size":
        return "x".join(map(str, value)) if value else "the network's own"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
