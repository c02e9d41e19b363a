"""Rankings by several criteria side by side: which part is first by which, ties, and parts without a rank."""

import dataclasses
import re

import pytest

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import CONTROL, WITHIN
from facepart.occlusion.occlusion import Occlusion
from facepart.report.criteria_compared import CriteriaTable, criteria_table, falls_beyond_control
from facepart.report.methods import methods
from facepart.report.page import render_report
from facepart.report.report_data import ReportData
from facepart.report.terminal import results_text
from tests.report_data import FACTS, make_data, with_figures
from tests.report_faces import DrawnGroup
from tests.report_page import Page

DATA = make_data(("all",), ("eyes", "brows", "nose", "skin"), people=20)


def ranking(effects: dict[str, float]) -> list[Ranked]:
    """A ranking by effects, each with a CI."""
    order = sorted(effects, key=effects.__getitem__, reverse=True)
    known = [(part, effects[part]) for part in order]
    return [
        Ranked(part, Interval(value, 0.01, value - 0.02, value + 0.02, 50.0), 0.5, UNKNOWN, 1, 2, True)
        for part, value in known
    ]


def table(**effects: dict[str, float]) -> CriteriaTable:
    return criteria_table("", {name: ranking(found) for name, found in effects.items()}, DATA.parts)


def with_rankings(**effects: dict[str, float]) -> ReportData:
    return with_figures(
        DATA,
        rankings={name: {"all": ranking(found)} for name, found in effects.items()},
        ranked_by=next(iter(effects)),
    )


def texts(data: ReportData) -> tuple[str, str, str]:
    """The answer, the section on criteria, and its table's rows one a line."""
    page = Page(render_report(data))
    (answer,) = [text for attributes, text in page.all("p") if attributes.get("class") == "answer"]
    (section,) = [text for attributes, text in page.all("section") if attributes.get("id") == "criteria"]
    return answer, section, "\n".join(text for _, text in page.all("tr"))


def test_a_part_is_said_to_be_first_where_it_is_first_of_all_parts() -> None:
    """Brows are first by d' of the parts that importance ranks, but second to the skin."""
    data = with_rankings(
        importance={"eyes": 0.2, "brows": 0.1, "nose": 0.05},
        d_prime={"skin": 3.0, "brows": 2.0, "eyes": 1.0, "nose": 0.5},
    )
    answer, section, rows = texts(data)
    assert "Of the parts ranked by importance, it is the eyes by importance; by decrease in d′, the brows." in section
    assert "The skin has no rank by importance, but is ranked first by decrease in d′." in section
    assert "rank other parts first" not in answer
    assert "The skin, without a rank by importance, is ranked first by decrease in d′." in answer
    assert re.search(r"^    skin:? +d_prime$", results_text(data.figures), re.M)
    assert "did not agree" in " ".join(methods(data, FACTS))
    assert re.search(r"^importance .* 3 of 4 –$", rows, re.M) and re.search(r"^decrease in d′ .* 4 of 4", rows, re.M)


def test_equal_effects_are_a_tie() -> None:
    """As in FNMRs with few errors: a tie is neither an agreement nor a disagreement, and no order."""
    equal = {"eyes": 0.3 - 0.2, "nose": 0.1, "brows": 0.0, "skin": 0.0}
    found = table(impostor_shift={"nose": 0.2, "eyes": 0.1, "brows": 0.05, "skin": 0.01}, fnmr=equal)
    assert {part: rank for part, (rank, _) in found.rankings[1].ranked.items()} == {
        "eyes": 1,
        "nose": 1,
        "brows": 3,
        "skin": 3,
    }
    assert found.differing == [] and found.other_firsts == []
    assert found.agreeing == ["increase in FNMR (tied)"]
    assert found.rankings[1].tau == pytest.approx(4 / (6 * 4) ** 0.5)
    answer, section, _ = texts(
        with_rankings(impostor_shift={"nose": 0.2, "eyes": 0.1, "brows": 0.05, "skin": 0.01}, fnmr=equal)
    )
    assert re.search(
        "By increase in FNMR, the (eyes and nose|nose and eyes) are tied: their effects are equal", section
    )
    assert "The nose is ranked first by other criteria, too: increase in FNMR (tied)." in answer


