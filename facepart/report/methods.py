"""The methods text: paragraphs for a paper's methods section, auto-generated from what was run.

Every number comes from the study, and what a study did not do is not mentioned; the words stand in
``templates/methods.txt``. The text is plain, so that it can be pasted anywhere.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from facepart.analysis.choices import D_PRIME, FMR_RATIO, IMPORTANCE, SHIFT
from facepart.analysis.differentials import EACH_GROUP
from facepart.analysis.metrics.operating_point import STUDY_FMRS, fmr_suffix
from facepart.analysis.results import CONTROL, NOT_CONTROLLABLE
from facepart.occlusion.parts import PARTS
from facepart.occlusion.patch import PIXELS
from facepart.occlusion.recipe import PATCH_SIGMA, REFERENCE, SIGMA, growth
from facepart.report.criteria_compared import criteria_tables
from facepart.report.criterion_names import criterion
from facepart.report.group_comparison import excluded_groups
from facepart.report.report_data import ReportData
from facepart.report.templating import render


class NetworkFacts(NamedTuple):
    """A network that was used: its name and its file's SHA-256, hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True)
class MethodFacts:
    """What the methods text needs beside the report's data.

    Attributes:
        software: name and version of the program.
        parser: the face parser; or ``label maps``, and a hash of them all.
        recognisers: the face recognisers; at least one.
        detector: what found the landmarks by which the photos were aligned, in this study or by `facepart align`
            before it; None if facepart did not align them.
        precision: of the networks' arithmetic, e.g. ``bf16``.
        flip: whether the embedding of the mirrored face was added.
        naming_rule: the naming convention that gives the subject, and what it reads, such as ``MORPH: name up to the
            first _``.
        subject_in_folder: whether that is read from folder names, not file names.
        subject_pattern: the regular expression that gives the subject instead; empty if there is none.
        seed: of the resamples of the subjects.
        excluded: which authentic pairs were left out, in words that follow "authentic pairs"; empty if none were.
        label_maps: whether label maps were read from a folder, and no face parser was run.
        label_set: the order of their classes.
        int8: network -> how far it agrees in INT8 with itself in fp32, in words; nothing for other precisions.
        calibrating: how many photos calibrated the networks in INT8.
        judging: how many others judged them.
        given: photos that were aligned by landmarks that were given.
        several: photos in which several faces were found; the largest near the centre was aligned.
    """

    software: str
    parser: NetworkFacts
    recognisers: Sequence[NetworkFacts]
    detector: NetworkFacts | None
    precision: str
    flip: bool
    naming_rule: str
    seed: int
    subject_in_folder: bool = False
    subject_pattern: str = ""
    excluded: str = ""
    label_maps: bool = False
    label_set: str = ""
    int8: Mapping[str, str] = field(default_factory=dict)
    calibrating: int = 0
    judging: int = 0
    given: int = 0
    several: int = 0


