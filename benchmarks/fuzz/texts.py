"""Lists of paths, lists of pairs and tables of subjects and parts, damaged."""

from pathlib import Path

from benchmarks.fuzz.damages import TEXT
from benchmarks.fuzz.kind import Kind
from facepart.data.labels import names_below
from facepart.data.naming_conventions import naming_rule
from facepart.data.pair_list import read_pair_list
from facepart.data.path_lists import read_list
from facepart.data.subject_table import read_people
from facepart.matching.features import unread_features
from facepart.matching.groups import split_by_people
from facepart.pipeline.parts_table import read_parts_table, write_parts_table


class PathList(Kind):
    """A list of paths."""

    name, family, damages = "list", "lists", TEXT

    def make(self, folder: Path) -> None:
        """Write it."""
        (folder / "list.txt").write_text("".join(f"/data/photos/{row:03}_b\u00e9.jpg\n" for row in range(40)))

    def read(self, folder: Path) -> object:
        """Read it."""
        return read_list(folder / "list.txt")


class LfwPairs(Kind):
    """Pairs in the form of LFW."""

    name, family, damages = "LFW pairs", "pair lists", TEXT

    def make(self, folder: Path) -> None:
        """Write them."""
        authentic = [f"Person_{row}\t1\t{row + 2}\n" for row in range(5)]
        impostor = [f"Person_{row}\t1\tOther_{row}\t2\n" for row in range(5)]
        (folder / "pairs.txt").write_text("2\t5\n" + 2 * "".join(authentic + impostor))

    def read(self, folder: Path) -> object:
        """Read them."""
        found = read_pair_list(folder / "pairs.txt")
        return {key: value for key, value in vars(found).items() if key != "path"}


class TablePairs(LfwPairs):
    """Pairs as a table."""

    name = "table of pairs"

    def make(self, folder: Path) -> None:
        """Write them."""
        rows = [f'a/{row}.jpg,"b, {row}.jpg",{row % 2}\n' for row in range(40)]
        (folder / "pairs.txt").write_text("photo1,photo2,same\n" + "".join(rows))


class People(Kind):
    """A table of subjects and groups."""

    name, family, damages = "table of subjects", "tables", TEXT

    def make(self, folder: Path) -> None:
        """Write it."""
        rows = [f"{row:03}_{shot},{row:03},{'CM' if row % 2 else 'AAF'}\n" for row in range(10) for shot in range(2)]
        (folder / "people.csv").write_text("photo,subject,group\n" + "".join(rows))

    def read(self, folder: Path) -> object:
        """Read it, and choose a group."""
        people = read_people(folder / "people.csv")
        features = [folder / f"{row:03}_{shot}.npy" for row in range(10) for shot in range(2)]
        unread = unread_features(folder, names_below(features), features)
        rule = naming_rule("MORPH")
        chosen = split_by_people(unread, None, people, rule, ["CM"]).groups[0].probe
        subjects = {rule(label) for label in chosen.labels}
        return [path.name for path in chosen.paths], len(subjects), dict(people.groups)


class Parts(Kind):
    """The table of parts."""

    name, family, damages = "parts.csv", "tables", TEXT

    def make(self, folder: Path) -> None:
        """Write it."""
        write_parts_table(folder, {(f"{row:03}", part): 10 * row for row in range(10) for part in ("eyes", "nose")})

    def read(self, folder: Path) -> object:
        """Read it."""
        return read_parts_table(folder)


KINDS: list[Kind] = [PathList(), LfwPairs(), TablePairs(), People(), Parts()]
