"""Draw the picture of the README from the outputs of `make demo`: python docs/parts_picture.py demo.

One column per part: the photo with the part blurred and, below it, the impostor shift. The photograph is the official
portrait of Barack Obama (Pete Souza, 2012), a work of the United States government and so in the public domain; it is
among the demo's photographs.
"""

import csv
import sys
from pathlib import Path

from matplotlib.figure import Figure

from facepart.data.photo_input import read_photo
from facepart.occlusion.parts import PARTS
from facepart.plots.palette import RISE

PHOTO = "obama_0_00"


def read_shifts(table: Path) -> dict[str, float]:
    """Read the impostor shift of each part from the results of a study."""
    with table.open(newline="") as file:
        return {row["part"]: float(row["impostor_shift"]) for row in csv.DictReader(file)}


def draw(demo: Path) -> Figure:
    """Draw the picture from the folder of the demo."""
    figure = Figure(figsize=(10, 2.9), dpi=160, layout="constrained")
    axes = figure.subplots(2, len(PARTS) + 1, height_ratios=(1.25, 1), sharey="row")
    shifts = read_shifts(demo / "results.csv")
    for column, part in enumerate([None, *PARTS]):
        folder = demo / "photos" if part is None else demo / "blurred" / f"blurred_{part}"
        face, bar = axes[0][column], axes[1][column]
        face.imshow(read_photo(folder / f"{PHOTO}.png"))
        face.set_title("baseline" if part is None else part.replace("_", " + "), fontsize=11)
        face.axis("off")
        bar.axis("off")
        bar.set_xlim(-1, 1)
        bar.set_ylim(0, 1.25 * max(shifts.values()))
        if part is None:
            bar.text(-1, 0, "change of\nthe mean\nimpostor\nscore", fontsize=10, va="bottom")
        else:
            bar.bar(0, shifts[part], width=1.1, color=RISE)
            bar.text(0, shifts[part], f"{shifts[part]:+.3f}", ha="center", va="bottom", fontsize=10)
    return figure


if __name__ == "__main__":
    draw(Path(sys.argv[1])).savefig(Path(__file__).parent / "images" / "parts.jpg", pil_kwargs={"quality": 88})
