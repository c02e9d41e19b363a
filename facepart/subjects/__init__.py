"""Paths -> people: which subject a photo shows, by the naming rules of the data sets."""

from facepart.subjects.naming import DATASETS, DEFAULT_DATASET, Rule, naming_rule, split_label

__all__ = ["DATASETS", "DEFAULT_DATASET", "Rule", "naming_rule", "split_label"]
