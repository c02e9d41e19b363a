"""What all embeddings of a study depend on, and what is said when that changes.

The embeddings of one setting lie in a folder of their own, named after a digest of it, so that nothing is ever mixed
and a setting that is taken back finds its embeddings again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from facepart.files.atomic import write_text
from facepart.files.json_input import read_object
from facepart.files.record import Record
from facepart.networks.catalogue import Weights
from facepart.networks.face_parser import PARSING_RECIPE
from facepart.networks.input_range import INPUT_RECIPE

SETTINGS_FILE = "settings.json"

# Names of settings in words; where several change, the first is named.
_WORDS = {
    "parser": "the parser",
    "parsing_recipe": "the way photos are parsed",
    "recogniser": "the recogniser",
    "precision": "the precision",
    "flip": "the mirroring",
    "align": "the alignment",
    "input": "the way the recogniser's input is prepared",
}


def embedding_settings(
    parser: Weights, recogniser: Weights, detector: Weights | None, precision: str, flip: bool
) -> dict[str, Any]:
    """Collect all that an embedding depends on besides the photo and the occlusion, whose recipe the store keeps."""
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
    }


def recorded_recogniser(record: Record | None) -> str | None:
    """Return the name of the recogniser in a study's record; None without a record, or if it is another stage's."""
    recogniser = record["settings"].get("recogniser") if record else None
    return recogniser.get("name") if isinstance(recogniser, dict) else None


def settings_folder(embeddings: Path, settings: Mapping[str, Any]) -> Path:
    """Return the folder below `embeddings` for a setting."""
    text = json.dumps(settings, sort_keys=True)
    return embeddings / hashlib.sha256(text.encode()).hexdigest()[:12]


def open_settings_folder(embeddings: Path, settings: Mapping[str, Any]) -> tuple[Path, str]:
    """Make the folder for a setting if need be.

    Returns:
        The folder, and why all photos have to be embedded anew; empty if nothing has changed, or nothing was there.

    Raises:
        FacepartError: it cannot be made.
    """
    folder = settings_folder(embeddings, settings)
    file = folder / SETTINGS_FILE
    if file.exists():
        return folder, ""
    reason = ""
    others = sorted(embeddings.glob(f"*/{SETTINGS_FILE}"), key=lambda path: path.stat().st_mtime)
    if others:
        before = read_object(others[-1], "a study's settings", "remove it") or {}
        now = json.loads(json.dumps(settings))
        changed = [words for key, words in _WORDS.items() if before.get(key) != now.get(key)]
        reason = f"{changed[0] if changed else 'a setting'} has changed"
    write_text(file, json.dumps(settings, indent=2) + "\n")
    return folder, reason
