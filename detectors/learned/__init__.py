"""Detectors that learn what is usual: the only room that imports scikit-learn."""
