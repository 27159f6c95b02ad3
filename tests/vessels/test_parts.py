"""Voyages by track: the one track of most, the parts of those over a change of number."""

from datetime import UTC, datetime, timedelta

from vessels.parts import VOYAGE_TRACKS, voyage_tracks
from vessels.schema import VOYAGE_PARTS, VOYAGES

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def at(hours):
    return NOON + timedelta(hours=hours)


def voyages(*rows):
    full = [
        {"voyage_id": name, "segment_id": f"track-{mmsi}", "mmsi": mmsi, "span_start": at(a), "span_end": at(b)}
        for name, mmsi, a, b in rows
    ]
    return VOYAGES.build({name: [row.get(name) for row in full] for name in VOYAGES.names})


def parts(*rows):
    columns = zip(*rows, strict=True) if rows else [[]] * 5
    return VOYAGE_PARTS.build(dict(zip(VOYAGE_PARTS.names, map(list, columns), strict=True)))


SAILED = voyages(("a", 10, 0, 5), ("b", 30, 1, 9), ("c", 30, 9, 12))
PARTS = parts(("b", "track-20", 20, at(1), at(4)), ("b", "track-30", 30, at(6), at(9)))


def test_a_voyage_without_parts_is_its_own_track():
    tracks = voyage_tracks(SAILED, parts())
    assert tracks.schema.equals(VOYAGE_TRACKS.arrow)
    assert tracks["row"].to_pylist() == [0, 1, 2]
    assert tracks["is_whole"].to_pylist() == [True] * 3
    for ours, theirs in (("segment_id",) * 2, ("mmsi",) * 2, ("start", "span_start"), ("end", "span_end")):
        assert tracks[ours].to_pylist() == SAILED[theirs].to_pylist()


def test_a_voyage_with_parts_is_found_under_each_number_and_only_there():
    tracks = voyage_tracks(SAILED, PARTS).to_pylist()
    assert [(row["row"], row["mmsi"], row["is_whole"]) for row in tracks] == [
        (0, 10, True),
        (1, 20, False),
        (2, 30, True),
        (1, 30, False),
    ]
    assert (tracks[1]["start"], tracks[1]["end"]) == (at(1), at(4))
    assert (tracks[3]["start"], tracks[3]["end"]) == (at(6), at(9))


def test_parts_of_unknown_voyages_are_left_out():
    assert voyage_tracks(SAILED.slice(0, 1), PARTS)["row"].to_pylist() == [0]
    assert voyage_tracks(SAILED.slice(0, 0), PARTS).num_rows == 0
