"""Hulls over changes of identity: what a strong link changes, what it leaves alone, and what it may not do."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    CHARLIE,
    H,
    chain,
    disc,
    end_of,
    facts_of,
    instant,
    lie,
    polygon,
    sail,
    shifted,
    zones_of,
)
from vessels import schema
from vessels.geodesy import wrap_degrees
from vessels.joining import join_hulls
from vessels.legs import VoyageParameters
from vessels.schema import make_id

LAW = settings(max_examples=25, deadline=None)
NAMES = ("segments", "identities", "port_visits", "zone_presences", "voyages", "sketches", "silences", "vessels")
DECLARED = {
    **{name: getattr(schema, name.upper()) for name in NAMES},
    "hull_links": schema.HULL_LINKS,
    "voyage_parts": schema.VOYAGE_PARTS,
}
EAST, WEST, SOUTH = (40.0, 130.0), (40.0, 127.0), (37.5, 129.0)
MIDWAY = (40.0, 128.5)
ZONES = zones_of(disc("XX_EAST", *EAST, 8.0), disc("XX_WEST", *WEST, 8.0), disc("XX_SOUTH", *SOUTH, 8.0))
MEASURES = schema.VOYAGES.names[schema.VOYAGES.names.index("distance_nmi") :]


def tables_of(rows, zones=ZONES):
    """The tables of a history before any hull is linked."""
    (facts,) = facts_of(rows, zones=zones)
    return {name: getattr(facts, name) for name in NAMES}


def track_of(tables, mmsi, number=0):
    """One track of a number."""
    return [row for row in tables["segments"].to_pylist() if row["mmsi"] == mmsi][number]


def link(tables, before, after, *, silent=None, wakes=None, strong=True, probability=0.9):
    """A link between two tracks; `silent`, `wakes` are numbers of silences of the first, of the second."""

    def silence(track, number):
        return [row for row in tables["silences"].to_pylist() if row["segment_id"] == track["segment_id"]][number]

    ended = before["end"] if silent is None else silence(before, silent)["start"]
    began = after["start"] if wakes is None else silence(after, wakes)["end"]
    return {
        "link_id": make_id("link", before["segment_id"], after["segment_id"], ended),
        "from_segment_id": before["segment_id"],
        "to_segment_id": after["segment_id"],
        "from_mmsi": before["mmsi"],
        "to_mmsi": after["mmsi"],
        "ended": ended,
        "began": began,
        "from_silence": silent is not None,
        "to_silence": wakes is not None,
        "is_strong": strong,
        "probability": probability,
    }


def links_of(*rows):
    return schema.HULL_LINKS.build({name: [row.get(name) for row in rows] for name in schema.HULL_LINKS.names})


def joined(tables, *links, zones=ZONES, **how):
    out = join_hulls(tables, links_of(*links), zones, **how)
    for name, table in out.items():
        assert table.schema.equals(DECLARED[name].arrow, check_metadata=True), name
        table.validate(full=True)
    return out


def voyages_of(out, *mmsi):
    """Voyages that ended under these numbers, in order of time."""
    rows = [row for row in out["voyages"].to_pylist() if not mmsi or row["mmsi"] in mmsi]
    return sorted(rows, key=lambda row: (row["start"], row["last_seen"]))


def legs_of(out, *mmsi):
    return [(row["origin"], row["destination"]) for row in voyages_of(out, *mmsi)]


def at_sea(gap_h=2.0, **how):
    """East to west; half-way the hull falls silent and goes on under another number."""
    first = chain(lambda t: lie(ALPHA, t, EAST, 8.0, **how), lambda t: sail(ALPHA, t, EAST, MIDWAY, **how))
    begin = end_of(first) + gap_h * H
    on = (MIDWAY[0], MIDWAY[1] - gap_h * 12.0 / 60.0 / np.cos(np.radians(40.0)))
    second = sail(BRAVO, begin, on, WEST, **how)
    return [*first, *second, *lie(BRAVO, end_of(second) + 600.0, WEST, 8.0, **how)]


def in_port(gap_h=12.0):
    """East to west, there a new number, then south."""
    first = chain(
        lambda t: lie(ALPHA, t, EAST, 8.0), lambda t: sail(ALPHA, t, EAST, WEST), lambda t: lie(ALPHA, t, WEST, 4.0)
    )
    begin = end_of(first) + gap_h * H
    second = lie(BRAVO, begin, WEST, 4.0)
    second += sail(BRAVO, end_of(second) + 600.0, WEST, SOUTH)
    return [*first, *second, *lie(BRAVO, end_of(second) + 600.0, SOUTH, 8.0)]


def borrowed(lie_h=4.0):
    """Lies in the east, sails west and back under another number, sails south as before."""
    first = lie(ALPHA, 0.0, EAST, lie_h)
    out = sail(BRAVO, end_of(first) + 2 * H, EAST, WEST)
    out += lie(BRAVO, end_of(out) + 600.0, WEST, 8.0)
    out += sail(BRAVO, end_of(out) + 600.0, WEST, EAST)
    back = lie(ALPHA, end_of(out) + 2 * H, EAST, lie_h)
    back += sail(ALPHA, end_of(back) + 600.0, EAST, SOUTH)
    return [*first, *out, *back, *lie(ALPHA, end_of(back) + 600.0, SOUTH, 8.0)]


def others():
    """A ship that has nothing to do with it."""
    return chain(
        lambda t: lie(CHARLIE, t, SOUTH, 8.0),
        lambda t: sail(CHARLIE, t, SOUTH, EAST),
        lambda t: lie(CHARLIE, t, EAST, 8.0),
    )


def handed_over(rows, **how):
    tables = tables_of(rows)
    return tables, joined(tables, link(tables, track_of(tables, ALPHA), track_of(tables, BRAVO)), **how)


def test_without_strong_links_nothing_changes():
    tables = tables_of([*at_sea(), *others()])
    weak = link(tables, track_of(tables, ALPHA), track_of(tables, BRAVO), strong=False, probability=0.4)
    for rows in ((), (weak,)):
        out = joined(tables, *rows)
        assert all(out[name].equals(tables[name]) for name in NAMES)
        assert out["hull_links"].equals(links_of(*rows))
        assert out["voyage_parts"].num_rows == 0


def test_a_handover_at_sea_gives_one_voyage_from_origin_to_destination():
    tables, out = handed_over(at_sea())
    before = {row["mmsi"]: row for row in tables["voyages"].to_pylist()}
    (voyage,) = voyages_of(out)
    assert (voyage["origin"], voyage["destination"], voyage["is_open"]) == ("XX_EAST", "XX_WEST", False)
    assert voyage["voyage_id"] == before[ALPHA]["voyage_id"]
    assert (voyage["mmsi"], voyage["segment_id"]) == (BRAVO, track_of(tables, BRAVO)["segment_id"])
    assert voyage["hull_id"] == make_id("hull", track_of(tables, ALPHA)["segment_id"])
    assert (voyage["start"], voyage["end"]) == (before[ALPHA]["start"], before[BRAVO]["end"])
    assert voyage["destination_visit_id"] == before[BRAVO]["destination_visit_id"]
    assert voyage["origin_visit_id"] == before[ALPHA]["origin_visit_id"]
    assert (voyage["span_start"], voyage["span_end"]) == (instant(0), track_of(tables, BRAVO)["end"])


def test_a_voyage_over_a_change_is_measured_as_one_track_would_be():
    rows = at_sea(heading=268.0, draught=6.0, nav_status=0)
    _, out = handed_over(rows)
    (voyage,) = voyages_of(out)
    (whole,) = voyages_of(tables_of([{**row, "mmsi": ALPHA} for row in rows]))
    for name in ("distance_nmi", "duration_h", "detour_ratio", "draught_change_m"):
        assert voyage[name] == pytest.approx(whole[name], rel=0.01), name
    assert voyage["n_positions"] == whole["n_positions"]
    for name in ("mean_speed_kn", "median_speed_kn", "drift_angle_deg", "max_speed_kn"):
        assert voyage[name] == pytest.approx(whole[name], abs=0.6), name
    for name in ("moving_h", "night_share", "longest_silence_h", "silence_share", "slow_share"):
        assert voyage[name] == pytest.approx(whole[name], rel=0.1, abs=0.05), name
    assert voyage["n_stops_at_sea"] == 0


def test_a_cargo_moved_over_a_change_shows_in_the_draught():
    rows = [{**row, "draught": 4.0 if row["mmsi"] == ALPHA else 9.0} for row in at_sea()]
    assert voyages_of(handed_over(rows)[1])[0]["draught_change_m"] == 5.0
    assert voyages_of(handed_over(at_sea())[1])[0]["draught_change_m"] is None


def test_what_sketches_cannot_show_is_the_mean_of_both_numbers_voyages():
    rows = [{**row, "heading": (row["cog"] + (10.0 if row["mmsi"] == ALPHA else 30.0)) % 360} for row in at_sea()]
    tables, out = handed_over(rows)
    before = tables["voyages"].to_pylist()
    expected = np.average([v["drift_angle_deg"] for v in before], weights=[v["moving_h"] for v in before])
    (voyage,) = voyages_of(out)
    assert voyage["drift_angle_deg"] == pytest.approx(expected, abs=0.01)
    nothing = {row["mmsi"]: row for row in tables_of(at_sea())["voyages"].to_pylist()}
    assert nothing[ALPHA]["drift_angle_deg"] is None
    assert voyages_of(handed_over(at_sea())[1])[0]["drift_angle_deg"] is None


def test_the_parts_of_a_voyage_are_its_tracks_and_cover_its_span():
    tables, out = handed_over(at_sea())
    (voyage,) = voyages_of(out)
    parts = out["voyage_parts"].to_pylist()
    tracks = [track_of(tables, mmsi) for mmsi in (ALPHA, BRAVO)]
    assert parts == [
        {
            "voyage_id": voyage["voyage_id"],
            "segment_id": track["segment_id"],
            "mmsi": track["mmsi"],
            "start": track["start"],
            "end": track["end"],
        }
        for track in tracks
    ]


def test_a_handover_in_port_gives_voyages_that_meet_there():
    tables, out = handed_over(in_port())
    first, second = voyages_of(out)
    assert (first["origin"], first["destination"]) == ("XX_EAST", "XX_WEST")
    assert (second["origin"], second["destination"]) == ("XX_WEST", "XX_SOUTH")
    assert (first["mmsi"], second["mmsi"]) == (ALPHA, BRAVO)
    assert first["span_end"] == second["span_start"] == second["start"]
    visits = {row["visit_id"]: row for row in out["port_visits"].to_pylist()}
    assert visits[first["destination_visit_id"]]["mmsi"] == ALPHA
    assert visits[second["origin_visit_id"]]["mmsi"] == BRAVO
    assert first["end"] == visits[first["destination_visit_id"]]["start"]
    assert second["start"] == visits[second["origin_visit_id"]]["end"]
    before = {row["voyage_id"]: row for row in tables["voyages"].to_pylist()}
    for voyage in (first, second):
        assert {name: voyage[name] for name in (*MEASURES, "n_positions")} == {
            name: before[voyage["voyage_id"]][name] for name in (*MEASURES, "n_positions")
        }


def test_in_port_the_new_number_is_part_of_the_voyage_that_arrived():
    tables, out = handed_over(in_port())
    first, second = voyages_of(out)
    parts = out["voyage_parts"].to_pylist()
    assert [(part["voyage_id"], part["mmsi"]) for part in parts] == [
        (first["voyage_id"], ALPHA),
        (first["voyage_id"], BRAVO),
    ]
    assert parts[1]["start"] == track_of(tables, BRAVO)["start"]
    assert parts[1]["end"] == first["span_end"] == second["span_start"]


def test_a_visit_left_under_another_number_is_over():
    tables, out = handed_over(in_port())
    left = {row["visit_id"]: row for row in tables["port_visits"].to_pylist() if row["end"] is None}
    after = {row["visit_id"]: row for row in out["port_visits"].to_pylist()}
    for visit_id, row in left.items():
        goes_on = row["mmsi"] == ALPHA
        assert after[visit_id]["end"] == (row["last_seen"] if goes_on else None)
        assert after[visit_id]["exit_seen"] is False
    assert sum(row["mmsi"] == ALPHA for row in left.values()) == 1


def dark_in_port(silent_h):
    """Falls silent as soon as it is inside the fence, and is heard again, under another number, as it leaves."""
    return [row for row in in_port(silent_h - 8.0) if (row["sog"], row["lat"], row["lon"]) != (0.0, *WEST)]


def test_a_silence_in_port_over_the_change_is_a_stay():
    tables, out = handed_over(dark_in_port(silent_h=30.0))
    at_west = [row["confidence"] for row in tables["port_visits"].to_pylist() if row["zone_id"] == "XX_WEST"]
    assert at_west == [1, 1]
    visits = [row for row in out["port_visits"].to_pylist() if row["zone_id"] == "XX_WEST"]
    assert [(row["entry_seen"], row["exit_seen"], row["confidence"]) for row in visits] == [
        (True, False, 3),
        (False, True, 3),
    ]
    assert legs_of(out) == [("XX_EAST", "XX_WEST"), ("XX_WEST", "XX_SOUTH")]


def borrowed_and_joined(rows, **how):
    tables = tables_of(rows)
    a, b = track_of(tables, ALPHA), track_of(tables, BRAVO)
    return tables, joined(tables, link(tables, a, b, silent=0), link(tables, b, a, wakes=0), **how)


def test_a_number_borrowed_meanwhile_belongs_to_the_hull():
    tables, out = borrowed_and_joined(borrowed())
    assert set(out["segments"]["hull_id"].to_pylist()) == {make_id("hull", track_of(tables, ALPHA)["segment_id"])}
    assert legs_of(out) == [("XX_EAST", "XX_WEST"), ("XX_WEST", "XX_EAST"), ("XX_EAST", "XX_SOUTH")]
    assert [row["mmsi"] for row in voyages_of(out)] == [BRAVO, BRAVO, ALPHA]
    assert out["hull_links"]["is_strong"].to_pylist() == [True, True]


def test_a_visit_that_spans_the_absence_is_two():
    tables, out = borrowed_and_joined(borrowed())
    (whole,) = [r for r in tables["port_visits"].to_pylist() if (r["mmsi"], r["zone_id"]) == (ALPHA, "XX_EAST")]
    one, other = [r for r in out["port_visits"].to_pylist() if (r["mmsi"], r["zone_id"]) == (ALPHA, "XX_EAST")]
    (silence,) = tables["silences"].to_pylist()
    assert (one["visit_id"], one["start"], one["end"]) == (whole["visit_id"], whole["start"], silence["start"])
    assert (other["start"], other["end"], other["last_seen"]) == (silence["end"], whole["end"], whole["last_seen"])
    assert other["visit_id"] != one["visit_id"]
    assert (one["entry_seen"], one["exit_seen"]) == (whole["entry_seen"], False)
    assert (other["entry_seen"], other["exit_seen"]) == (False, whole["exit_seen"])
    assert one["n_positions"] + other["n_positions"] == pytest.approx(whole["n_positions"], abs=1)
    assert one["stop_h"] + other["stop_h"] == pytest.approx(whole["stop_h"], abs=0.01)


def test_the_way_there_and_back_under_a_borrowed_number_may_be_at_sea():
    first = sail(ALPHA, 0.0, EAST, MIDWAY)
    out = lie(BRAVO, end_of(first) + H, MIDWAY, 3.0) + sail(BRAVO, end_of(first) + 5 * H, MIDWAY, WEST)
    out += lie(BRAVO, end_of(out) + 600.0, WEST, 8.0)
    out += sail(BRAVO, end_of(out) + 600.0, WEST, MIDWAY)
    rows = [*first, *out, *sail(ALPHA, end_of(out) + H, MIDWAY, EAST)]
    tables, after = borrowed_and_joined(rows)
    a, b = voyages_of(after)
    assert (a["destination"], b["origin"], a["mmsi"], b["mmsi"]) == ("XX_WEST", "XX_WEST", BRAVO, ALPHA)
    n_before = sum(row["n_positions"] for row in tables["voyages"].to_pylist())
    assert a["n_positions"] + b["n_positions"] == pytest.approx(n_before, abs=3)
    assert a["distance_nmi"] + b["distance_nmi"] == pytest.approx(
        4 * 69.0 - 2 * 4.3, rel=0.01
    )  # less what lies inside the fence


def test_a_chain_of_several_numbers_may_be_borrowed():
    rows = borrowed()
    middle = [row["t"] for row in rows if row["mmsi"] == BRAVO and row["sog"] == 0.0]
    split = (middle[0] + middle[-1]) / 2
    rows = [{**row, "mmsi": CHARLIE} if row["mmsi"] == BRAVO and row["t"] > split else row for row in rows]
    tables = tables_of(rows)
    a, b, c = (track_of(tables, mmsi) for mmsi in (ALPHA, BRAVO, CHARLIE))
    links = [link(tables, a, b, silent=0), link(tables, b, c), link(tables, c, a, wakes=0)]
    out = joined(tables, *links)
    assert len(set(out["segments"]["hull_id"].to_pylist())) == 1
    assert legs_of(out) == [("XX_EAST", "XX_WEST"), ("XX_WEST", "XX_EAST"), ("XX_EAST", "XX_SOUTH")]
    for missing, strong in enumerate([[True, False], [False, False], [False, True]]):
        part = joined(tables, *(one for i, one in enumerate(links) if i != missing))
        assert part["hull_links"]["is_strong"].to_pylist() == strong


def test_a_silence_without_a_return_is_no_strong_link():
    tables = tables_of(borrowed())
    a, b = track_of(tables, ALPHA), track_of(tables, BRAVO)
    for one in (link(tables, a, b, silent=0), link(tables, b, a, wakes=0)):
        out = joined(tables, one)
        assert out["hull_links"]["is_strong"].to_pylist() == [False]
        assert all(out[name].equals(tables[name]) for name in NAMES)


def test_tracks_on_the_air_together_for_long_are_not_merged():
    rows = in_port(gap_h=-3.0)
    tables, out = handed_over(rows, max_overlap_h=2.0)
    assert out["hull_links"]["is_strong"].to_pylist() == [False]
    assert all(out[name].equals(tables[name]) for name in NAMES)
    _, out = handed_over(rows, max_overlap_h=4.0)
    assert out["hull_links"]["is_strong"].to_pylist() == [True]


@pytest.mark.parametrize("gap_h", [-1.0, 0.0])
def test_tracks_that_overlap_a_little_are_merged_in_order_of_time(gap_h):
    _, out = handed_over(in_port(gap_h))
    assert legs_of(out) == [("XX_EAST", "XX_WEST"), ("XX_WEST", "XX_SOUTH")]
    _, out = handed_over(at_sea(gap_h))
    (voyage,) = voyages_of(out)
    assert (voyage["origin"], voyage["destination"]) == ("XX_EAST", "XX_WEST")
    assert voyage["duration_h"] == pytest.approx((voyage["last_seen"] - voyage["start"]).total_seconds() / H, abs=1e-3)


def test_only_the_more_probable_of_two_links_from_one_end_is_followed():
    rows = [*at_sea(), *[{**row, "mmsi": CHARLIE} for row in at_sea() if row["mmsi"] == BRAVO]]
    tables = tables_of(rows)
    a, b, c = (track_of(tables, mmsi) for mmsi in (ALPHA, BRAVO, CHARLIE))
    links = [link(tables, a, b, probability=0.81), link(tables, a, c, probability=0.82)]
    for order in (links, links[::-1]):
        out = joined(tables, *order)
        strong = out["hull_links"].filter(out["hull_links"]["is_strong"])
        assert strong["to_mmsi"].to_pylist() == [CHARLIE]
        assert track_of(out, BRAVO)["hull_id"] == make_id("hull", b["segment_id"])
        assert track_of(out, CHARLIE)["hull_id"] == make_id("hull", a["segment_id"])


def test_a_link_to_a_track_that_is_not_there_is_not_followed():
    tables = tables_of(at_sea())
    gone = {**link(tables, track_of(tables, ALPHA), track_of(tables, BRAVO)), "to_segment_id": "segment-gone"}
    out = joined(tables, gone)
    assert out["hull_links"]["is_strong"].to_pylist() == [False]
    assert all(out[name].equals(tables[name]) for name in NAMES)


def test_ships_that_no_link_touches_stay_as_they_were():
    alone = tables_of(others())
    _, out = handed_over([*at_sea(), *others()])
    for name in ("segments", "port_visits", "zone_presences", "voyages", "sketches", "identities"):
        rows = [row for row in out[name].to_pylist() if row["mmsi"] == CHARLIE]
        assert rows == alone[name].to_pylist()


def test_every_table_says_the_hull_of_the_earliest_track():
    tables, out = handed_over([{**row, "name": f"SHIP {row['mmsi']}"} for row in in_port()])
    hull = make_id("hull", track_of(tables, ALPHA)["segment_id"])
    for name in ("segments", "identities", "port_visits", "zone_presences", "voyages"):
        assert out[name].num_rows
        assert set(out[name]["hull_id"].to_pylist()) == {hull}, name


def test_another_confidence_cuts_other_voyages():
    rows = dark_in_port(silent_h=3.0)
    _, out = handed_over(rows)
    assert legs_of(out) == [("XX_EAST", "XX_SOUTH")]
    _, out = handed_over(rows, voyages=VoyageParameters(min_confidence=1))
    assert legs_of(out) == [("XX_EAST", "XX_WEST"), ("XX_WEST", "XX_SOUTH")]


@st.composite
def lives(draw, stays_h=(0.0, 2.0, 9.0)):
    """One hull's tour under up to four numbers, with silences between."""
    ports = [EAST, WEST, SOUTH]
    numbers = iter((ALPHA, BRAVO, CHARLIE, 441_000_990))
    mmsi, place = next(numbers), draw(st.sampled_from([*ports, (38.6, 131.0)]))
    rows = lie(mmsi, 0.0, place, draw(st.sampled_from(stays_h)))
    for _ in range(draw(st.integers(1, 5))):
        gap = 600.0
        if draw(st.booleans()):
            following = next(numbers, None)
            mmsi, gap = (mmsi, gap) if following is None else (following, draw(st.sampled_from([60.0, 3 * H, 40 * H])))
        if draw(st.booleans()):
            rows += lie(mmsi, end_of(rows) + gap, place, draw(st.sampled_from(stays_h)), every_s=1800.0)
        else:
            to = draw(st.sampled_from([p for p in [*ports, (38.8, 128.6)] if p != place]))
            rows += sail(mmsi, end_of(rows) + gap, place, to, every_s=1800.0)
            place = to
    return rows


