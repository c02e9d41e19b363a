"""The 19 classes of a label map: those of CelebAMask-HQ (Lee et al. 2020, arXiv 1907.11922).

The numbering is that of github.com/zllrunning/face-parsing.PyTorch, which the original study's weights follow.
"""

import numpy as np
from numpy.typing import NDArray

# Side of a label map, and of the photos that the parser takes, in pixels.
SIZE = 512

CLASSES: tuple[str, ...] = (
    "background",
    "skin",
    "left brow",
    "right brow",
    "left eye",
    "right eye",
    "glasses",
    "left ear",
    "right ear",
    "earring",
    "nose",
    "mouth",
    "upper lip",
    "lower lip",
    "neck",
    "necklace",
    "cloth",
    "hair",
    "hat",
)
NOSE = CLASSES.index("nose")

# One colour per class, uint8 (19, 3) RGB, to display label maps: neighbours on a face differ in lightness too.
PALETTE: NDArray[np.uint8] = np.array(
    [
        [0, 0, 0],
        [255, 204, 153],
        [102, 51, 0],
        [153, 76, 0],
        [0, 114, 178],
        [86, 180, 233],
        [128, 128, 128],
        [204, 153, 102],
        [178, 128, 76],
        [240, 228, 66],
        [0, 158, 115],
        [120, 0, 40],
        [213, 94, 0],
        [230, 130, 60],
        [229, 178, 127],
        [255, 255, 153],
        [90, 90, 160],
        [80, 50, 30],
        [204, 121, 167],
    ],
    dtype=np.uint8,
)
