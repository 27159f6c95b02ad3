"""Positions that no ship can have had, or hardly: what they may mean."""
