"""The methods text: paragraphs for a paper's methods section, auto-generated from what was run.

Every number comes from the study, and what a study did not do is not mentioned; the words stand in
``templates/methods.txt``. The text is plain, so that it can be pasted anywhere.
"""

from dataclasses import dataclass
from typing import NamedTuple

from facepart.analysis.differentials import EACH_GROUP
from facepart.analysis.results import WITHIN
from facepart.occlusion.parts import PARTS
from facepart.occlusion.recipe import REFERENCE, recipe
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
        parser: the face parser.
        recogniser: the face recogniser.
        detector: of faces and landmarks, by which photos were aligned; None if they were not.
        precision: of the networks' arithmetic, e.g. ``bf16``.
        flip: whether the embedding of the mirrored face was added.
        naming_rule: the data set whose naming convention gives the subject, e.g. ``LFW``.
        subject_in_folder: whether that is read from folder names, not file names.
        subject_pattern: the regular expression that gives the subject instead; empty if there is none.
        seed: of the resamples of the subjects.
        excluded: which authentic pairs were left out, in words that follow "authentic pairs"; empty if none were.
    """

    software: str
    parser: NetworkFacts
    recogniser: NetworkFacts
    detector: NetworkFacts | None
    precision: str
    flip: bool
    naming_rule: str
    seed: int
    subject_in_folder: bool = False
    subject_pattern: str = ""
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
    undetected = {part: sum(row.undetected for (_, of), row in rows.items() if of == part) for part in data.parts}
    text = render(
        "methods.txt",
        data=data,
        facts=facts,
        cite=Citations(),
        photos=sum(group.photos for group in data.groups),
        subjects=sum(group.subjects for group in data.groups),
        authentic=sum(group.baseline.authentic.n for group in data.groups),
        impostor=sum(group.baseline.impostor.n for group in data.groups),
        crossed=any(group.crossed for group in data.groups),
        reference=REFERENCE,
        radii={part: recipe(part, REFERENCE, REFERENCE).dilation for part in data.parts if part in PARTS},
        sigma=recipe("nose", REFERENCE, REFERENCE).sigma,  # the same for all parts
        undetected={part: count for part, count in undetected.items() if count},
        controls={part: _control_kinds(data, part) for part in data.parts},
        targets=list(dict.fromkeys(row.target for row in data.differentials)),
        threshold_groups=list(
            dict.fromkeys(row.threshold_of for row in data.differentials if row.threshold_of != EACH_GROUP)
        ),
        excluded=_excluded_groups(data),
    )
    return [line for line in text.split("\n") if line]


def _control_kinds(data: ReportData, part: str) -> list[str]:
    """Return which kinds of control region a part has, in any group."""
    rows = [row for row in data.results if (row.part, row.comparison) == (part, WITHIN)]
    # One kind, or several with their shares.
    return sorted({kind.split()[0] for row in rows if row.control for kind in row.control.split(", ")})


def _excluded_groups(data: ReportData) -> dict[float, dict[str, str]]:
    """Return which groups are not compared: target FMR -> group -> reason."""
    found: dict[float, dict[str, str]] = {}
    for row in data.differentials:
        for group in row.groups:
            if group.refused:
                found.setdefault(row.target, {})[group.group] = group.refused
    return found
