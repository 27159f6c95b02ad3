"""What happened at sea: positions, identities, tracks, port visits and voyages from AIS files.

with vessels.read_tracks("tracks/") as tracks:
    positions = tracks.positions()
"""

from vessels.errors import WakewatchError
from vessels.intake import Tracks, read_tracks
from vessels.zones import Zones, read_zones

__all__ = ["Tracks", "WakewatchError", "Zones", "read_tracks", "read_zones"]
