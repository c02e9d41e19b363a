"""``run.json``: what made the files beside it.

A record has a ``stage``, the ``settings`` that its outputs depend on (model, hash, precision, recipe), the
``versions`` of what computed them, the ``inputs`` and the ``counts``. It is written when a run starts, so that a
killed run leaves it too, and again with the counts when the run ends. It bears no time and no host name: the
same run gives the same record.
"""

import json
import platform
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from facepart import __version__
from facepart.errors import FacepartError
from facepart.files.atomic import write_text
from facepart.files.json_input import read_object

RECORD_FILE = "run.json"
Record = dict[str, Any]
# Of a setting that is shown, in characters.
_LONGEST = 200


def make_record(
    stage: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, Any],
    packages: tuple[str, ...],
    counts: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> Record:
    """Put together a record.

    Args:
        stage: the stage's name, e.g. ``extract``.
        settings: what the outputs depend on; JSON values only.
        inputs: the run's own inputs and outputs, as they were given.
        packages: the distributions whose versions matter for the result, e.g. ``("numpy", "openvino")``.
        counts: how many files were made, failed and so on; None while the run goes on.
        device: where the network ran, for stages that have one. A folder may be begun on one and finished on another.
    """
    return {
        "stage": stage,
        "settings": dict(settings),
        **({} if device is None else {"device": device}),
        "inputs": {key: str(value) for key, value in inputs.items()},
        "versions": {"facepart": __version__, "python": platform.python_version()}
        | {package: _version(package) for package in packages},
        "counts": None if counts is None else dict(counts),
    }


def write_record(folder: Path, record: Record) -> None:
    """Write `record` to ``run.json`` in `folder`, whole or not at all."""
    write_text(folder / RECORD_FILE, json.dumps(record, indent=2) + "\n")


def read_record(folder: Path) -> Record | None:
    """Read ``run.json`` in `folder`; None where there is none.

    Raises:
        FacepartError: the file is there but is no record.
    """
    path, remedy = folder / RECORD_FILE, "remove it or choose another folder"
    record = read_object(path, "a record of facepart", remedy)
    if record is None:
        return None
    counts = record.get("counts")
    if not isinstance(record.get("settings"), dict) or not isinstance(counts, dict | None):
        raise FacepartError(f"{path}: is not a record of facepart; {remedy}")
    return record


def read_record_of(folder: Path, stage: str) -> Record | None:
    """Read a stage's ``run.json`` in `folder`; None where there is none.

    Raises:
        FacepartError: the file is no record, or of another stage.
    """
    record = read_record(folder)
    if record is not None and record.get("stage") != stage:
        raise FacepartError(f"{folder}: holds the outputs of `{record.get('stage')}`; choose another folder with -o")
    return record


def refuse_other_settings(folder: Path, stage: str, settings: Mapping[str, Any], adding: str = "") -> None:
    """Refuse to add to outputs that were made with other settings.

    Without this, a folder could hold features of two models, which no later stage can tell apart.

    Args:
        folder: where the record is.
        stage: the stage's name.
        settings: of the run that begins.
        adding: one of the settings, a mapping, to which runs may add; see :func:`with_earlier`.

    Raises:
        FacepartError: `folder` has a record of another stage or of other settings; the message names the first
            setting that differs.
    """
    difference = _difference(read_record(folder), stage, settings, adding)
    if difference:
        raise FacepartError(f"{folder}: {difference}; choose another folder, or redo everything with --overwrite")


def with_earlier(folder: Path, key: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Add to one of a run's settings, a mapping, what an earlier run in `folder` had there besides.

    A folder thus remembers each recipe that some of its outputs were made by, and a run that adds to it is compared
    with those it has in common.
    """
    earlier = read_record(folder)
    before = earlier["settings"].get(key) if earlier else None
    return {**settings, key: {**(before if isinstance(before, dict) else {}), **settings[key]}}


def remove_outdated(
    folder: Path,
    stage: str,
    settings: Mapping[str, Any],
    outputs: Collection[Path],
    there: Iterable[Path],
    derived: Collection[str] = (),
    adding: str = "",
) -> None:
    """Before outputs are made anew with other settings, remove those that are there.

    A run that is stopped halfway would else leave outputs of both settings under one record. With the same settings,
    nothing is removed.

    Args:
        folder: where the record is.
        stage: the stage's name.
        settings: of the run that begins.
        outputs: the files that it will write.
        there: the files of its kind that `folder` holds.
        derived: keys of settings, in any depth, that follow from the photos of the run. If only these differ, outputs
            that the run will not write are of photos that have left it, and are removed, too.
        adding: see :func:`refuse_other_settings`.

    Raises:
        FacepartError: `folder` holds the outputs of another stage, or outputs that this run will not make anew.
    """
    earlier = read_record(folder)
    if not _difference(earlier, stage, settings, adding):
        return
    outdated = list(there)
    foreign = [path for path in outdated if path not in outputs]
    if foreign and _difference(_without(earlier, derived), stage, _without(settings, derived), adding):
        raise FacepartError(
            f"{folder}: holds outputs of other settings that this run would not redo, such as "
            f"{foreign[0].relative_to(folder)}; choose another folder, or remove them first"
        )
    for path in outdated:
        path.unlink()


def _difference(earlier: Record | None, stage: str, settings: Mapping[str, Any], adding: str = "") -> str:
    """Say what a folder's record has that a run has not; empty where they go together."""
    if earlier is None:
        return ""
    if earlier.get("stage") != stage:
        return f"holds the outputs of `{earlier.get('stage')}`"
    # Through JSON, so that tuples and lists, and numbers of either kind, compare as they are stored.
    for key, now in json.loads(json.dumps(dict(settings))).items():
        before = earlier["settings"].get(key)
        if key == adding and isinstance(before, dict):
            before, now = ({name: each[name] for name in before.keys() & now.keys()} for each in (before, now))
        if before != now:
            return f"was made with {key} {_shown(before)}, this run has {_shown(now)}"
    return ""


def _without(value: Any, keys: Collection[str]) -> Any:
    """Return a JSON value without some keys of the mappings in it, in any depth."""
    if isinstance(value, Mapping):
        return {key: _without(each, keys) for key, each in value.items() if key not in keys}
    return [_without(each, keys) for each in value] if isinstance(value, list | tuple) else value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
