"""A paragraph for a paper's methods section, from what was run: to be adapted, not to be trusted blindly.

Every number comes from the study; what a study did not do is not mentioned. The text is plain, so that it can be
pasted anywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from facepart.analysis.differentials import EACH_GROUP
from facepart.analysis.intervals import MIN_SUBJECTS
from facepart.analysis.results import ALL_GROUPS, WITHIN
from facepart.occlusion.parts import PARTS
from facepart.occlusion.recipe import REFERENCE, recipe
from facepart.report.content import Content
from facepart.report.markup import listed, part_name, per_cent, plural
from facepart.report.ways import in_words


class Network(NamedTuple):
    """A network that was used: its name and its file's SHA-256, hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True)
class MethodFacts:
    """What a methods paragraph needs beside the report's content.

    Attributes:
        software: name and version of the program.
        parser: the face parser.
        recogniser: the face recogniser.
        detector: of faces and landmarks, by which photos were aligned; None if they were not.
        precision: of the networks' arithmetic, e.g. ``bf16``.
        flip: whether the mirrored face's embedding was added.
        naming: how it was told who is on a photo, as the end of "who is on a photo was told ...".
        seed: of the resamplings of people.
        excluded: which authentic pairs were left out, in words that follow "authentic pairs"; "" if none were.
    """

    software: str
    parser: Network
    recogniser: Network
    detector: Network | None
    precision: str
    flip: bool
    naming: str
    seed: int
    excluded: str = ""


_REFERENCES = {
    "umeyama": 'S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE '
    "TPAMI 13(4), 1991.",
    "cameron": 'A. C. Cameron, J. B. Gelbach, D. L. Miller, "Robust inference with multiway clustering", Journal of '
    "Business & Economic Statistics 29, 2011.",
    "aronow": 'P. M. Aronow, C. Samii, V. A. Assenova, "Cluster-robust variance estimation for dyadic data", '
    "Political Analysis 23, 2015.",
    "mackinnon": 'J. G. MacKinnon, M. Ø. Nielsen, M. D. Webb, "Fast and reliable jackknife and bootstrap methods for '
    'cluster-robust inference", Journal of Applied Econometrics 38, 2023.',
    "fogliato": 'R. Fogliato, P. Patil, P. Perona, "Confidence Intervals for Error Rates in 1:1 Matching Tasks: '
    'Critical Statistical Analysis and Recommendations", arXiv 2306.01198, 2023.',
    "snijders": 'T. A. B. Snijders, S. P. Borgatti, "Non-parametric standard errors and tests for network '
    'statistics", Connections 22, 1999.',
    "daugman": 'J. Daugman, "Biometric decision landscapes", University of Cambridge, UCAM-CL-TR-482, 2000.',
    "iso": 'ISO/IEC 19795-1:2021, "Biometric performance testing and reporting".',
    "kendall": 'M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945.',
    "welch": "B. L. Welch, \"The generalization of Student's problem when several different population variances are "
    'involved", Biometrika 34, 1947.',
    "grother": 'P. Grother, "Face Recognition Vendor Test (FRVT) Part 8: Summarizing Demographic Differentials", '
    "NIST IR 8429, 2022.",
    "howard": 'J. J. Howard, E. J. Laird, R. E. Rubin, Y. B. Sirotin, J. L. Tipton, A. R. Vemury, "Evaluating '
    'Proposed Fairness Models for Face Recognition Algorithms", arXiv 2203.05051, 2022.',
    "pereira": 'T. de Freitas Pereira, S. Marcel, "Fairness in Biometrics: a figure of merit to assess biometric '
    'verification systems", arXiv 2011.02395, 2020.',
}