def all_links(tables, rows):
    numbers = list(dict.fromkeys(row["mmsi"] for row in rows))
    return [link(tables, track_of(tables, a), track_of(tables, b)) for a, b in itertools.pairwise(numbers)]


@LAW
@given(lives())
def test_the_voyages_of_a_hull_share_out_its_whole_time(rows):
    tables = tables_of(rows)
    out = joined(tables, *all_links(tables, rows))
    voyages = voyages_of(out)
    assert voyages[0]["span_start"] == instant(rows[0]["t"])
    assert voyages[-1]["span_end"] == instant(end_of(rows))
    for one, after in itertools.pairwise(voyages):
        assert one["span_end"] == after["span_start"]
        assert one["end"] <= after["start"]
        assert one["destination"] == after["origin"]
        assert not one["is_open"]
    straight = sum(row["distance_nmi"] for row in tables["voyages"].to_pylist())
    for voyage in voyages:
        assert voyage["span_start"] <= voyage["start"] <= voyage["last_seen"] <= voyage["span_end"]
        assert voyage["duration_h"] == pytest.approx(
            (voyage["last_seen"] - voyage["start"]).total_seconds() / H, abs=1e-3
        )
        assert voyage["n_positions"] >= 1
        assert 0.0 <= voyage["silence_share"] <= 1.0
    assert sum(voyage["distance_nmi"] for voyage in voyages) >= straight - 20.0
    assert len({voyage["voyage_id"] for voyage in voyages}) == len(voyages)
    assert len({voyage["hull_id"] for voyage in voyages}) == 1