def test_the_first_parts_of_the_study_may_be_tied() -> None:
    data = with_rankings(fnmr={"eyes": 0.02, "nose": 0.02, "skin": 0.0}, impostor_shift={"nose": 0.2, "eyes": 0.1})
    answer, section, rows = texts(data)
    assert "The nose has the same effect." in answer and "rank other parts first" not in answer
    assert "By increase in FNMR, the eyes and nose are tied" in section
    assert "1. nose" in rows and "3. skin" in rows
    assert re.search(r"^    eyes = nose:? +fnmr$", results_text(data.figures), re.M)


def test_ranks_say_among_how_many_parts_they_are() -> None:
    """Parts without a false non-match have no rank by FNMR, although none has a smaller effect."""
    shifts = {"nose": 0.2, "eyes": 0.1, "brows": 0.05, "skin": 0.01}
    data = with_rankings(impostor_shift=shifts, fnmr={"nose": 2 / 102, "eyes": 1 / 102})
    data = with_figures(data, unsupported={"fnmr": {"all": dict.fromkeys(("brows", "skin"), "no false non-match")}})
    answer, section, rows = texts(data)
    assert "first by other criteria, too: increase in FNMR (2 of 4 parts ranked)." in answer
    assert re.search(r"^increase in FNMR .* 2 of 4 1\.00$", rows, re.M)
    assert re.search(r"^impostor shift .* 4 of 4 –$", rows, re.M)
    assert (
        "A part has no rank by increase in FNMR if there is no false non-match, either at baseline or with the part "
        "occluded." in section
    )
    assert "Ranks and their CIs are among the parts ranked by the criterion" in section


def test_criteria_that_rank_none_of_the_parts_are_not_said_to_agree() -> None:
    data = with_rankings(impostor_shift={"nose": 0.2, "eyes": 0.1}, d_prime={"nose": 2.0}, fnmr={"skin": 0.1})
    _, section, _ = texts(data)
    assert "the nose is ranked first by both criteria that rank any of them." in section
    _, section, _ = texts(with_rankings(impostor_shift={"nose": 0.2, "eyes": 0.1}, fnmr={"skin": 0.1}))
    assert "Among the parts" not in section and "but is ranked first by increase in FNMR" in section


def test_the_fall_of_d_prime_is_compared_with_that_of_the_control() -> None:
    """Of the parts with a control: by more, by less, and not at all, though the control raises it."""
    data = make_data(("CM", "CF"), ("nose", "eyes"), people=30, control=True)
    changes = {
        ("CM", "nose"): (-1.5, -0.9),
        ("CM", "eyes"): (-1.5, -1.7),
        ("CF", "nose"): (0.1, 0.3),
        ("CF", "eyes"): (-0.2, 0.3),
    }
    rows = []
    for row in data.results:
        both = changes.get((row.group, row.part))
        if row.comparison in (WITHIN, CONTROL):
            place = row.comparison == CONTROL
            change = UNKNOWN._replace(value=both[place]) if both else UNKNOWN
            row = dataclasses.replace(row, d_prime_change=change)
        rows.append(row)
    changed = with_figures(data, results=rows)
    assert falls_beyond_control(changed) == {"CM": ["nose"], "CF": ["eyes"]}
    _, section, _ = texts(changed)
    assert "with its control regions occluded for these parts: nose (CM); eyes (CF)." in section
    assert falls_beyond_control(DATA) == {}
    assert (
        "control regions" not in texts(with_rankings(impostor_shift={"nose": 2, "eyes": 1}, d_prime={"nose": 1}))[1]
    )


@pytest.mark.parametrize("keep", [False, True])
def test_a_part_smaller_than_the_equal_area_in_most_photos_has_no_rank_by_it(
    keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its effect would be that of the few photos in which it is large, or of many that stay as they are."""
    whole = DrawnGroup.undetected

    def undetected(self: DrawnGroup, occlusion: Occlusion) -> int:
        return self.photos * 3 // 5 if occlusion == self._design.patch_of("nose") else whole(self, occlusion)

    monkeypatch.setattr(DrawnGroup, "undetected", undetected)
    data = make_data(("CM",), ("nose", "eyes"), people=30, equal_area=True, keep_undetected=keep)
    assert [each.part for each in data.figures.rankings["equal_area"]["CM"]] == ["eyes"]
    reason = "the area fits within the part in under half of the photos"
    assert data.figures.unsupported["equal_area"] == {"CM": {"nose": reason}}
    by_area = with_figures(data, ranked_by="equal_area")
    assert f"Nose is not ranked: {reason}." in texts(by_area)[0]
    said = "all; those in which the patch does not fit were compared unoccluded"
    assert (said in render_report(by_area)) == keep
