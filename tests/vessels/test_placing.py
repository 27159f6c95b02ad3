"""Events find the track and hull that they belong to after tracks were parted."""

from typing import Any

import pyarrow as pa
import pytest

from vessels.event_tables import ENCOUNTERS, LOITERING
from vessels.parting import Cut
from vessels.placing import placed
from vessels.schema import SEGMENTS, Table

HOUR_US = 3_600_000_000


def build(table: Table, *rows: dict[str, Any]) -> pa.Table:
    return table.build({name: [row.get(name) for row in rows] for name in table.names})


def track(name: str, hull: str) -> dict[str, Any]:
    return {"segment_id": name, "hull_id": hull}


def event(segment_id: str, hour: int, **said: Any) -> dict[str, Any]:
    return {"segment_id": segment_id, "start": hour * HOUR_US, "mmsi": 273000010, **said}


CUTS = (
    Cut("a", 273000010, 10 * HOUR_US, 20 * HOUR_US, "a-second"),
    Cut("a", 273000010, 40 * HOUR_US, 50 * HOUR_US, "a-third"),
)
TRACKS = build(SEGMENTS, track("a", "one"), track("a-second", "two"), track("a-third", "three"), track("b", "four"))


@pytest.mark.parametrize(
    ("hour", "name", "hull"),
    [(5, "a", "one"), (10, "a", "one"), (20, "a-second", "two"), (40, "a-second", "two"), (60, "a-third", "three")],
)
def test_an_event_goes_to_the_part_of_the_track_in_which_it_began(hour: int, name: str, hull: str) -> None:
    for cuts in (CUTS, CUTS[::-1]):
        found = placed(build(LOITERING, event("b", 60), event("a", hour)), cuts, TRACKS)
        assert found["segment_id"].to_pylist() == ["b", name]
        assert found["hull_id"].to_pylist() == ["four", hull]


def test_the_other_ship_of_an_encounter_is_placed_by_itself() -> None:
    meeting = build(ENCOUNTERS, event("b", 60, other_segment_id="a"))
    found = placed(placed(meeting, CUTS, TRACKS), CUTS, TRACKS, "other_")
    assert found.select(["segment_id", "hull_id", "other_segment_id", "other_hull_id"]).to_pylist() == [
        {"segment_id": "b", "hull_id": "four", "other_segment_id": "a-third", "other_hull_id": "three"}
    ]


def test_without_cuts_only_hulls_are_filled_in_and_unknown_tracks_have_none() -> None:
    found = placed(build(LOITERING, event("a", 5), event("nowhere", 5)), (), TRACKS)
    assert found["hull_id"].to_pylist() == ["one", None]
    assert found["segment_id"].to_pylist() == ["a", "nowhere"]


def test_no_events_stay_none() -> None:
    assert placed(LOITERING.empty(), CUTS, TRACKS).equals(LOITERING.empty())
