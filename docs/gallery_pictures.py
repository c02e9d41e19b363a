"""Make the pictures of docs/gallery.md: python -m docs.gallery_pictures.

No photo of a person is in them. The plots are those of `facepart match` and `facepart plot` on synthetic embeddings;
the report is that of the tests' data: drawn people and drawn faces. The pictures of the report need Chromium.
"""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

from facepart.cli import main
from facepart.report.page import render_report
from tests.browser import FLAGS, find_browser
from tests.report_data import make_data

FOLDER = Path(__file__).parent / "images" / "gallery"

# Name of the picture -> what of the report is shown.
SHOWN = {
    "ranking": "#ranking",
    "scores": "#scores section.part >> nth=0",
    "groups": "#groups",
    "threshold": "#threshold-panel",
    "photos": "#photos",
}
_WIDTH, _LONGEST, _MARGIN = 1000, 1000, 16

_SUBJECTS, _PHOTOS, _LENGTH = 300, 4, 128
# Weights in an embedding of the subject, of the photo, and of what all occluded photos have in common.
_WEIGHTS = {"baseline": (0.64, 0.77, 0.0), "nose": (0.50, 0.80, 0.30)}
_LABELS = ("-l1", "Baseline", "-l2", "Nose occluded")
_SETS = ("-s1", "matches/baseline/all_scores.npz", "-s2", "matches/nose/all_scores.npz", *_LABELS)
_RANKS = ("-r1", "matches/baseline/all_ranks.csv", "-r2", "matches/nose/all_ranks.csv", *_LABELS)
PLOTS: dict[str, Sequence[str]] = {
    "histogram": _SETS,
    "roc": (*_SETS, "--bands"),
    "det": _SETS,
    "fmr_fnmr": _SETS,
    "cmc": _RANKS,
}


def draw_embeddings(condition: str) -> NDArray[np.float32]:
    """Draw the embeddings of all photos in a condition, float32 (n, d); photos of a subject follow each other."""
    rng = np.random.default_rng(11)
    subject, photo, common = _WEIGHTS[condition]
    subjects = np.repeat(rng.normal(size=(_SUBJECTS, _LENGTH)), _PHOTOS, axis=0)
    photos = rng.normal(size=(_SUBJECTS * _PHOTOS, _LENGTH))
    return np.asarray(subject * subjects + photo * photos + common * rng.normal(size=_LENGTH), np.float32)


def draw_plots(folder: Path) -> None:
    """Match the synthetic embeddings, and plot their scores as the commands do."""
    labels = [f"photos/{subject:03}_{photo}" for subject in range(_SUBJECTS) for photo in range(_PHOTOS)]
    for condition in _WEIGHTS:
        features = folder / condition / "features.npy"
        features.parent.mkdir()
        np.save(features, draw_embeddings(condition))
        features.with_name("labels.txt").write_text("\n".join(labels) + "\n")
        out = str(folder / "matches" / condition)
        run("match", "-p", str(features), "-o", out, "-d", "MORPH", "-gr", "all", "--ranks")
    for kind, sets in PLOTS.items():
        named = [str(folder / each) if each.startswith("matches/") else each for each in sets]
        run("plot", *named, "-d", str(folder), "-n", kind, "--kind", kind)
        save(Image.open(folder / f"{kind}.png"), kind)


def run(*arguments: str) -> None:
    """Run a command of facepart; end where it fails."""
    if status := main(arguments):
        raise SystemExit(status)


def draw_report() -> None:
    """Render a report of drawn people, and take pictures of it, no longer than a screen or so."""
    data = make_data(("group A", "group B"), control=True, title="Drawn faces")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": _WIDTH, "height": _LONGEST}, color_scheme="light")
        page.set_content(render_report(data))
        for name, place in SHOWN.items():
            found = page.locator(place)
            found.scroll_into_view_if_needed()
            image = Image.open(io.BytesIO(found.screenshot())).convert("RGB")
            image = image.crop((0, 0, image.width, min(image.height, _LONGEST)))
            save(ImageOps.expand(image, _MARGIN, "white"), name)
        browser.close()


def save(image: Image.Image, name: str) -> None:
    """Write a picture with few colours, which is a third of the size."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    few = image.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        draw_plots(Path(temporary))
    draw_report()