_REFERENCES = {
    "umeyama": 'S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE '
    "TPAMI 13(4), 1991.",
    "cameron": 'A. C. Cameron, J. B. Gelbach, D. L. Miller, "Robust inference with multiway clustering", Journal of '
    "Business & Economic Statistics 29, 2011.",
    "aronow": 'P. M. Aronow, C. Samii, V. A. Assenova, "Cluster-robust variance estimation for dyadic data", '
    "Political Analysis 23, 2015.",
    "mackinnon": 'J. G. MacKinnon, M. Ø. Nielsen, M. D. Webb, "Fast and reliable jackknife and bootstrap methods for '
    'cluster-robust inference", Journal of Applied Econometrics 38, 2023.',
    "quenouille": 'M. H. Quenouille, "Notes on bias in estimation", Biometrika 43, 1956.',
    "carter": 'A. V. Carter, K. T. Schnepel, D. G. Steigerwald, "Asymptotic behavior of a t-test robust to cluster '
    'heterogeneity", Review of Economics and Statistics 99, 2017.',
    "mogstad": 'M. Mogstad, J. P. Romano, A. M. Shaikh, D. Wilhelm, "Inference for ranks with applications to '
    'mobility across neighbourhoods and academic achievement across countries", Review of Economic Studies 91, 2024.',
    "holm": 'S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics '
    "6, 1979.",
    "schuirmann": 'D. J. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach '
    'for assessing the equivalence of average bioavailability", Journal of Pharmacokinetics and Biopharmaceutics 15, '
    "1987.",
    "fogliato": 'R. Fogliato, P. Patil, P. Perona, "Confidence Intervals for Error Rates in 1:1 Matching Tasks: '
    'Critical Statistical Analysis and Recommendations", arXiv 2306.01198, 2023.',
    "shapley": 'L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II, 1953.',
    "grabisch": 'M. Grabisch, M. Roubens, "An axiomatic approach to the concept of interaction among players in '
    'cooperative games", International Journal of Game Theory 28, 1999.',
    "mitchell": 'R. Mitchell, J. Cooper, E. Frank, G. Holmes, "Sampling permutations for Shapley value estimation", '
    "Journal of Machine Learning Research 23, 2022.",
    "efron": 'B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979.',
    "daugman": 'J. Daugman, "Biometric decision landscapes", University of Cambridge, UCAM-CL-TR-482, 2000.',
    "iso": 'ISO/IEC 19795-1:2021, "Biometric performance testing and reporting".',
    "kendall": 'M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945.',
    "concordance": 'M. G. Kendall, B. Babington Smith, "The problem of m rankings", Annals of Mathematical '
    "Statistics 10, 1939.",
    "satterthwaite": 'F. E. Satterthwaite, "An approximate distribution of estimates of variance components", '
    "Biometrics Bulletin 2, 1946.",
    "welch": "B. L. Welch, \"The generalization of Student's problem when several different population variances are "
    'involved", Biometrika 34, 1947.',
    "grother": 'P. Grother, "Face Recognition Vendor Test (FRVT) Part 8: Summarizing Demographic Differentials", '
    "NIST IR 8429, 2022.",
    "howard": 'J. J. Howard, E. J. Laird, R. E. Rubin, Y. B. Sirotin, J. L. Tipton, A. R. Vemury, "Evaluating '
    'Proposed Fairness Models for Face Recognition Algorithms", arXiv 2203.05051, 2022.',
    "pereira": 'T. de Freitas Pereira, S. Marcel, "Fairness in Biometrics: a figure of merit to assess biometric '
    'verification systems", arXiv 2011.02395, 2020.',
}


# Columns of error rates.
_RATES = (
    "eer",
    "rank1_rate",
    *(f"{name}_{fmr_suffix(target)}" for name in ("fmr_at_baseline", "fnmr") for target in STUDY_FMRS),
)
# What Shapley values by a criterion divide.
_SHAPLEY_METRICS = {
    SHIFT: "the mean impostor score",
    D_PRIME: "d\u2032",
    FMR_RATIO: "the logarithm of the FMR at the baseline threshold (FMR 0.1 %)",
}


class Citations:
    """Numbers references in the order in which they are first cited.

    Attributes:
        references: those cited so far, in the order of their numbers.
    """

    def __init__(self) -> None:
        self._cited: list[str] = []

    def __call__(self, name: str) -> str:
        """Cite a reference, a key of the table of references; return its number in brackets."""
        if name not in self._cited:
            self._cited.append(name)
        return f"[{self._cited.index(name) + 1}]"

    @property
    def references(self) -> list[str]:
        """The references cited so far, in the order of their numbers."""
        return [_REFERENCES[name] for name in self._cited]


