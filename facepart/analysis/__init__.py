"""Scores -> figures: metrics, what each subject adds to them, intervals, rankings, groups compared."""
