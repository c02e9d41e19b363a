"""Every figure of a study, from raw scores, embeddings and subjects, by NumPy and SciPy alone.

A witness: nothing of facepart is imported here. Names are the field's; what the columns of the program's tables are
called is told by :mod:`tests.witness.study_tables`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tests.witness.figures import (
    FEWEST_SUBJECTS,
    UNKNOWN,
    Estimate,
    Figure,
    Spread,
    authentic_mean,
    authentic_mean_of_subjects,
    combined,
    d_prime,
    d_prime_figure,
    degrees_of_mean,
    eer,
    eer_estimate,
    effective_number,
    fmr,
    fnmr,
    fnmr_at,
    identification_rate,
    impostor_mean,
    is_supported,
    log_ratio,
    mean_of_draws,
    mean_of_groups,
    mean_of_places,
    minus,
    mode,
    of_places,
    rate_change,
    ratio,
    shift,
    symmetric,
    threshold_at,
    wilson,
)
from tests.witness.rankings import (
    RankSets,
    first_shares,
    holm,
    laid_out,
    linked,
    pooled,
    rank_sets,
    strata_of,
    subjects_of,
)
from tests.witness.raw_scores import BASELINE, HALF, MILLION, Design, Group, Scores, Version

TARGETS = {"1e3": 1e-3, "1e4": 1e-4}
# Identification rates are reported at these ranks.
RANKS = (1, 10)

OCCLUDED, BASELINE_GALLERY, CONTROL, PATCH = "occluded", "baseline gallery", "control", "patch"
ALONE = "part alone"
ALL_GROUPS, OWN_THRESHOLDS = "all groups", "each group"
MOVED, NOT_CONTROLLABLE = "moved", "not controllable"
# By what parts are ranked: by the mean impostor score, then by other figures.
CRITERIA = (
    *("importance", "impostor shift", "equal area"),
    *("FMR ratio", "d'", "FNMR", "authentic shift in cross-matching"),
)
# Draws of subjects that the share of first ranks is from: more than the program's.
RESAMPLES = 5000
# What a table says where a group takes no part.
FEW_SUBJECTS, FEW_SCORES, NO_THRESHOLD = "few subjects", "few scores", "no threshold"


class StudyOracle:
    """All figures of a study."""

    def __init__(self, design: Design, groups: Mapping[str, Group]) -> None:
        self.design, self.groups = design, groups

    # One row for each part.

    def results(self) -> list[dict[str, Any]]:
        """A row a group, part, occlusion and comparison."""
        return self._results

    @cached_property
    def _results(self) -> list[dict[str, Any]]:
        return [row for name, group in self.groups.items() for row in self._rows_of(name, group)]

    def _rows_of(self, name: str, group: Group) -> Iterator[dict[str, Any]]:
        design = self.design
        for version in design.occluded:
            photos = group.compared(version, design)
            yield self._row(name, version, OCCLUDED, photos, [version])
            if not photos.is_comparable:
                continue
            if controls := self._controls(group, version):
                yield self._row(name, version, CONTROL, group.compared(controls[0], design), controls)
            if version.occlusion != design.main:
                continue
            patch = design.patch_of(version.part)
            if design.patches and group.compared(patch, design).is_comparable:
                yield self._row(name, version, PATCH, group.compared(patch, design), [patch])
            alone = design.keep_only_of(version.part)
            if design.keep_only and group.compared(alone, design).is_comparable:
                yield self._row(name, version, ALONE, group.compared(alone, design), [alone])
            if design.cross:
                yield self._row(name, version, BASELINE_GALLERY, photos, [version])

    def _controls(self, group: Group, version: Version) -> list[Version]:
        """The draws of a part's control; none where it fits on too few of the photos on which the part was found."""
        controls = self.design.controls_of(version)
        if not controls:
            return []
        found, placed = (group.found(each, self.design) for each in (version, controls[0]))
        enough = placed.sum() >= HALF * found.sum()
        return controls if enough and group.only(placed).is_comparable else []

    def _row(
        self, name: str, version: Version, comparison: str, photos: Group, shown: Sequence[Version]
    ) -> dict[str, Any]:
        """A row.

        Args:
            name: the group's.
            version: the part occluded.
            comparison: what the row is about.
            photos: those that are compared.
            shown: what is compared: `version`, its patch, keep-only, or the draws of its control.
        """
        design, group, number = self.design, self.groups[name], len(photos.subjects)
        control = ""
        if design.draws and version.occlusion == design.main:
            control = MOVED if self._controls(group, version) else NOT_CONTROLLABLE
        share = photos.pixels[version.part] / np.maximum(photos.head, 1)
        row: dict[str, Any] = {
            "group": name,
            "part": version.part,
            "occlusion": version.occlusion,
            "comparison": comparison,
            "photos": len(group.subjects),
            "subjects": len(group.names),
            "photos without part": int((~group.found(version, design)).sum()),
            "photos compared": number,
            "subjects compared": len(photos.names),
            "share of head": float(share.mean()) if number else 0.0,
            "share replaced": float(np.mean([photos.replaced[each] for each in shown])) if number else 0.0,
            "kind of control": control,
        }
        if not photos.is_comparable:
            return row | NO_FIGURES
        cross = comparison == BASELINE_GALLERY
        baseline = photos.compare(BASELINE)
        occluded = [photos.compare(each, cross) for each in shown]
        row |= NO_FIGURES | self._impostor(group, version, comparison, photos, shown)
        percent = 100 * row["share replaced"]
        moved = row["impostor shift"]
        owners = occluded[0].impostor_owners
        number_of_scores = [np.bincount(each, minlength=len(photos.names)) for each in owners]
        common = float(np.mean([mode(each.impostor) for each in occluded]))
        row |= {
            "authentic scores": sum(len(each.authentic) for each in occluded),
            "impostor scores": sum(len(each.impostor) for each in occluded),
            "effective authentic subjects": effective_number(np.bincount(occluded[0].owner)),
            "effective impostor subjects": effective_number(np.sum(number_of_scores, axis=0)),
            "impostor shift per 1 % of image": moved.scaled(1 / percent) if percent else UNKNOWN,
            "impostor mode": common,
            "impostor mode shift": round(common - mode(baseline.impostor), 6),
            **_distances("impostor", baseline.impostor, [each.impostor for each in occluded]),
            "impostor d'": float(np.mean([d_prime(baseline.impostor, each.impostor) for each in occluded])),
        }
        return row | _rates(baseline, occluded) | _authentic(baseline, occluded) | _identification(baseline, occluded)

    def _impostor(
        self, group: Group, version: Version, comparison: str, photos: Group, shown: Sequence[Version]
    ) -> dict[str, Estimate]:
        """Impostor means, and differences of them."""
        cross = comparison == BASELINE_GALLERY
        means = [(1 / len(shown), impostor_mean(photos, each, cross=cross)) for each in shown]
        row = {
            "baseline impostor mean": symmetric(impostor_mean(photos, BASELINE)),
            "impostor mean": symmetric(combined(means)),
            "impostor shift": symmetric(combined(shift(photos, shown, cross=cross))),
        }
        alike = shift(photos, shown, cross=cross, subjects_alike=True)
        row["impostor shift, subjects alike"] = symmetric(combined(alike))
        controls = self._controls(group, version)
        if comparison == OCCLUDED and controls:
            elsewhere = combined(shift(group.compared(controls[0], self.design), controls))
            row["control shift"] = symmetric(replace(elsewhere, places=self._places(group, controls)))
            evenly = combined(shift(group.compared(controls[0], self.design), controls, subjects_alike=True))
            places = self._places(group, controls, subjects_alike=True)
            row["control shift, subjects alike"] = symmetric(replace(evenly, places=places))
            row["importance"] = symmetric(self._importance(group, version))
            row["importance, subjects alike"] = symmetric(self._importance(group, version, subjects_alike=True))
        return row

    def _importance(self, group: Group, version: Version, *, subjects_alike: bool = False) -> Figure:
        """A part's shift minus that of its control, on the photos on which the control has a place."""
        controls = self._controls(group, version)
        photos = group.compared(controls[0], self.design)
        means = [impostor_mean(photos, each, subjects_alike=subjects_alike) for each in (version, *controls)]
        net = combined([(1.0, means[0]), *((-1 / len(controls), mean) for mean in means[1:])])
        return replace(net, places=self._places(group, controls, subjects_alike=subjects_alike))

    def _places(self, group: Group, controls: Sequence[Version], *, subjects_alike: bool = False) -> Spread:
        return of_places(self._draws(group, controls, subjects_alike=subjects_alike))

    def _draws(
        self, group: Group, controls: Sequence[Version], *, subjects_alike: bool = False
    ) -> NDArray[np.float64]:
        """The shift by each draw of a control."""
        photos = group.compared(controls[0], self.design)
        return np.array([combined(shift(photos, [each], subjects_alike=subjects_alike)).value for each in controls])

    # Rankings.

    @cached_property
    def rankings(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Criterion -> group, or all, -> the parts, the one with the largest effect first.

        Criteria that no group supports are left out.
        """
        found = {}
        for criterion in CRITERIA:
            effects = {
                name: {part: effect for part in self.design.parts if (effect := self._effect(group, part, criterion))}
                for name, group in self.groups.items()
            }
            if any(effects.values()):
                found[criterion] = self._rankings_by(effects)
        return found

    @cached_property
    def keep_only_rankings(self) -> dict[str, list[dict[str, Any]]]:
        """Group, or all, -> the parts by d' with only that part left."""
        effects: dict[str, dict[str, Figure]] = {name: {} for name in self.groups}
        for name, group in self.groups.items():
            for part in self.design.parts if self.design.keep_only else ():
                alone = self.design.keep_only_of(part)
                photos = group.compared(alone, self.design)
                enough = group.found(alone, self.design).sum() >= HALF * len(group.subjects)
                if enough and photos.is_comparable and len(photos.compare(alone).authentic):
                    effects[name][part] = d_prime_figure(photos.compare(alone))
        return self._rankings_by(effects) if any(effects.values()) else {}

    @property
    def ranked_by(self) -> str:
        """The criterion asked for; else importance where there is a control, else the shift."""
        return self.design.rank_by or ("importance" if "importance" in self.rankings else "impostor shift")

    def _effect(self, group: Group, part: str, criterion: str) -> Figure | None:
        """A part's effect; none where it has no rank."""
        version, design = Version(part, self.design.main), self.design
        alike = {"subjects_alike": design.subjects_alike}
        photos = group.compared(version, design)
        if group.found(version, design).sum() < HALF * len(group.subjects) or not photos.is_comparable:
            return None
        if criterion == "importance":
            return self._importance(group, version, **alike) if self._controls(group, version) else None
        if criterion == "impostor shift":
            return combined(shift(photos, [version], **alike))
        if criterion == "equal area":
            patch = design.patch_of(part)
            if not design.patches or group.found(patch, design).sum() < HALF * len(group.subjects):
                return None
            on_patch = group.compared(patch, design)
            return combined(shift(on_patch, [patch], **alike)) if on_patch.is_comparable else None
        return self._effect_of_scores(photos, version, criterion)

    def _effect_of_scores(self, photos: Group, version: Version, criterion: str) -> Figure | None:
        baseline, occluded, target = photos.compare(BASELINE), photos.compare(version), TARGETS["1e3"]
        if criterion == "FMR ratio":
            if not is_supported(baseline.impostor, target):
                return None
            threshold = threshold_at(baseline.impostor, target)
            after, before = fmr(occluded, threshold), fmr(baseline, threshold)
            return log_ratio(after, before) if after.value and before.value else None
        if not len(baseline.authentic):
            return None
        if criterion == "d'":
            return minus(d_prime_figure(baseline), d_prime_figure(occluded))
        if criterion == "FNMR":
            supported = all(is_supported(each.impostor, target) for each in (baseline, occluded))
            after, before = fnmr_at(occluded, target), fnmr_at(baseline, target)
            return minus(after, before) if supported and (after.value or before.value) else None
        if not self.design.cross:
            return None
        return minus(authentic_mean(baseline), authentic_mean(photos.compare(version, cross=True)))

    def _rankings_by(self, effects: Mapping[str, Mapping[str, Figure]]) -> dict[str, list[dict[str, Any]]]:
        rankings = {name: self._ranking({name: figures}) for name, figures in effects.items()}
        return {ALL_GROUPS: self._ranking(effects)} | rankings if len(self.groups) > 1 else rankings

    def _ranking(self, effects: Mapping[str, Mapping[str, Figure]]) -> list[dict[str, Any]]:
        """Rank the parts that have a rank in each of some groups, by the mean over these."""
        subjects = {name: self.groups[name].names.tolist() for name in effects}
        parts = [part for part in self.design.parts if all(part in figures for figures in effects.values())]
        found = {part: pooled({name: figures[part] for name, figures in effects.items()}, subjects) for part in parts}
        means = {part: mean_of_groups(figures) for part, figures in found.items()}
        order = sorted(parts, key=lambda part: -means[part].value)
        sets, shares = RankSets([1] * len(order), [len(order)] * len(order), [True] * len(order)), None
        # A part without an interval may have any rank: it is compared with no other.
        certain = [part for part in order if not math.isnan(means[part].low)]
        if certain:
            known: dict[str, Any] = {
                "values": [means[part].value for part in certain],
                "influences": laid_out(
                    [found[part] for part in certain], [subjects_of(each, subjects) for each in linked(subjects)]
                ),
                "places": [mean_of_places([each.places for each in found[part]]) for part in certain],
            }
            of_certain = rank_sets(
                **known,
                degrees={
                    pair: degrees_of_mean(
                        [minus(*both).of_subjects for both in zip(*(found[certain[at]] for at in pair), strict=True)]
                    )
                    for pair in combinations(range(len(certain)), 2)
                },
            )
            for row, part in enumerate(certain):
                sets.low[order.index(part)] = of_certain.low[row]
                sets.high[order.index(part)] = of_certain.high[row] + len(order) - len(certain)
                sets.may_be_first[order.index(part)] = of_certain.may_be_first[row]
            if len(certain) == len(order):
                shares = first_shares(**known, strata=strata_of(subjects), draws=RESAMPLES)
        rows = []
        for place, part in enumerate(order):
            lead = UNKNOWN
            if place + 1 < len(order):
                following = {
                    name: combined([(1.0, figures[part]), (-1.0, figures[order[place + 1]])])
                    for name, figures in effects.items()
                }
                lead = mean_of_groups(pooled(following, subjects))
            rows.append(
                {
                    "part": part,
                    "effect": means[part],
                    "ranked first": math.nan if shares is None else float(shares[place]),
                    "lead": lead,
                    "best rank": sets.low[place],
                    "worst rank": sets.high[place],
                    "may be first": sets.may_be_first[place],
                    "tied": bool(lead.low <= 0 <= lead.high),
                }
            )
        return rows

    def agreements(self) -> list[dict[str, Any]]:
        """How the parts rank in each occlusion, by their shifts, beside the main one."""
        rows = []
        whole = {ALL_GROUPS: list(self.groups)} if len(self.groups) > 1 else {}
        members = whole | {name: [name] for name in self.groups}
        for occlusion in self.design.occlusions:
            for name, groups in members.items():
                main, other = (self._mean_shifts(groups, way) for way in (self.design.main, occlusion))
                if not main or not other:
                    continue
                order = sorted(other, key=lambda part: -other[part])
                tau = (
                    stats.kendalltau(list(main.values()), list(other.values())).statistic
                    if len(main) > 1
                    else math.nan
                )
                rows.append(
                    {
                        "occlusion": occlusion,
                        "group": name,
                        "parts": order,
                        "Kendall's tau": float(tau),
                        "same part first": order[0] == max(main, key=lambda part: main[part]),
                    }
                )
        return rows

    def _mean_shifts(self, names: Sequence[str], occlusion: str) -> dict[str, float]:
        """The mean shift of each part over groups, if it is found on most photos and has figures in each."""
        found = {}
        for part in self.design.parts:
            version = Version(part, occlusion)
            photos = [self.groups[name].compared(version, self.design) for name in names]
            main = Version(part, self.design.main)
            often = all(
                group.found(main, self.design).sum() >= HALF * len(group.subjects)
                for group in (self.groups[name] for name in names)
            )
            if often and all(each.is_comparable for each in photos):
                found[part] = float(np.mean([combined(shift(each, [version])).value for each in photos]))
        return found

    # Groups compared.

    def _shifts(self, version: Version) -> dict[str, Figure]:
        """The shift of a part in every group in which there are figures of it."""
        photos = {name: group.compared(version, self.design) for name, group in self.groups.items()}
        alike = self.design.subjects_alike
        return {
            name: combined(shift(each, [version], subjects_alike=alike))
            for name, each in photos.items()
            if each.is_comparable
        }

    def shift_differences(self) -> list[dict[str, Any]]:
        """A row an effect, part, occlusion and two groups."""
        shifts = {version: self._shifts(version) for version in self.design.occluded}
        return self._effect_differences("impostor shift", shifts) + self._importance_differences()

    def _importance_differences(self) -> list[dict[str, Any]]:
        """The same of importances, of parts that have a rank by it in both groups."""
        alike, by_version = self.design.subjects_alike, {}
        draws: dict[Version, dict[str, NDArray[np.float64]]] = {}
        for part in self.design.parts:
            version = Version(part, self.design.main)
            found = {name: self._effect(group, part, "importance") for name, group in self.groups.items()}
            by_version[version] = {name: effect for name, effect in found.items() if effect is not None}
            draws[version] = {
                name: self._draws(group, self._controls(group, version), subjects_alike=alike)
                for name, group in self.groups.items()
                if name in by_version[version]
            }
        return self._effect_differences("importance", by_version, draws)

    def _effect_differences(
        self,
        effect: str,
        effects: dict[Version, dict[str, Figure]],
        draws: dict[Version, dict[str, NDArray[np.float64]]] | None = None,
    ) -> list[dict[str, Any]]:
        rows, found = [], []
        for version, shifts in effects.items():
            for first, second in combinations(shifts, 2):
                paired = bool(set(self.groups[first].names) & set(self.groups[second].names))
                one, other = shifts[first], shifts[second]
                difference = minus(one, other)
                if not paired:
                    difference = replace(difference, double_counted=one.double_counted + other.double_counted)
                if draws is not None:
                    # The draws of both groups are at the same places.
                    places = of_places(draws[version][first] - draws[version][second])
                    difference = replace(difference, places=places)
                found.append(difference)
                rows.append(
                    {
                        "part": version.part,
                        "occlusion": version.occlusion,
                        "effect": effect,
                        "first group": first,
                        "second group": second,
                        "groups share subjects": paired,
                        "difference": symmetric(difference),
                    }
                )
        p_values = [_p_value(each) for each in found]
        for row, difference, p, corrected in zip(rows, found, p_values, holm(p_values), strict=True):
            row |= {"p": p, "Holm's p": corrected, "equivalent": self._is_equivalent(difference)}
        return rows

    def _is_equivalent(self, difference: Figure) -> bool | None:
        """Whether both one-sided tests reject that a difference is beyond the margin."""
        margin = self.design.margin
        if margin is None or not difference.has_interval:
            return None
        error = math.sqrt(difference.spread.variance)
        degrees = min(difference.spread.degrees, difference.degrees)
        below = stats.t.sf((difference.value + margin) / error, degrees)
        above = stats.t.cdf((difference.value - margin) / error, degrees)
        return bool(max(below, above) < 0.05)

    def differentials(self) -> list[dict[str, Any]]:
        """A row a set of photos, target and kind of threshold; with the groups' rates and their ratios."""
        return self._differentials

    @cached_property
    def _differentials(self) -> list[dict[str, Any]]:
        if len(self.groups) < 2:
            return []
        rows = []
        for version in (BASELINE, *(Version(part, self.design.main) for part in self.design.parts)):
            photos = {name: group.compared(version, self.design) for name, group in self.groups.items()}
            known = {name: each for name, each in photos.items() if each.is_comparable}
            # Photos that are kept as they are count for the threshold, also of a group without the part.
            baselines = known
            if self.design.keeps_undetected:
                baselines = {name: group for name, group in self.groups.items() if group.is_comparable}
            common = self.design.threshold_group or ALL_GROUPS
            kinds = [common, OWN_THRESHOLDS] if common in (ALL_GROUPS, *baselines) else [OWN_THRESHOLDS]
            if known:
                rows += [
                    self._differential(version, known, baselines, target, kind)
                    for target in TARGETS.values()
                    for kind in kinds
                ]
        return rows

    def _differential(
        self,
        version: Version,
        photos: Mapping[str, Group],
        baselines: Mapping[str, Group],
        target: float,
        threshold_of: str,
    ) -> dict[str, Any]:
        common = None if threshold_of == OWN_THRESHOLDS else _common_threshold(baselines, target, threshold_of)
        rows, known = [], {}
        for name, group in photos.items():
            scores, subjects = group.compare(version), len(group.names)
            refused = "" if is_supported(scores.impostor, target) else FEW_SCORES
            if subjects < FEWEST_SUBJECTS:
                refused = FEW_SUBJECTS
            threshold = threshold_at(scores.impostor, target) if threshold_of == OWN_THRESHOLDS else common
            row: dict[str, Any] = {"group": name, "threshold": math.nan, "FMR": UNKNOWN, "FNMR": UNKNOWN}
            rows.append(row)
            if threshold is None or subjects < FEWEST_SUBJECTS:
                row["refused"] = refused or NO_THRESHOLD
                continue
            matched, missed = fmr(scores, threshold), None
            row |= {"threshold": threshold / MILLION, "FMR": wilson(matched, matched.effective / 2)}
            if scores.with_authentic >= FEWEST_SUBJECTS:
                missed = fnmr_at(scores, target) if threshold_of == OWN_THRESHOLDS else fnmr(scores, threshold)
                row["FNMR"] = wilson(missed, missed.effective)
            row["refused"] = refused
            if not refused:
                known[name] = {"FMR": matched, "FNMR": missed}
        rates = {kind: [row[kind].value for row in rows if row["group"] in known] for kind in ("FMR", "FNMR")}
        return {
            "part": version.part,
            "target": target,
            "threshold of": threshold_of,
            "groups": rows,
            "ratios": [_ratios(first, second, known) for first, second in combinations(known, 2)],
            **_inequalities(rates["FMR"], rates["FNMR"]),
        }

    def differential_rows(self) -> list[dict[str, Any]]:
        """The same as one table: a row a group; ratios to the first group that takes part."""
        rows = []
        for each in self.differentials():
            whole = {key: value for key, value in each.items() if key not in ("groups", "ratios")}
            for group in each["groups"]:
                row = {**whole, **group, "ratio to": "", "ratio of FMR": UNKNOWN, "ratio of FNMR": UNKNOWN}
                for found in each["ratios"]:
                    if (found["first group"], found["second group"]) == (
                        each["ratios"][0]["first group"],
                        row["group"],
                    ):
                        row["ratio to"] = found["first group"]
                        row |= {f"ratio of {kind}": found[kind].inverse() for kind in ("FMR", "FNMR")}
                rows.append(row)
        return rows


def _p_value(difference: Figure) -> float:
    """How likely a difference at least as large is if there is none."""
    if not difference.has_interval:
        return math.nan
    t = abs(difference.value) / math.sqrt(difference.spread.variance)
    return float(2 * stats.t.sf(t, min(difference.spread.degrees, difference.degrees)))


def _common_threshold(photos: Mapping[str, Group], target: float, threshold_of: str) -> int | None:
    """The threshold of the baseline scores of some photos of all groups, or of one; None with too few scores."""
    names = list(photos) if threshold_of == ALL_GROUPS else [threshold_of]
    impostor = np.concatenate([photos[name].compare(BASELINE).impostor for name in names])
    return threshold_at(impostor, target) if is_supported(impostor, target) else None


def _ratios(first: str, second: str, known: Mapping[str, Mapping[str, Figure | None]]) -> dict[str, Any]:
    row: dict[str, Any] = {"first group": first, "second group": second}
    for kind in ("FMR", "FNMR"):
        one, other = known[first][kind], known[second][kind]
        row[kind] = UNKNOWN if one is None or other is None else ratio(one, other)
    return row


def _distances(kind: str, before: NDArray[np.int64], draws: Sequence[NDArray[np.int64]]) -> dict[str, float]:
    one, others = before / MILLION, [after / MILLION for after in draws]
    ks = [stats.ks_2samp(one, other, method="asymp").statistic for other in others]
    moved = [stats.wasserstein_distance(one, other) for other in others]
    return {f"{kind} Kolmogorov-Smirnov": float(np.mean(ks)), f"{kind} Wasserstein": float(np.mean(moved))}


def _rates(baseline: Scores, draws: Sequence[Scores]) -> dict[str, Estimate]:
    """FMR at the baseline's threshold, and how many times the baseline's it is."""
    row: dict[str, Estimate] = {}
    for name, target in TARGETS.items():
        if is_supported(baseline.impostor, target):
            threshold = threshold_at(baseline.impostor, target)
            after = mean_of_draws([fmr(each, threshold) for each in draws])
            row[f"FMR at baseline threshold {name}"] = wilson(after, after.effective / 2)
            row[f"FMR ratio {name}"] = ratio(after, fmr(baseline, threshold))
    return row


def _authentic(baseline: Scores, draws: Sequence[Scores]) -> dict[str, Any]:
    """All that needs authentic scores."""
    if not all(len(each.authentic) for each in (baseline, *draws)):
        return {}
    before, after = d_prime_figure(baseline), mean_of_draws([d_prime_figure(each) for each in draws])
    mean = mean_of_draws([authentic_mean(each) for each in draws])
    of_subjects = mean_of_draws([authentic_mean_of_subjects(each) for each in draws])
    equal = mean_of_draws([eer(each) for each in draws])
    row = {
        "baseline d'": symmetric(before),
        "d'": symmetric(after),
        "d' change": symmetric(minus(after, before)),
        "authentic mean": symmetric(mean),
        "authentic shift": symmetric(minus(mean, authentic_mean(baseline))),
        "authentic shift, subjects alike": symmetric(minus(of_subjects, authentic_mean_of_subjects(baseline))),
        "EER": eer_estimate(draws[0]) if len(draws) == 1 else wilson(equal, equal.effective),
        "baseline EER": eer_estimate(baseline),
        **_distances("authentic", baseline.authentic, [each.authentic for each in draws]),
    }
    for name, target in TARGETS.items():
        for which, scores in (("", draws), ("baseline ", [baseline])):
            if is_supported(baseline.impostor, target):
                missed = mean_of_draws([fnmr_at(each, target) for each in scores])
                row[f"{which}FNMR {name}"] = wilson(missed, missed.effective)
    return row


def _identification(baseline: Scores, draws: Sequence[Scores]) -> dict[str, Estimate]:
    """Identification rates, whose intervals are over the subjects of the probes that have a rank."""
    row: dict[str, Estimate] = {}
    if all((each.probes.ranks > 0).any() for each in (baseline, *draws)):
        for most in RANKS:
            after = mean_of_draws([identification_rate(each, most) for each in draws])
            before = identification_rate(baseline, most)
            row[f"rank-{most} rate"] = wilson(after, after.effective)
            row[f"baseline rank-{most} rate"] = wilson(before, before.effective)
            row[f"rank-{most} rate change"] = rate_change(after, before)
    return row


def _no_figures() -> dict[str, Any]:
    """The columns of a row without figures."""
    row: dict[str, Any] = {"authentic scores": 0, "impostor scores": 0}
    estimates = ["baseline d'", "d'", "d' change", "baseline impostor mean", "impostor mean"]
    estimates += ["impostor shift", "impostor shift, subjects alike", "impostor shift per 1 % of image"]
    estimates += ["control shift", "control shift, subjects alike", "importance", "importance, subjects alike"]
    estimates += ["authentic mean", "authentic shift", "authentic shift, subjects alike", "EER", "baseline EER"]
    for name in TARGETS:
        estimates += [f"FMR at baseline threshold {name}", f"FMR ratio {name}", f"FNMR {name}"]
        estimates += [f"baseline FNMR {name}"]
    for most in RANKS:
        estimates += [f"rank-{most} rate", f"baseline rank-{most} rate", f"rank-{most} rate change"]
    numbers = ["effective authentic subjects", "effective impostor subjects", "impostor mode", "impostor mode shift"]
    numbers += ["impostor d'"]
    numbers += [
        f"{kind} {what}" for kind in ("authentic", "impostor") for what in ("Kolmogorov-Smirnov", "Wasserstein")
    ]
    return row | dict.fromkeys(estimates, UNKNOWN) | dict.fromkeys(numbers, math.nan)


NO_FIGURES = _no_figures()


def _inequalities(fmrs: Sequence[float], fnmrs: Sequence[float]) -> dict[str, float]:
    row: dict[str, float] = dict.fromkeys(
        ["inequity of FMR", "inequity of FNMR", "GARBE", "fairness discrepancy rate"], math.nan
    )
    if len(fmrs) < 2:
        return row
    row["inequity of FMR"] = _inequity(fmrs)
    if np.isfinite(fnmrs).all():
        row["inequity of FNMR"] = _inequity(fnmrs)
        row["GARBE"] = (_gini(fmrs) + _gini(fnmrs)) / 2
        row["fairness discrepancy rate"] = 1 - (np.ptp(fmrs) + np.ptp(fnmrs)) / 2
    return row


def _inequity(rates: Sequence[float]) -> float:
    return max(rates) / float(stats.gmean(rates)) if min(rates) else math.nan


def _gini(rates: Sequence[float]) -> float:
    count = len(rates)
    apart = sum(abs(one - other) for one in rates for other in rates)
    return count / (count - 1) * apart / (2 * count**2 * float(np.mean(rates))) if max(rates) else math.nan
