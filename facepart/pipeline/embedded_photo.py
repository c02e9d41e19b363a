"""What one photo gives: its embeddings, and what was found and occluded on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EmbeddedPhoto:
    """One photo's record.

    Attributes:
        name: the photo's.
        signature: of its file; a file that replaces it has another.
        embeddings: name of an occlusion, ``baseline`` among them -> float32 (d,), of length 1.
        pixels: part -> pixels of the 512x512 label map that it covers; 0 where it was not detected.
        shares: name of an occlusion -> how much of the photo it replaced, 0..1.
        controls: name of an occlusion -> the kind of its control region, where it has one.
        overlaps: name of an occlusion -> float32 (parts,): which share of every part it removed, 0..1, in the order
            of the store's parts; NaN for a part that was not detected.
        head: pixels of the label map that show the head, face and hair.
        side: of the photo or, if it was aligned, of its crop, in pixels of the photo: the shorter one; 0 if it is not
            known.
        faces: how many faces the detector found, where the photo was aligned; 0 if it is not known.
        failure: stage and reason, if the photo gave no embedding.
    """

    name: str
    signature: str = ""
    embeddings: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    pixels: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)
    overlaps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    head: int = 0
    side: int = 0
    faces: int = 0
    failure: tuple[str, str] | None = None
