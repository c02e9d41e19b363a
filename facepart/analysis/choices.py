"""What a study can be asked to choose: words and defaults. Nothing is imported, so that help is quick."""

from typing import Literal

# What becomes of photos in which a part was not detected.
Undetected = Literal["exclude", "keep"]
# What counts alike in a mean score: each pair of photos, or each pair of subjects.
Weight = Literal["pairs", "subjects"]
# Criteria that parts are ranked by; :mod:`facepart.analysis.criteria` says what each asks.
IMPORTANCE, SHIFT, EQUAL_AREA = "importance", "impostor_shift", "equal_area"
FMR_RATIO, D_PRIME, FNMR, AUTHENTIC_CROSS = "fmr_ratio", "d_prime", "fnmr", "authentic_cross"
CRITERION_NAMES = (IMPORTANCE, SHIFT, EQUAL_AREA, FMR_RATIO, D_PRIME, FNMR, AUTHENTIC_CROSS)
# Draws of the control: places differ, and fewer say too little of how much.
DEFAULT_DRAWS = 5
# What the report shows of faces: photos of so many subjects, and the average of so many photos, which is smooth; more
# only take longer.
SHOWN_SUBJECTS, AVERAGED_PHOTOS = 4, 60
# Without photos of faces, an average face is shown only if every group has so many subjects.
MIN_AVERAGED_SUBJECTS = 50
