"""Trials: an instructor takes a course in a sandbox whose records are thrown away."""
