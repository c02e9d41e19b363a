"""Paths -> people: which subject a photo shows, by the naming rules of the data sets."""

from facepart.subjects.naming import DATASETS, Rule, naming_rule, split_label

__all__ = ["DATASETS", "Rule", "naming_rule", "split_label"]