@LAW
@given(lives(stays_h=(2.0, 9.0)))  # a lone stopped report is a stay; beside others it is none
def test_one_number_or_several_the_voyages_are_the_same(rows):
    tables = tables_of(rows)
    out = joined(tables, *all_links(tables, rows))
    once = tables_of([{**row, "mmsi": ALPHA} for row in rows])
    assert once["segments"].num_rows == 1
    assert legs_of(out) == legs_of(once)


@LAW
@given(lives())
def test_parts_lie_in_their_tracks_and_their_voyages(rows):
    tables = tables_of(rows)
    out = joined(tables, *all_links(tables, rows))
    tracks = {row["segment_id"]: row for row in out["segments"].to_pylist()}
    parts = out["voyage_parts"].to_pylist()
    for voyage in voyages_of(out):
        own = sorted((p for p in parts if p["voyage_id"] == voyage["voyage_id"]), key=lambda p: p["start"])
        assert len(own) != 1
        for part in own:
            track = tracks[part["segment_id"]]
            assert part["mmsi"] == track["mmsi"]
            assert max(track["start"], voyage["span_start"]) == part["start"]
            assert part["end"] in (min(track["end"], voyage["span_end"]), voyage["span_end"])
        if own:
            assert (own[0]["start"], own[-1]["end"]) == (voyage["span_start"], voyage["span_end"])
            assert voyage["segment_id"] in {part["segment_id"] for part in own}