def methods(data: ReportData, facts: MethodFacts) -> list[str]:
    """Write the paragraphs, the references last.

    Args:
        data: the report's; its field `methods` is not used.
        facts: what else is needed.

    Returns:
        Paragraphs of plain text; those before the last cite its entries as [1], [2], ...
    """
    rows = data.main_rows()
    rankings = [*data.rankings.values(), *data.figures.keep_only_rankings.values()]
    undetected = {part: sum(row.undetected for (_, of), row in rows.items() if of == part) for part in data.parts}
    not_controllable = [
        part
        for part in data.design.parts
        if all(row.control == NOT_CONTROLLABLE for (_, of), row in rows.items() if of == part.name)
        and any(row.undetected < row.photos for (_, of), row in rows.items() if of == part.name)
    ]
    text = render(
        "methods.txt",
        data=data,
        facts=facts,
        cite=Citations(),
        RATES=_RATES,
        photos=sum(group.photos for group in data.groups),
        subjects=data.subjects,
        authentic=sum(group.baseline.authentic.n for group in data.groups),
        impostor=sum(group.baseline.impostor.n for group in data.groups),
        crossed=any(group.crossed for group in data.groups),
        reference=REFERENCE,
        radii={
            part.name: growth(part.dilations, REFERENCE, REFERENCE) for part in data.design.parts if not part.members
        },
        unions=[part for part in data.design.parts if part.members],
        defined=[part for part in data.design.parts if not part.members and part.name not in PARTS],
        sigma=SIGMA,
        patch_pixels=PIXELS,
        patch_sigma=PATCH_SIGMA,
        undetected={part: count for part, count in undetected.items() if count},
        unfitting=[part.name for part in not_controllable if part.controllable],
        without_places=[part.name for part in not_controllable if not part.controllable],
        no_place=_without_place(data),
        other_criteria=[criterion(name).label for name in data.figures.rankings if name != data.ranked_by],
        criteria_agree=not any(table.differing or table.first_elsewhere for table in criteria_tables(data)[:1]),
        effective=_range([row.impostor_effective for row in rows.values()]),
        effective_authentic=_range([row.authentic_effective for row in rows.values()]),
        shapley=next(iter(data.shapley.values()), None),
        shapley_photos=sum(
            next(row.photos_compared for row in each.values if row.group == group.name)
            for each in list(data.shapley.values())[:1]
            for group in data.groups
        ),
        with_interval=functools.partial(_with_interval, data),
        has_d_prime=any(math.isfinite(row.d_prime_baseline.value) for row in rows.values()),
        has_rates=any(math.isfinite(row.figure(name).value) for row in data.results for name in _RATES),
        fnmr_known=any(math.isfinite(row.fnmr_1e3.value) for row in rows.values()),
        fnmr_compared=any(math.isfinite(row.garbe) for row in data.differentials),
        ranks_have_cis=any(math.isfinite(each.effect.low) for found in rankings for each in found),
        neighbours_tested=any(math.isfinite(each.difference_to_next.low) for found in rankings for each in found),
        tested=[
            criterion(effect).label
            for effect in (SHIFT, IMPORTANCE)
            if any(each.effect == effect and math.isfinite(each.p_value) for each in data.shift_differences)
        ],
        equivalence_tested=any(each.equivalent is not None for each in data.shift_differences),
        effective_by_subjects=_range([row.impostor_shift_subjects.effective for row in rows.values()]),
        shapley_has_cis=any(math.isfinite(row.value.low) for each in data.shapley.values() for row in each.values),
        shapley_metrics=_shapley_metrics(data),
        resampled=any(math.isfinite(each.ranked_first) for each in data.main_ranking),
        rate_targets=[
            target
            for target in STUDY_FMRS
            if any(math.isfinite(row.figure(f"fmr_at_baseline_{fmr_suffix(target)}").value) for row in rows.values())
        ],
        targets=list(dict.fromkeys(row.target for row in data.differentials)),
        threshold_groups=list(
            dict.fromkeys(row.threshold_of for row in data.differentials if row.threshold_of != EACH_GROUP)
        ),
        excluded={
            target: excluded_groups([row for row in data.differentials if row.target == target], data.label)
            for target in dict.fromkeys(row.target for row in data.differentials)
        },
        rates_compared=any(row.ratios for row in data.differentials),
        paired=any(each.paired for each in data.shift_differences),
    )
    return [line for line in text.split("\n") if line]


def _without_place(data: ReportData) -> dict[str, int]:
    """Count the photos in which a part was detected but its control has no place: part -> photos, if any."""
    found: dict[str, int] = {}
    detected = data.main_rows()
    for key, row in data.main_rows(CONTROL).items():
        missing = detected[key].photos - detected[key].undetected - row.photos_compared
        if missing > 0:
            found[key[1]] = found.get(key[1], 0) + missing
    return found


def _with_interval(data: ReportData, *columns: str) -> bool:
    """Return whether any figure in these columns of the results has a CI."""
    return any(math.isfinite(row.figure(name).low) for row in data.results for name in columns)


def _shapley_metrics(data: ReportData) -> list[str]:
    """List the metrics that have Shapley values."""
    values = [row for found in data.shapley.values() for row in found.values if math.isfinite(row.value.value)]
    known = {row.criterion for row in values}
    return [words for name, words in _SHAPLEY_METRICS.items() if name in known]


def _range(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the smallest and the largest of those that are known and above 0; None if there are none."""
    known = [value for value in values if value > 0]
    return (min(known), max(known)) if known else None
