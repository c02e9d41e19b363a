"""How to read the report: what each figure means, its formula and its source, in plain words.

The same with more formulas is docs/reading.md.
"""

from typing import NamedTuple

from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.report.content import Content


class Entry(NamedTuple):
    """A term: what it means, HTML; its formula and its source, empty where it needs none."""

    term: str
    meaning: str
    formula: str = ""
    source: str = ""


_SCORES = Entry(
    "Authentic and impostor scores",
    "A score says how alike two photos are to the recogniser. It is authentic if both show one person, and impostor "
    "if they show two. All pairs are of photos within a group.",
    "cosine of the two embeddings, −1 to 1",
    "ISO/IEC 19795-1:2021",
)
_SHIFT = Entry(
    "Shift",
    "How far the mean impostor score moves when a part is lost on all photos. Up: different people look more alike "
    "without the part, so it helped to tell them apart. The same pairs of people are on both sides, and what they "
    "have in common cancels in the interval.",
    "mean with the part lost − mean of the original photos",
)
_INTERVAL = Entry(
    "In brackets: 95 % interval",
    "Were the study repeated with other people, photographed alike, 95 % of such intervals would hold the true "
    "figure. Pairs that share a person are not independent: half a billion scores of a few thousand people tell "
    "about as much as a few thousand people do. So the interval is made from what each person adds to the figure, "
    f"not from the number of scores. With fewer than {MIN_SUBJECTS} people there is none.",
    "figure ± t(n − 1) · √V, V = (n − 1) / n · Σ u<sub>p</sub>² − Σ r<sub>pq</sub>²; u<sub>p</sub>: how much higher "
    "it is than without person p, r<sub>pq</sub>: what the scores between p and q add",
    "Cameron, Gelbach and Miller, J. Business &amp; Economic Statistics 29, 2011; Fafchamps and Gubert, J. "
    "Development Economics 83, 2007; Aronow, Samii and Assenova, Political Analysis 23, 2015",
)
_RATES = Entry(
    "Intervals of error rates",
    "Rates near 0 get an interval that stays between 0 and 1, from as many independent scores as would vary as much "
    "as these do. A rate of 0 is not known to be 0: the interval says how large it may be.",
    "Wilson’s interval with n* = r (1 − r) / V in the place of the number of scores",
    "Wilson, J. American Statistical Association 22, 1927; Fogliato, Patil and Perona, arXiv 2306.01198, 2023",
)
_FIRST = Entry(
    "Comes first in",
    "People are drawn anew, with replacement, as many as there are, and the parts are ranked again: in what share of "
    "these resamplings the part comes first. 97 % is not the probability that it is first; it says how often the "
    "choice of people alone would have changed the answer. ≈ marks a part that cannot be told apart from the next: "
    "the interval of their difference holds 0.",
    "",
    "Snijders and Borgatti, Connections 22, 1999 (vertex bootstrap)",
)
_CONTROL = Entry(
    "Control and importance",
    "A large part may move scores only because it is large. So the same shape is also lost elsewhere on the face, "
    "where the part is not (moved), or as many pixels in smooth blobs where it does not fit elsewhere (blobs). What "
    "a part’s loss does beyond that is its importance.",
    "importance = shift of the part − shift of its control, mean of all draws",
)
_FMR = Entry(
    "FMR at the original’s threshold",
    "A system in use does not move its threshold when a face is hidden. At the threshold where the original photos "
    "have an FMR of 0.1 %, what the FMR is with the part lost, and how many times the original’s that is. The "
    "threshold is taken as given, in the interval too.",
    "FMR: share of impostor scores at or above the threshold; FNMR: share of authentic scores below",
    "ISO/IEC 19795-1:2021",
)
_FNMR = Entry(
    "FNMR at FMR 0.1 %, and EER",
    "With the threshold of the photos’ own. A dash: fewer than ten false matches would be expected there, so that "
    "the threshold would be chance. EER: where both rates are equal.",
    "",
    "Doddington et al., Speech Communication 31, 2000",
)
_SHAPES = Entry(
    "d′ and KS",
    "How far authentic and impostor scores stand apart, in units of their spread (d′); the largest gap between the "
    "cumulative distributions of impostor scores before and after (KS, the Kolmogorov-Smirnov distance, 0 to 1).",
    "d′ = |μ<sub>a</sub> − μ<sub>i</sub>| / √((σ<sub>a</sub>² + σ<sub>i</sub>²) / 2)",
    "Daugman, UCAM-CL-TR-482, 2000; Smirnov, Annals of Mathematical Statistics 19, 1948",
)
_WAYS = Entry(
    "Kendall’s τ",
    "How far two ways to lose a part rank the parts alike: 1 the same order, −1 the reverse.",
    "(pairs of parts in the same order − pairs in opposite order) / all pairs, corrected for ties (τ-b)",
    "Kendall, Biometrika 33, 1945",
)
_GROUPS = (
    Entry(
        "One threshold for all, or one each",
        "At one threshold the rates are what people meet: a system has one. At thresholds of their own, every group "
        "has the same FMR by construction, and only the FNMRs are compared. Rates at one threshold that differ are a "
        "demographic differential, in the words of ISO/IEC 19795-10.",
        "",
        "ISO/IEC 19795-10:2024",
    ),
    Entry(
        "Inequity",
        "How many times the rate of the worst group is that of the typical group; 1 where all are equal.",
        "largest rate / geometric mean of the rates",
        "Grother, NIST IR 8429 (FRVT Part 8), 2022",
    ),
    Entry(
        "GARBE",
        "How unevenly errors fall on the groups, whatever their level: 0 evenly, 1 all on one. It hides which group "
        "fares worse.",
        "½ G(FMR) + ½ G(FNMR), G: Gini’s coefficient times n / (n − 1)",
        "Howard et al., arXiv 2203.05051, 2022",
    ),
    Entry(
        "Fairness discrepancy rate",
        "Differences, not ratios, of the rates: 1 where all are equal, and near 1 at a small FMR even where one "
        "group has ten times the false matches of another.",
        "1 − (½ largest difference of FMRs + ½ largest difference of FNMRs)",
        "de Freitas Pereira and Marcel, arXiv 2011.02395, 2020",
    ),
)


def entries(content: Content) -> list[Entry]:
    """Choose the entries of what the report shows."""
    found = [_SCORES, _SHIFT, *([_CONTROL] if content.draws else []), _INTERVAL, _FIRST, _FMR, _FNMR, _RATES, _SHAPES]
    found += [_WAYS] if len({row.occlusion for row in content.agreements}) > 1 else []
    return [*found, *(_GROUPS if content.differentials else ())]


def guide(content: Content) -> str:
    """Make the list of terms."""
    pieces = []
    for term, meaning, formula, source in entries(content):
        more = f'<dd class="formula">{formula}</dd>' if formula else ""
        more += f'<dd class="source">{source}</dd>' if source else ""
        pieces.append(f"<div><dt>{term}</dt><dd>{meaning}</dd>{more}</div>")
    return f'<dl class="guide">{"".join(pieces)}</dl>'.replace(" %", "\u00a0%")