@LAW
@given(lives(), st.randoms(use_true_random=False))
def test_the_order_of_links_changes_nothing_but_their_own_order(rows, random):
    tables = tables_of([*rows, *[{**row, "mmsi": 457_300_999} for row in others()]])
    links = all_links(tables, rows)
    out, mixed = joined(tables, *links), joined(tables, *random.sample(links, len(links)))
    for name in (*NAMES, "voyage_parts"):
        assert out[name].equals(mixed[name]), name


@LAW
@given(lives())
def test_joined_tables_are_sorted_as_the_history_says(rows):
    tables = tables_of(rows)
    out = joined(tables, *all_links(tables, rows))
    place = {segment: i for i, segment in enumerate(out["segments"]["segment_id"].to_pylist())}
    for name in ("port_visits", "voyages", "voyage_parts"):
        keys = [(row["mmsi"], place[row["segment_id"]], row["start"]) for row in out[name].to_pylist()]
        assert keys == sorted(keys), name


@pytest.mark.parametrize("turn", [51.5, -50.0, 180.0])
def test_turning_the_globe_changes_no_joined_voyage(turn):
    rows = borrowed()
    moved = [{**row, "lon": float(wrap_degrees(row["lon"] + turn))} for row in rows]
    zones = zones_of(*(polygon(zone.zone_id, shifted(zone.geometry, turn)) for zone in ZONES.zones))
    tables = tables_of(moved, zones)
    a, b = track_of(tables, ALPHA), track_of(tables, BRAVO)
    there = joined(tables, link(tables, a, b, silent=0), link(tables, b, a, wakes=0), zones=zones)
    _, here = borrowed_and_joined(rows)
    for one, other in zip(voyages_of(here), voyages_of(there), strict=True):
        for name, value in one.items():
            if name in ("start_lon", "end_lon", "night_share"):
                continue
            if isinstance(value, float):
                assert other[name] == pytest.approx(value, rel=1e-3, abs=1e-2), name
            else:
                assert other[name] == value, name


def test_tables_without_rows_join():
    tables = {name: DECLARED[name].empty() for name in NAMES}
    out = joined(tables)
    assert all(isinstance(table, pa.Table) and table.num_rows == 0 for table in out.values())


def test_a_voyage_that_began_nowhere_before_gets_an_id_that_is_free():
    tables, out = handed_over(dark_in_port(silent_h=30.0))
    known = set(tables["voyages"]["voyage_id"].to_pylist())
    (fresh,) = [row["voyage_id"] for row in voyages_of(out) if row["voyage_id"] not in known]
    stranger = {**tables["voyages"].to_pylist()[0], "voyage_id": fresh, "segment_id": "segment-x", "mmsi": CHARLIE}
    more = schema.VOYAGES.build({name: [stranger[name]] for name in schema.VOYAGES.names})
    tables = {**tables, "voyages": schema.VOYAGES.concat([tables["voyages"], more])}
    out = joined(tables, link(tables, track_of(tables, ALPHA), track_of(tables, BRAVO)))
    ids = out["voyages"]["voyage_id"].to_pylist()
    assert len(set(ids)) == len(ids) == 3
    assert fresh in ids
