"""A script for each claim of speed, memory or accuracy in the documentation."""
