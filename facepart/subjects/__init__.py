"""Paths -> people: which subject a photo shows, by the naming rules of the data sets."""

from facepart.subjects.naming import (
    DATASETS,
    DEFAULT_DATASET,
    Exclusion,
    Rule,
    find_exclusion,
    naming_rule,
    naming_table,
    split_label,
)

__all__ = [
    "DATASETS",
    "DEFAULT_DATASET",
    "Exclusion",
    "Rule",
    "find_exclusion",
    "naming_rule",
    "naming_table",
    "split_label",
]
