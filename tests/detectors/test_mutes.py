"""Mutes: whose hull a verdict speaks of tonight, and how long."""

import pytest

from detectors.batch.mutes import Hulls, muted_pairs
from tests.detectors.histories import at, history, spell

ALPHA = 273_412_340


def hulls(*tracks, imo=None):
    """Tonight's hulls: (hull, MMSI) of each track; the first says an IMO number."""
    rows = [{"segment_id": f"segment-{i}", "hull_id": hull, "mmsi": mmsi} for i, (hull, mmsi) in enumerate(tracks)]
    said = [spell(mmsi, at(0), at(1), imo=imo, hull_id=hull) for hull, mmsi in tracks[:1]]
    return Hulls(history(as_of=at(2), segments=rows, identities=said), {ALPHA})


def row(hull="hull-a", imo=None, **said):
    return {"hull_id": hull, "mmsi": ALPHA, "imo": imo, **said}


@pytest.mark.parametrize(
    ("tonight", "imo", "told", "found"),
    [
        ([("hull-a", ALPHA), ("hull-b", ALPHA)], None, row(), "hull-a"),
        ([("hull-b", ALPHA)], None, row(), "hull-b"),
        ([("hull-b", ALPHA)], 2318669, row(imo=2318669), "hull-b"),
        ([("hull-b", ALPHA)], 2318669, row(imo=2045171), None),
        ([("hull-b", ALPHA)], 2318669, row(imo=None), "hull-b"),
        ([("hull-b", ALPHA), ("hull-c", ALPHA)], None, row(), None),
        ([("hull-b", ALPHA + 1)], None, row(), None),
    ],
    ids=["by id", "by MMSI", "same IMO", "another IMO", "no IMO told", "two hulls on the MMSI", "not heard"],
)
def test_a_hull_is_known_again(tonight, imo, told, found):
    assert hulls(*tonight, imo=imo).now(told) == found


def test_of_two_mutes_of_one_cause_the_longer_counts():
    mutes = [row(mute_kinds=["name_change"], mute_until=at(day)) for day in (9, 5)]
    assert muted_pairs(mutes, hulls(("hull-a", ALPHA))) == {("hull-a", "name_change"): at(9)}