def methods(content: Content, facts: MethodFacts) -> list[str]:
    """Write the paragraphs, the references last.

    Args:
        content: the report's; its field `methods` is not looked at.
        facts: what else is needed.

    Returns:
        Paragraphs of plain text; those before the last cite its entries as [1], [2], ...
    """
    cited: list[str] = []

    def cite(*names: str) -> str:
        numbers = []
        for name in names:
            if name not in cited:
                cited.append(name)
            numbers.append(str(cited.index(name) + 1))
        return f"[{', '.join(numbers)}]"

    paragraphs = [
        _data(content, facts),
        _loss(content, facts),
        _matching(content, facts, cite("umeyama") if facts.detector else ""),
        _measures(content, cite("iso"), cite("daugman")),
        _uncertainty(content, facts, cite),
    ]
    if content.differentials:
        paragraphs.append(_groups(content, cite("grother"), cite("howard"), cite("pereira")))
    ways = dict.fromkeys(row.occlusion for row in content.agreements if row.occlusion != content.occlusion)
    if ways:
        others = listed([in_words(way) for way in ways])
        paragraphs.append(
            f"To see whether the ranking depends on how a part is lost, parts were also {others}, and the rankings "
            f"by shift compared by Kendall's tau-b {cite('kendall')}."
        )
    references = " ".join(f"[{number}] {_REFERENCES[name]}" for number, name in enumerate(cited, 1))
    return [*paragraphs, f"References: {references}"]


def _data(content: Content, facts: MethodFacts) -> str:
    photos, people = (sum(counts) for counts in zip(*((g.photos, g.people) for g in content.groups), strict=True))
    said = f"We compared {plural(photos, 'photo')} of {plural(people, 'person', 'people')}"
    if len(content.groups) > 1:
        groups = [
            f"{group.name}: {plural(group.photos, 'photo')} of {group.people:,} people" for group in content.groups
        ]
        said += f" in {len(content.groups)} groups ({'; '.join(groups)})"
    said += f". Who is on a photo was told {facts.naming}."
    if content.failures:
        said += f" {plural(len(content.failures), 'further photo')} could not be worked on."
    return said + f" Everything was computed with {facts.software}."


def _loss(content: Content, facts: MethodFacts) -> str:
    constants = {part: recipe(part, REFERENCE, REFERENCE) for part in content.parts if part in PARTS}
    rows = [row for row in content.results if (row.comparison, row.occlusion) == (WITHIN, content.occlusion)]
    missing = {part: sum(row.undetected for row in rows if row.part == part) for part in content.parts}
    lacking = [f"{part_name(part)} on {plural(count, 'photo')}" for part, count in missing.items() if count]
    sigma = recipe("nose", REFERENCE, REFERENCE).sigma  # the same for all parts
    grown = [f"{part_name(part)} {each.dilation}" for part, each in constants.items()]
    said = (
        f"Faces were parsed by {facts.parser.name} (SHA-256 {facts.parser.sha256}). One at a time, "
        f"{listed([part_name(part) for part in content.parts])} were lost on all photos: "
        f"{in_words(content.occlusion)}, blended over the part's mask, which was dilated by a square (of radius, in "
        f"pixels: {', '.join(grown)}) and softened by a Gaussian of sigma {sigma:g} pixels; sizes are those on a "
        f"photo of {REFERENCE}x{REFERENCE} pixels, and scale with it."
    )
    if lacking:
        said += f" Where a part was not found ({listed(lacking)}), the photo was compared as it is."
    if content.draws:
        kinds = [f"{part_name(part)} {_control(content, part)}" for part in content.parts]
        said += (
            " As a control for size, the mask of each part was moved to a random place of the same face where the "
            "part is not (if need be mirrored or turned), or, where it fitted nowhere, replaced by smooth blobs of "
            f"the same area, and lost in the same way; {plural(content.draws, 'draw')} for each photo and part. "
            f"Controls were: {'; '.join(kinds)}."
        )
    return said


def _control(content: Content, part: str) -> str:
    kinds = {row.control for row in content.results if (row.part, row.comparison) == (part, WITHIN) and row.control}
    return " or ".join(sorted(kinds)) or "none"


