"""The answer of a study: its figures as tables, and the report."""
