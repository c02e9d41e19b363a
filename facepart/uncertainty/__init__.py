"""Standard errors and intervals for scores that share people."""
