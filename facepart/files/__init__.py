"""Shared by all stages that write files: atomic writing, failures, run records."""
