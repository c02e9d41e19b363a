"""What runs keep: records, settings, what was compared, finished photos, hashes, locks; damaged."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.fuzz.arrays import NAMES, put_features, put_store
from benchmarks.fuzz.damages import JSON, TEXT, ZIP
from benchmarks.fuzz.kind import Kind
from benchmarks.fuzz.photos import photo
from facepart.analysis.design import BASELINE_CONDITION, Cell
from facepart.data.photo_input import read_photo
from facepart.data.photos import find_photos
from facepart.files.addresses import ExistingPaths
from facepart.files.atomic import write_text
from facepart.files.lock import LOCK_FILE, output_lock
from facepart.files.record import make_record, read_record, refuse_other_settings, with_earlier, write_record
from facepart.matching.match import match_features
from facepart.networks.catalogue.hashes import record, recorded
from facepart.pipeline.finished_photos import FINISHED_FILE, FinishedPhotos
from facepart.study.comparisons import Comparisons, read_scores
from facepart.study.settings import open_settings_folders

_SETTINGS = {"model": "net", "sha256": "a1", "mean": (1.0, 2.5), "align": None, "recipes": {"eyes": {"sigma": 5}}}


class Record(Kind):
    """The record of a run."""

    name, family, damages = "run.json", "records", JSON

    def make(self, folder: Path) -> None:
        """Write it."""
        write_record(folder, make_record("blur", _SETTINGS, {"source": "photos"}, ("numpy",), {"made": 5}))

    def read(self, folder: Path) -> object:
        """Read it, as a run does that adds to the folder."""
        refuse_other_settings(folder, "blur", _SETTINGS)
        return read_record(folder), with_earlier(folder, "recipes", {"recipes": {"nose": {"sigma": 5}}})


class MatchRecord(Kind):
    """The record of a folder of features, read by the matcher, and of the folder that it writes to."""

    name, family, damages = "run.json of features", "records", JSON
    victims: ClassVar[tuple[str, ...]] = ("f/run.json", "m/run.json")

    def make(self, folder: Path) -> None:
        """Write both."""
        (folder / "f").mkdir()
        match_features(put_features(folder / "f"), None, folder / "m", "A", dataset="MORPH")

    def read(self, folder: Path) -> object:
        """Match again."""
        match_features(folder / "f" / "list.txt", None, folder / "m", "A", dataset="MORPH")
        return {path.name: path.read_bytes() for path in (folder / "m").iterdir() if path.suffix in (".npz", ".npy")}


class Settings(Kind):
    """The settings of a study."""

    name, family, damages = "settings.json", "records", JSON
    share = 0.5

    def make(self, folder: Path) -> None:
        """Write them."""
        settings = {"parser": "a", "precision": "fp32", "align": None, "input": {"mean": [1, 2]}}
        open_settings_folders(folder, [settings])

    def read(self, folder: Path) -> object:
        """Open the folder of other settings."""
        return open_settings_folders(folder, [{"parser": "b", "precision": "fp32"}])


class Finished(Kind):
    """The finished photos of a folder."""

    name, family, damages, victims = FINISHED_FILE, "records", JSON, (f"out/{FINISHED_FILE}",)

    def make(self, folder: Path) -> None:
        """Write them, beside the photos."""
        for part in ("in", "out"):
            (folder / part).mkdir()
            for name in ("a", "b"):
                photo().save(folder / part / f"{name}.png")
        lines = {name: ["", "", {"eyes": (folder / "out" / f"{name}.png").stat().st_size}] for name in ("a", "b")}
        write_text(folder / "out" / FINISHED_FILE, json.dumps({"photos": lines}))

    def read(self, folder: Path) -> object:
        """Ask which are finished, and write them again."""
        finished = FinishedPhotos(folder / "out")
        existing = ExistingPaths([folder / "out"])
        photos, _ = find_photos(folder / "in")
        found = [finished.holds(each, {"eyes": folder / "out" / f"{each.name}.png"}, existing) for each in photos]
        finished.save()
        return found


class FinishedOutput(Finished):
    """The outputs of finished photos."""

    name, family, damages, victims = "finished outputs", "photos", Kind.damages, ("out/a.png",)
    share = 0.5

    def read(self, folder: Path) -> object:
        """Ask which are finished; a cut one is not."""
        return super().read(folder), read_photo(folder / "out" / "b.png")


_CELL = Cell("net", BASELINE_CONDITION, "CM")
_NAMING: Mapping[str, Any] = {"dataset": "MORPH", "subject_pattern": None, "exclude_same": None}


class Compared(Kind):
    """What a study has compared: compared.json, which holds a CRC-32 of each file beside it."""

    name, family, damages = "compared.json", "records", JSON
    folder = "s/matches/baseline"
    victims: ClassVar[tuple[str, ...]] = (f"{folder}/compared.json",)

    def make(self, folder: Path) -> None:
        """Compare once."""
        self._compare(folder)

    def read(self, folder: Path) -> object:
        """Compare again, if need be, and read the scores."""
        self._compare(folder)
        names = (f"CM_{what}" for what in ("scores.npz", "people.npz", "ranks.csv"))
        return read_scores(folder / "s" / "matches", BASELINE_CONDITION, "CM"), [
            (folder / self.folder / name).read_bytes() for name in names
        ]

    def could_tell(self, folder: Path, victim: str) -> bool:
        """Return True: scores that do not have the sums that are recorded are compared anew."""
        return True

    def _compare(self, folder: Path) -> None:
        Comparisons(
            folder / "s" / "matches", put_store(folder / "e"), {}, _NAMING, keep_pairs=False, counter=None
        ).run(_CELL, NAMES, 1.0)


class ComparedScores(Compared):
    """The scores of a study."""

    name, damages, family = "scores of a study", ZIP, "scores"
    victims = tuple(f"{Compared.folder}/CM_{what}.npz" for what in ("scores", "people"))


class ComparedRanks(Compared):
    """The ranks of a study."""

    name, damages, family, share = "ranks of a study", TEXT, "tables", 0.5
    victims: ClassVar[tuple[str, ...]] = (f"{Compared.folder}/CM_ranks.csv",)


class Hashes(Kind):
    """The hashes of weights in the cache."""

    name, family, damages, share = "hashes.json", "records", JSON, 0.5

    def make(self, folder: Path) -> None:
        """Record a hash."""
        record("net", "a1" * 32)

    def read(self, folder: Path) -> object:
        """Read it, and record another."""
        found = recorded("net")
        record("other", "b2" * 32)
        return found


class Lock(Kind):
    """What a killed run leaves of its lock."""

    name, family, damages, share = "lock", "records", JSON, 0.5

    def make(self, folder: Path) -> None:
        """Write a lock of a process that is gone."""
        holder = {"process": 1, "host": "h", "boot": "b", "started": "5", "command": "facepart", "since": "now"}
        (folder / LOCK_FILE).write_text(json.dumps(holder))

    def read(self, folder: Path) -> object:
        """Take the lock over."""
        with output_lock(folder):
            return True


KINDS: list[Kind] = [
    *(
        Record(),
        MatchRecord(),
        Settings(),
        Finished(),
        FinishedOutput(),
        Compared(),
        ComparedScores(),
        ComparedRanks(),
    ),
    *(Hashes(), Lock()),
]
