"""Draw the picture of docs/tutorial.md, photos and their crops: python3 docs/align_picture.py tutorial.

Reads the photos of docs/tutorial_photos.py and the crops of `facepart align`. They show the official portrait of
Barack Obama (Pete Souza, 2012) alone, a work of the United States government and so in the public domain.
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from facepart.data.photo_input import read_photo

# The snapshots of the official portrait.
PHOTOS = ("obama_0_00", "obama_0_01", "obama_0_02")


def draw(folder: Path) -> Figure:
    """Draw each photo with its crop on its right, from the folder of the tutorial."""
    figure = Figure(figsize=(9.6, 1.9), dpi=120, layout="constrained")
    axes = figure.subplots(1, 2 * len(PHOTOS))
    for place, photo in enumerate(PHOTOS):
        for column, kind in enumerate(("raw", "photos")):
            each = axes[2 * place + column]
            each.imshow(read_photo(folder / kind / f"{photo}.png"))
            each.set_title(f"{kind}/{photo}.png", fontsize=8)
            each.axis("off")
    return figure


if __name__ == "__main__":
    draw(Path(sys.argv[1])).savefig(Path(__file__).parent / "images" / "align.jpg", pil_kwargs={"quality": 88})
