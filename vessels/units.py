"""Units of measure and their factors; every other module takes its factors from here."""

from typing import Final

METRES_PER_NMI: Final = 1852.0
"""International nautical mile, exact (First Extraordinary Hydrographic Conference, Monaco 1929)."""
KM_PER_NMI: Final = METRES_PER_NMI / 1000.0
US_PER_S: Final = 1_000_000
US_PER_MIN: Final = 60 * US_PER_S
US_PER_H: Final = 3600 * US_PER_S
US_PER_DAY: Final = 24 * US_PER_H
MEAN_EARTH_RADIUS_NMI: Final = 6371.0088 / KM_PER_NMI
"""Mean radius R1 of the WGS 84 ellipsoid (IUGG, Moritz 1980: 6371.0088 km)."""
