"""Events on a track: one kind a file."""
