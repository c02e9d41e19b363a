"""The four stages on the demo's photos, through the runners of the four commands; see :func:`run_stages`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from facepart.errors import FacepartError
from facepart.files.progress import Progress, silent
from facepart.images import Photo, find_photos, read_photo
from facepart.matching.run import match
from facepart.occlusion import blur_photos
from facepart.parts import PARTS, choose_parts
from facepart.plots import ScoreSet, contact_sheet, plot
from facepart.plots.run import save_figure
from facepart.plots.statistics import set_statistics
from facepart.recognition.run import extract_features
from facepart.scores import load_scores
from facepart.subjects import naming_rule

ORIGINAL = "original"

_GROUP = "demo"
_SHEET_ROWS = 6

# Called with the name of what begins and the unit it counts in; gives the callable that its progress is told to.
Stage = Callable[[str, str], AbstractContextManager[Progress]]


@contextmanager
def silent_stage(_name: str, _unit: str) -> Iterator[Progress]:
    """Tell nobody; the default of :func:`run_stages`."""
    yield silent


@dataclass(frozen=True)
class PartFigures:
    """How the scores moved when a part was blurred.

    Attributes:
        part: which one.
        authentic: mean authentic score with the part blurred.
        impostor: mean impostor score with the part blurred.
        impostor_shift: that mean less the one of the original photos.
        d_prime: of the scores with the part blurred.
        missing: photos in which the part was not found, and which therefore stayed as they were.
    """

    part: str
    authentic: float
    impostor: float
    impostor_shift: float
    d_prime: float
    missing: int


@dataclass(frozen=True)
class DemoOutcome:
    """What the stages found.

    Attributes:
        photos: how many.
        people: how many.
        model: the recogniser's name.
        authentic: mean authentic score of the original photos.
        impostor: mean impostor score of the original photos.
        d_prime: of the scores of the original photos.
        parts: the figures of each part.
        plots: the folder with a histogram a part, original against blurred, and the contact sheet.
    """

    photos: int
    people: int
    model: str
    authentic: float
    impostor: float
    d_prime: float
    parts: list[PartFigures]
    plots: Path

    @property
    def most_moved(self) -> PartFigures:
        """The part whose blurring moved the mean impostor score most, up or down."""
        return max(self.parts, key=lambda figures: abs(figures.impostor_shift))


def run_stages(
    folder: Path,
    *,
    dataset: str = "MORPH",
    parts: Sequence[str] = tuple(PARTS),
    device: str = "auto",
    note: str = "",
    stage: Stage = silent_stage,
) -> DemoOutcome:
    """Blur, extract, match and plot the photos in ``photos`` of a folder.

    Writes ``masks``, ``blurred``, ``features/original`` and ``features/blurred_<part>``, ``matches/original`` and
    ``matches/blurred_<part>``, and ``plots`` into `folder`, each as the command of its stage does; what is there
    already is not made again. Scores are of photos in one condition among themselves: blurred against blurred.

    Args:
        folder: where ``photos`` is, and the outputs go.
        dataset: the naming rule that tells who is on a photo.
        parts: which parts to blur.
        device: see :func:`facepart.engines.open_engine`.
        note: what the plots' titles say of the photos; nothing by default.
        stage: called with the name of each stage, and the unit it counts in, when it begins.

    Raises:
        FacepartError: all photos show one person, or no person has two; or as the runners do.
    """
    chosen = choose_parts(parts)
    photos, _ = find_photos(folder / "photos")
    people = one_a_person(photos, dataset)
    if len(people) in (1, len(photos)):
        whose = f"of one person, {next(iter(people))!r}" if len(people) == 1 else "each of another person"
        raise FacepartError(
            f"{folder / 'photos'}: by the naming rule {dataset} the photos are {whose}; scores need two people, and "
            "one of them twice: try another -d, or add photos"
        )
    with stage("blur", "photo") as progress:
        blurred = blur_photos(
            folder / "photos", folder / "masks", folder / "blurred", parts=chosen, device=device, progress=progress
        )
    with stage("extract and match", "condition") as progress:
        original, model = _score(folder, ORIGINAL, folder / "photos", dataset, device)
        progress(1, 1 + len(chosen))
        sets = {}
        for number, part in enumerate(chosen, start=2):
            source = folder / "blurred" / f"blurred_{part}"
            sets[part], _ = _score(folder, f"blurred_{part}", source, dataset, device)
            progress(number, 1 + len(chosen))
    plots = folder / "plots"
    figures = []
    with stage("plot", "plot") as progress:
        for number, (part, scores) in enumerate(sets.items(), start=1):
            title = f"{in_words(part)} blurred{note and ' · ' + note}"
            figures.append(_compare(original, scores, part, blurred.missing[part], plots, title))
            progress(number, len(chosen) + 1)
        save_figure(draw_sheet(folder, people, chosen), plots, "contact_sheet")
        progress(len(chosen) + 1, len(chosen) + 1)
    found = set_statistics(original)
    return DemoOutcome(
        photos=len(photos),
        people=len(people),
        model=model,
        authentic=found["authentic_mean"],
        impostor=found["impostor_mean"],
        d_prime=found["d_prime"],
        parts=figures,
        plots=plots,
    )


def in_words(part: str) -> str:
    """Say a part's name as in a sentence: ``eyes_brows`` is "eyes and brows"."""
    return part.replace("_", " and ")


def _score(folder: Path, condition: str, source: Path, dataset: str, device: str) -> tuple[ScoreSet, str]:
    """Extract and match the photos of one condition; give the scores, and the recogniser's name."""
    matches = folder / "matches" / condition
    extracted = extract_features(source, folder / "features" / condition, device=device)
    match(extracted.features_list, None, matches, _GROUP, dataset=dataset)
    label = ORIGINAL if condition == ORIGINAL else f"{in_words(condition.removeprefix('blurred_'))} blurred"
    return ScoreSet(label, *load_scores(matches / f"{_GROUP}_scores.npz")), extracted.model


def _compare(original: ScoreSet, blurred: ScoreSet, part: str, missing: int, plots: Path, title: str) -> PartFigures:
    """Plot the scores of one part against those of the original photos, and give the figures."""
    found = plot([original, blurred], plots, part, title).statistics[1]
    return PartFigures(
        part=part,
        authentic=found["authentic_mean"],
        impostor=found["impostor_mean"],
        impostor_shift=found["impostor_mean_shift_from_set_1"],
        d_prime=found["d_prime"],
        missing=missing,
    )


def draw_sheet(folder: Path, people: dict[str, Photo], parts: Sequence[str]) -> Figure:
    """Draw a few people's photos and, beside each, the photo with each part blurred.

    Args:
        folder: that of :func:`run_stages`.
        people: a photo a person.
        parts: those that were blurred.
    """
    step = -(-len(people) // _SHEET_ROWS)
    shown = dict(list(people.items())[::step])
    rows = [
        [read_photo(photo.path)]
        + [read_photo(folder / "blurred" / f"blurred_{part}" / f"{photo.name}.png") for part in parts]
        for photo in shown.values()
    ]
    return contact_sheet(rows, [ORIGINAL, *parts], [person.replace("_", "\n") for person in shown])


def one_a_person(photos: Sequence[Photo], dataset: str) -> dict[str, Photo]:
    """Give the first photo of each person, by the naming rule called `dataset`."""
    rule = naming_rule(dataset)
    first: dict[str, Photo] = {}
    for photo in photos:
        # A label has the photo's folder in it, also where that is the folder of all photos.
        label = f"{photo.path.parent.name}/{photo.path.stem}"
        first.setdefault(rule(label), photo)
    return first
