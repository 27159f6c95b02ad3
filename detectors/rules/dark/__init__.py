"""Silences of ships: what they say, given how well others were heard there."""
