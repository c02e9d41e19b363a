"""What all embeddings of a study depend on, and what is said when that changes.

The embeddings of one setting lie in a folder of their own, named after a digest of it, so that nothing is ever mixed
and a setting that is taken back finds its embeddings again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from facepart.files.atomic import write_text
from facepart.files.json_input import read_object
from facepart.files.record import Record
from facepart.networks.catalogue import Weights
from facepart.networks.face_parser import PARSING_RECIPE
from facepart.networks.input_range import INPUT_RECIPE
from facepart.pipeline.parser_choice import ChosenParser

SETTINGS_FILE = "settings.json"
RECOGNISER_CHANGED = "the recogniser"

# Names of settings in words; where several change, the first is named.
_WORDS = {
    "parser": "the parser",
    "parsing_recipe": "the way photos are parsed",
    "recogniser": RECOGNISER_CHANGED,
    "precision": "the precision",
    "flip": "the mirroring",
    "align": "the alignment",
    "calibration": "the photos that calibrate the networks",
    "input": "the way the recogniser's input is prepared",
}
# What occluded photos depend on.
_OF_IMAGES = ("parser", "parsing_recipe", "precision", "calibration", "align")


def embedding_settings(
    parser: Weights | ChosenParser,
    recogniser: Weights,
    detector: Weights | None,
    precision: str,
    flip: bool,
    calibration: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Collect all that an embedding depends on besides the photo and the occlusion, whose recipe the store keeps.

    `calibration` is :attr:`facepart.pipeline.network_files.NetworkFiles.calibration_setting`.
    """
    taken: dict[str, Any] | None = {"deduced": INPUT_RECIPE}  # from a file that the catalogue does not list
    if recogniser.model:
        fit = recogniser.model.preprocessing
        taken = asdict(fit) if fit else None
    return {
        "parser": parser.sha256,
        "parsing_recipe": PARSING_RECIPE,
        "recogniser": recogniser.sha256,
        "precision": precision,
        "flip": flip,
        "align": detector.sha256 if detector else None,
        "input": taken,
        **(calibration or {}),
    }


def image_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of :func:`embedding_settings` that occluded photos depend on, the same for all recognisers."""
    return {key: settings[key] for key in _OF_IMAGES if key in settings}


def recorded_recognisers(record: Record | None) -> list[str]:
    """Return the names of the recognisers in a study's record; none without a record, or if it is another stage's."""
    found = record["settings"].get("recognisers", [record["settings"].get("recogniser")]) if record else []
    named = found if isinstance(found, list) else []
    return [str(each["name"]) for each in named if isinstance(each, dict) and each.get("name")]


def settings_folder(embeddings: Path, settings: Mapping[str, Any]) -> Path:
    """Return the folder below `embeddings` for a setting."""
    text = json.dumps(settings, sort_keys=True)
    return embeddings / hashlib.sha256(text.encode()).hexdigest()[:12]


def open_settings_folders(embeddings: Path, all_settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Make the folder of each setting, one for each recogniser of a study, if need be.

    Returns:
        For each, what has changed since the last run, so that all photos have to be embedded anew; empty if nothing
        has changed, or nothing was there.

    Raises:
        FacepartError: one cannot be made.
    """
    others = sorted(embeddings.glob(f"*/{SETTINGS_FILE}"), key=lambda path: path.stat().st_mtime)
    return [_open_folder(settings_folder(embeddings, settings), settings, others) for settings in all_settings]


def _open_folder(folder: Path, settings: Mapping[str, Any], others: Sequence[Path]) -> str:
    """Make a folder; return what has changed since the last of the other settings."""
    file, reason = folder / SETTINGS_FILE, ""
    if file.exists():
        return ""
    if others:
        before = read_object(others[-1], "a study's settings", "remove it") or {}
        now = json.loads(json.dumps(settings))
        changed = [words for key, words in _WORDS.items() if before.get(key) != now.get(key)]
        reason = changed[0] if changed else "a setting"
    write_text(file, json.dumps(settings, indent=2) + "\n")
    return reason
