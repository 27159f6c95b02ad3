"""A run's flagged voyages as files for other programs: GeoPackage, GeoJSON, CSV and KML."""
