"""Damaged inputs: every kind of file that the program reads, damaged in many ways, and what becomes of it."""