def _matching(content: Content, facts: MethodFacts, umeyama: str) -> str:
    pairs = [
        sum(scores.n for scores in kind) for kind in zip(*(group.original for group in content.groups), strict=True)
    ]
    if facts.detector:
        aligned = (
            f"Faces were found by {facts.detector.name} (SHA-256 {facts.detector.sha256}) and aligned by a "
            f"similarity transform of five landmarks {umeyama}. "
        )
    else:
        aligned = "Photos were taken as they are, without alignment. "
    mirrored = ", the embedding of the mirrored face added" if facts.flip else ""
    said = (
        f"{aligned}They were embedded by {facts.recogniser.name} (SHA-256 {facts.recogniser.sha256}; arithmetic in "
        f"{facts.precision}{mirrored}), and compared by the cosine of their embeddings. Within "
        f"{'each group' if len(content.groups) > 1 else 'the group'} every photo was compared once with every other, "
        "the original photos among themselves and those with a part lost among themselves: authentic scores where "
        f"both show one person, else impostor scores ({pairs[0]:,} authentic and {pairs[1]:,} impostor scores in "
        "each condition)."
    )
    if facts.excluded:
        said += f" Authentic pairs {facts.excluded} were left out."
    if any(group.crossed for group in content.groups):
        said += (
            " Photos with a part lost were also compared with the original ones, but not with their own originals."
        )
    return said


def _measures(content: Content, iso: str, daugman: str) -> str:
    worth = (
        "A part's importance is its shift less that of its control, over all draws; parts are ranked by it"
        if content.draws
        else "Parts are ranked by it"
    )
    mean = ", and over groups by the mean of the groups, each counting alike" if len(content.groups) > 1 else ""
    return (
        "The shift of a part is the mean impostor score with the part lost less that of the original photos. "
        f"{worth}{mean}. FMR and FNMR are as in {iso}; the FMR with a part lost is taken at the thresholds where the "
        f"original photos have FMRs of 0.1 % and 0.01 %, the FNMR at each set's own; d' is as in {daugman}."
    )


def _uncertainty(content: Content, facts: MethodFacts, cite: Callable[[str], str]) -> str:
    said = (
        "Standard errors take people, not scores, as independent: scores that share a person are clustered, two-way "
        f"{cite('cameron')} in the form for pairs {cite('aronow')}, by a jackknife over people {cite('mackinnon')}; "
        "figures before and after are paired by people. "
        "95 % intervals use Student's t with one degree of freedom less than there are people; for error rates they "
        f"are Wilson's with the effective number of scores {cite('fogliato')}, for ratios those of the logarithm; "
        "thresholds that sets share are taken as given, a set's own as estimates"
    )
    if len(content.groups) > 1:
        said += f"; for means over groups, degrees of freedom are Welch's {cite('welch')}"
    said += f". With fewer than {MIN_SUBJECTS} people, no interval is given."
    if content.resamplings:
        said += (
            f" How often a part comes first is from {content.resamplings:,} resamplings of people with replacement "
            f"{cite('snijders')} (seed {facts.seed}); neighbours in the ranking are told apart where the 95 % "
            "interval of their paired difference leaves out 0."
        )
    return said


def _groups(content: Content, grother: str, howard: str, pereira: str) -> str:
    named = dict.fromkeys(row.threshold_of for row in content.differentials if row.threshold_of != EACH_GROUP)
    whose = listed(["all groups together" if name == ALL_GROUPS else name for name in named])
    targets = listed([_rate(rate) for rate in dict.fromkeys(row.target for row in content.differentials)])
    refused: dict[str, dict[str, None]] = {}
    for row in content.differentials:
        for group in row.groups:
            if group.refused:
                refused.setdefault(_rate(row.target), {})[f"{group.group} ({group.refused})"] = None
    said = (
        f"Groups were compared at one threshold for all, set for FMRs of {targets} on the original photos of "
        f"{whose}, and at thresholds of their own: by the ratios of their FMRs and FNMRs, the largest rate over the "
        f"geometric mean (inequity) {grother}, GARBE with alpha 0.5 {howard}, and the fairness discrepancy rate with "
        f"alpha 0.5 {pereira}. Differences of shifts between groups have intervals paired by people who are in both, "
        "if any."
    )
    for target, groups in refused.items():
        said += f" Not compared at {target}: {listed(list(groups))}."
    return said


def _rate(rate: float) -> str:
    return per_cent(rate).replace("\u00a0", " ")
