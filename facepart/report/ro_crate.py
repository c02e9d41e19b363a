"""``ro-crate-metadata.json``: what a study's folder holds and how it was made, for a repository of research data.

A folder with this file is an RO-Crate (Research Object Crate, version 1.1, https://w3id.org/ro/crate/1.1), which
repositories read. The file names no folder of the machine, and no subject.
"""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from facepart.errors import FacepartError
from facepart.files.atomic import encoded, write_if_changed
from facepart.files.json_input import read_object
from facepart.files.record import Record

CRATE_FILE = "ro-crate-metadata.json"

_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_CAUTION = "Check licence and consent before you share it: "
_FACES = _CAUTION + "it shows photos of subjects."

# What a study's folder may hold: name -> media type, and what it is. A folder's name ends with a slash.
CONTENTS: dict[str, tuple[str, str]] = {
    "report.html": ("text/html", "The report. Without --no-faces, it shows photos of subjects: check their licence."),
    "results.csv": ("text/csv", "All results, one row per group, part, occlusion method and comparison."),
    "results.json": ("application/json", "The results with standard errors, rankings and provenance."),
    "results.parquet": ("application/vnd.apache.parquet", "The table of results.csv, with types."),
    "results.tex": ("application/x-tex", "The main ranking as a table for LaTeX."),
    "methods.txt": ("text/plain", "Auto-generated methods text."),
    "differentials.csv": ("text/csv", "Error rates of the groups at each threshold."),
    "shift_differences.csv": ("text/csv", "Differences between the groups' shifts and importances."),
    "shapley.csv": ("text/csv", "Shapley values of the parts."),
    "shapley_interactions.csv": ("text/csv", "Interactions of pairs of parts."),
    "failures.csv": ("text/csv", "Photos that could not be used."),
    "run.json": ("application/json", "Networks with hashes, settings, versions and counts."),
    "figures/": ("", "Figures: the ranking and the score distributions."),
    "matches/": ("", "Exact score distributions, sums by subject and ranks."),
    "embeddings/": ("", _CAUTION + "embeddings are biometric data of the subjects."),
    "features/": ("", _CAUTION + "embeddings are biometric data of the subjects."),
    "average/": ("", _CAUTION + "the average face of the study; that of few subjects shows them."),
    "pictures/": (
        "",
        _CAUTION + "the images of the report as NumPy arrays: the average face, or photos of subjects.",
    ),
    "masks/": ("", "Part masks."),
    "blurred/": ("", _FACES),
    "photos/": ("", _FACES),
}


def write_crate(folder: Path, title: str, record: Record, licences: Mapping[str, str]) -> None:
    """Describe a study's folder, with all that is in it by now, in :data:`CRATE_FILE`.

    Args:
        folder: the study's.
        title: of the study.
        record: its ``run.json``.
        licences: as :func:`crate_json` takes them.

    Raises:
        FacepartError: the file cannot be written.
    """
    path, present = folder / CRATE_FILE, [name for name in CONTENTS if _holds(folder / name)]
    write_if_changed(path, encoded(crate_json(title, present, record, licences, _crate_date(path))))


def crate_json(
    title: str, present: Collection[str], record: Record, licences: Mapping[str, str], published: str
) -> str:
    """Describe a study's folder as an RO-Crate.

    Args:
        title: of the study.
        present: which of :data:`CONTENTS` the folder holds.
        record: the study's ``run.json``.
        licences: network -> the licence of its weights, for those whose licence is known.
        published: the day of publication, ISO 8601: that on which the file is first written.

    Returns:
        JSON-LD, with a line break at the end.
    """
    contents = [_content(name, *CONTENTS[name]) for name in CONTENTS if name in present]
    networks = _networks(record["settings"], licences)
    software = {
        "@id": "#facepart",
        "@type": "SoftwareApplication",
        "name": "facepart",
        "softwareVersion": record["versions"]["facepart"],
    }
    action = {
        "@id": "#study",
        "@type": "CreateAction",
        "name": "facepart study",
        "description": "Parts of the face occluded, faces embedded, and all pairs within each group compared; the "
        f"settings are in run.json. Parts: {', '.join(record['settings']['parts'])}. "
        f"Occlusion methods: {', '.join(record['settings']['methods'])}.",
        "instrument": _links([software, *networks]),
        "result": _links(contents),
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": "A study of which parts of a face a face recogniser relies on. Photos are part of it only "
        "where a description says so.",
        "datePublished": published,
        "license": {"@id": "#licence"},
        "hasPart": _links(contents),
        "mentions": {"@id": "#study"},
    }
    licence = {
        "@id": "#licence",
        "@type": "CreativeWork",
        "name": "Not chosen",
        "description": "Choose a licence before you publish this folder. The terms of the photos' data set and of "
        "the networks may restrict it.",
    }
    descriptor = {
        "@id": CRATE_FILE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _SPECIFICATION},
    }
    graph = [descriptor, root, licence, action, software, *networks, *contents]
    return json.dumps({"@context": f"{_SPECIFICATION}/context", "@graph": graph}, indent=2, ensure_ascii=False) + "\n"


def _content(name: str, media_type: str, text: str) -> dict[str, str]:
    if not media_type:
        return {"@id": name, "@type": "Dataset", "name": name, "description": text}
    return {"@id": name, "@type": "File", "name": name, "encodingFormat": media_type, "description": text}


def _networks(settings: Mapping[str, Any], licences: Mapping[str, str]) -> list[dict[str, str]]:
    """Describe the networks of a study's settings; label maps from a folder are no network."""
    used = [("face parser", settings["parser"]), *(("recogniser", each) for each in settings["recognisers"])]
    used += [("face detector", settings.get("detector") or settings.get("landmarks"))]
    return [
        {
            "@id": f"#{each['sha256']}",
            "@type": "SoftwareApplication",
            "name": each["name"],
            "description": f"The {task}, a neural network.",
            "identifier": f"sha256:{each['sha256']}",
            **({"license": licences[each["name"]]} if each["name"] in licences else {}),
        }
        for task, each in used
        if each and "classes" not in each  # those of label maps in a folder
    ]


def _links(entities: Collection[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{"@id": entity["@id"]} for entity in entities]


def _holds(path: Path) -> bool:
    """Return whether a file is there, or a folder with something in it."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _crate_date(path: Path) -> str:
    """Return the day that a crate bears, so that a rerun does not change it; today, if there is none."""
    try:
        entities = (read_object(path, "an RO-Crate", "remove it") or {})["@graph"]
        (found,) = (str(each["datePublished"]) for each in entities if each["@id"] == "./")
        return date.fromisoformat(found).isoformat()
    except (FacepartError, LookupError, TypeError, ValueError):  # none, or damaged: it is written anew
        return datetime.now(UTC).date().isoformat()
