"""What happened at sea: positions, identities, tracks, port visits and voyages from AIS files."""
