"""Detectors that follow a written rule: one a file."""
