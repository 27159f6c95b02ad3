"""Voyages: how a track is cut at its calls, ids that last, and measures that a plain loop gives too."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.vessels.builders import (
    ALPHA,
    BRAVO,
    T0_US,
    H,
    chain,
    disc,
    end_of,
    history_of,
    instant,
    lie,
    sail,
    segments_of,
    tables_of,
    zones_of,
)
from vessels.geodesy import distance_nmi, wrap_degrees
from vessels.history import FactParameters
from vessels.legs import VoyageParameters
from vessels.thinning import thin_rows
from vessels.units import US_PER_MIN, US_PER_S

LAW = settings(max_examples=40, deadline=None)
DAY = 86_400.0

EAST, WEST, SOUTH = (40.0, 130.0), (40.0, 127.0), (37.5, 129.0)
ZONES = zones_of(disc("XX_EAST", *EAST, 8.0), disc("XX_WEST", *WEST, 8.0), disc("XX_SOUTH", *SOUTH, 8.0))


def voyages_of(*files, zones=ZONES, **changes):
    parameters = FactParameters(voyages=VoyageParameters(**changes))
    return tables_of(history_of(*files, zones=zones, parameters=parameters))["voyages"]


def round_trip(mmsi=ALPHA, **how):
    """East, west, south: a stay of eight hours in each, the first and the last too."""
    return chain(
        lambda t: lie(mmsi, t, EAST, 8.0),
        lambda t: sail(mmsi, t, EAST, WEST, **how),
        lambda t: lie(mmsi, t, WEST, 8.0),
        lambda t: sail(mmsi, t, WEST, SOUTH, **how),
        lambda t: lie(mmsi, t, SOUTH, 8.0),
    )


TRIP = round_trip()


def test_a_track_is_cut_where_it_calls():
    voyages = voyages_of(TRIP)
    assert [(v["origin"], v["destination"]) for v in voyages] == [("XX_EAST", "XX_WEST"), ("XX_WEST", "XX_SOUTH")]
    assert [v["is_open"] for v in voyages] == [False, False]
    visits = {v["visit_id"]: v for v in tables_of(history_of(TRIP, zones=ZONES))["port_visits"]}
    for voyage in voyages:
        assert voyage["start"] == visits[voyage["origin_visit_id"]]["end"]
        assert voyage["end"] == visits[voyage["destination_visit_id"]]["start"]


def test_an_open_voyage_has_no_end_and_no_destination():
    at_sea = [row for row in TRIP if row["t"] < 20 * H]
    (voyage,) = voyages_of(at_sea)
    assert (voyage["end"], voyage["destination"], voyage["is_open"]) == (None, None, True)
    assert voyage["last_seen"] == voyage["span_end"] == instant(end_of(at_sea))


def test_a_voyage_keeps_its_id_when_it_closes():
    known = {}
    for hours in (12, 16, 20, 24, 30, 40, 50):
        for voyage in voyages_of([row for row in TRIP if row["t"] < hours * H]):
            known.setdefault(voyage["start"], set()).add(voyage["voyage_id"])
    assert len(known) == 2
    assert all(len(ids) == 1 for ids in known.values())


def test_what_was_said_of_a_closed_voyage_stays_said():
    whole, part = voyages_of(TRIP), voyages_of([row for row in TRIP if row["t"] < 40 * H])
    changing = {"span_end": None}
    assert {**part[0], **changing} == {**whole[0], **changing}


def test_a_ship_that_never_calls_makes_one_open_voyage():
    (voyage,) = voyages_of(sail(ALPHA, 0.0, (38.5, 131.0), (39.0, 133.0)))
    assert (voyage["origin"], voyage["destination"], voyage["is_open"]) == (None, None, True)
    assert voyage["start"] == voyage["span_start"] == instant(0)


def test_a_ship_in_port_throughout_has_arrived():
    (voyage,) = voyages_of(lie(ALPHA, 0.0, EAST, 8.0))
    assert (voyage["origin"], voyage["destination"], voyage["is_open"]) == (None, "XX_EAST", False)
    assert (voyage["n_positions"], voyage["distance_nmi"], voyage["duration_h"]) == (1, 0.0, 0.0)


def test_a_single_report_is_an_open_voyage():
    (voyage,) = voyages_of([{"mmsi": ALPHA, "t": 0.0, "lat": 38.0, "lon": 135.0}])
    assert (voyage["n_positions"], voyage["is_open"]) == (1, True)
    assert voyage["median_speed_kn"] is voyage["detour_ratio"] is voyage["slow_share"] is None


def test_passing_a_port_ends_no_voyage():
    rows = sail(ALPHA, 0.0, (40.0, 131.0), (40.0, 128.5))
    (voyage,) = voyages_of(rows)
    assert voyage["n_positions"] == len(rows)


@st.composite
def tours(draw):
    """Calls and sea passages in any order, cut off anywhere."""
    ports = [EAST, WEST, SOUTH]
    place = draw(st.sampled_from([*ports, (38.6, 131.0)]))
    rows = lie(ALPHA, 0.0, place, draw(st.sampled_from([0.0, 1.0, 6.0])))
    for _ in range(draw(st.integers(0, 4))):
        to = draw(st.sampled_from([p for p in [*ports, (38.8, 128.6)] if p != place]))
        rows += sail(ALPHA, end_of(rows) + 600.0, place, to, every_s=1800.0)
        rows += lie(ALPHA, end_of(rows) + 600.0, to, draw(st.sampled_from([0.0, 2.0])), every_s=1800.0)
        place = to
    return rows[: draw(st.integers(1, len(rows)))]


@LAW
@given(tours())
def test_spans_share_out_the_whole_track(rows):
    voyages = voyages_of(rows)
    assert voyages[0]["span_start"] == instant(rows[0]["t"])
    assert voyages[-1]["span_end"] == instant(end_of(rows))
    for one, after in itertools.pairwise(voyages):
        assert one["span_end"] == after["span_start"]
        assert one["end"] <= after["start"]
        assert one["destination"] == after["origin"]
        assert not one["is_open"]
    for voyage in voyages:
        assert voyage["span_start"] <= voyage["start"] <= voyage["last_seen"] <= voyage["span_end"]
    assert len({v["voyage_id"] for v in voyages}) == len(voyages)


@LAW
@given(tours(), st.data())
def test_more_data_rename_no_voyage_that_left_a_port(rows, data):
    early = rows[: data.draw(st.integers(1, len(rows)))]
    later = {v["start"]: v["voyage_id"] for v in voyages_of(rows)}
    for voyage in voyages_of(early):
        if voyage["origin"] is not None:
            assert later[voyage["start"]] == voyage["voyage_id"]


def slowly(rows, p):
    """Measures of a voyage over these rows, by a plain loop over one report in ten minutes."""
    out = {"distance_nmi": 0.0, "moving_h": 0.0, "slow_h": 0.0, "heard_h": 0.0, "night_h": 0.0}
    kept, slot = [], None
    for i, row in enumerate(rows):
        mine = (T0_US + round(row["t"] * US_PER_S)) // int(p.thin_min * US_PER_MIN)
        if mine != slot or i in (0, len(rows) - 1):
            kept.append(row)
        slot = mine
    speeds, stop_from, stops = [], None, []
    for before, row in itertools.pairwise(kept):
        hours = (row["t"] - before["t"]) / H
        way = float(distance_nmi(before["lat"], before["lon"], row["lat"], row["lon"]))
        out["distance_nmi"] += way
        heard = hours <= p.silence_h
        moving, slow = row["sog"] >= p.moving_kn, row["sog"] < p.slow_kn
        out["heard_h"] += hours if heard else 0.0
        out["slow_h"] += hours if heard and slow else 0.0
        out["moving_h"] += hours if heard and moving else 0.0
        solar = ((T0_US / US_PER_S + row["t"]) / H + row["lon"] / 15.0) % 24.0
        out["night_h"] += hours if heard and moving and not 6 <= solar < 18 else 0.0
        if moving:
            speeds.append(row["sog"])
        if slow and before["sog"] < p.slow_kn and heard:
            stop_from = stop_from if stop_from is not None else before["t"]
            stops.append((stop_from, row["t"]))
        else:
            stop_from = None
    longest = dict(stops)
    lengths = [(end - begin) / H for begin, end in longest.items() if (end - begin) / H >= p.stop_at_sea_h]
    steps = [(b["t"] - a["t"]) / H for a, b in itertools.pairwise(rows)]
    duration = (rows[-1]["t"] - rows[0]["t"]) / H
    apart = float(distance_nmi(rows[0]["lat"], rows[0]["lon"], rows[-1]["lat"], rows[-1]["lon"]))
    logs = [math.log(max(step, 1 / 3600)) for step in steps]
    return {
        "n_positions": len(rows),
        "distance_nmi": out["distance_nmi"],
        "duration_h": duration,
        "moving_h": out["moving_h"],
        "mean_speed_kn": float(np.mean(speeds)) if speeds else None,
        "slow_share": out["slow_h"] / out["heard_h"] if out["heard_h"] else None,
        "night_share": out["night_h"] / out["moving_h"] if out["moving_h"] else None,
        "n_stops_at_sea": len(lengths),
        "longest_stop_h": max(lengths, default=0.0),
        "longest_silence_h": max(steps, default=0.0),
        "silence_share": sum(s for s in steps if s > p.silence_h) / duration if duration else 0.0,
        "interval_irregularity": float(np.std(logs)) if len(logs) >= 2 else None,
        "detour_ratio": out["distance_nmi"] / apart if apart >= p.short_voyage_nmi else None,
    }


@st.composite
def passages(draw):
    """A voyage at sea with stops, silences, slow stretches and reports of any density."""
    rows, t, lat, lon = [], draw(st.sampled_from([0.0, 3 * H])), 36.0, draw(st.sampled_from([132.0, 178.5]))
    for _ in range(draw(st.integers(1, 10))):
        speed = draw(st.sampled_from([0.0, 1.0, 2.5, 12.0]))
        every = draw(st.sampled_from([120.0, 600.0, 2000.0, 3 * H]))
        for _ in range(draw(st.integers(1, 8))):
            rows.append({"mmsi": ALPHA, "t": t, "lat": lat, "lon": float(wrap_degrees(lon)), "sog": speed, "cog": 0.0})
            t += every
            lat += speed * every / H / 60.0 * 0.6
            lon += speed * every / H / 60.0
    return rows


@settings(max_examples=80, deadline=None)
@given(passages())
def test_the_measures_are_those_of_a_plain_loop(rows):
    (voyage,) = voyages_of(rows)
    for name, value in slowly(rows, VoyageParameters()).items():
        if value is None:
            assert voyage[name] is None, name
        else:
            assert voyage[name] == pytest.approx(value, rel=2e-3, abs=6e-3), name


def test_density_does_not_change_the_measures_of_motion():
    dense, thin = (voyages_of(round_trip(every_s=s))[0] for s in (60.0, 600.0))
    for name in ("distance_nmi", "moving_h", "mean_speed_kn", "median_speed_kn", "slow_share", "turning_deg_per_nmi"):
        assert dense[name] == pytest.approx(thin[name], rel=0.03, abs=0.03), name


def test_quantiles_of_speed_are_within_half_a_bin():
    speeds = [float(4 + i % 13) for i in range(200)]
    rows = [
        {"mmsi": ALPHA, "t": 600.0 * i, "lat": 36.0 + 0.01 * i, "lon": 132.0, "sog": speed, "cog": 0.0}
        for i, speed in enumerate(speeds)
    ]
    (voyage,) = voyages_of(rows)
    assert voyage["median_speed_kn"] == pytest.approx(np.median(speeds[1:]), abs=0.5)
    assert voyage["max_speed_kn"] == pytest.approx(np.quantile(speeds[1:], 0.99), abs=0.5)
    spread = np.quantile(speeds[1:], 0.9) - np.quantile(speeds[1:], 0.1)
    assert voyage["speed_spread_kn"] == pytest.approx(spread, abs=1.0)


def test_turns_drift_and_status_are_measured_under_way():
    zigzag = [
        {
            "mmsi": ALPHA,
            "t": 600.0 * i,
            "lat": 36.0 + 0.03 * i,
            "lon": 132.0,
            "sog": 11.0,
            "cog": (355.0, 5.0)[i % 2],
            "heading": 0.0,
            "nav_status": 5 if i % 4 == 0 else 0,
        }
        for i in range(41)
    ]
    (voyage,) = voyages_of(zigzag)
    assert voyage["turning_deg_per_nmi"] == pytest.approx(10.0 / 1.8, rel=0.01)
    assert voyage["drift_angle_deg"] == pytest.approx(5.0, abs=0.01)
    assert voyage["status_mismatch_share"] == 0.25


def test_a_speed_that_the_positions_deny_leaves_a_residual():
    honest = sail(ALPHA, 0.0, (36.0, 132.0), (38.0, 132.0))
    boasting = [{**row, "sog": 20.0} for row in honest]
    assert voyages_of(honest)[0]["speed_residual_kn"] == pytest.approx(0.0, abs=0.1)
    assert voyages_of(boasting)[0]["speed_residual_kn"] == pytest.approx(8.0, abs=0.1)


def test_loading_on_the_way_shows_in_the_draught():
    rows = sail(ALPHA, 0.0, (36.0, 132.0), (37.0, 132.0))
    said = [{**row, "draught": 4.0 if i < 3 else 9.5} for i, row in enumerate(rows)]
    assert voyages_of(said)[0]["draught_change_m"] == 5.5
    assert voyages_of(rows)[0]["draught_change_m"] is None


def test_a_draught_sent_apart_from_positions_counts_from_the_next_position_on():
    rows = round_trip()
    leave = next(row["t"] for row in rows if row["t"] > 8 * H)
    apart = [{"mmsi": ALPHA, "t": t, "draught": d, "name": "MIRAE 3"} for t, d in ((60.0, 4.0), (leave + 9 * H, 9.0))]
    with_draught = [
        {**row, "draught": d}
        for row in rows
        for d in [None if row["t"] < 60 else 4.0 if row["t"] < leave + 9 * H else 9.0]
    ]
    ours, theirs = (history_of(r, zones=ZONES) for r in ([*rows, *apart], with_draught))
    assert ours.voyages.equals(theirs.voyages)
    assert ours.port_visits["draught_in_m"].to_pylist() == theirs.port_visits["draught_in_m"].to_pylist()
    assert ours.voyages["draught_change_m"].to_pylist() == [5.0, 0.0]


def test_a_stop_in_a_port_is_no_stop_at_sea():
    stop_at_sea = chain(
        lambda t: sail(ALPHA, t, (38.5, 131.0), (38.5, 131.5)),
        lambda t: lie(ALPHA, t, (38.5, 131.5), 3.0),
        lambda t: sail(ALPHA, t, (38.5, 131.5), (38.5, 132.0)),
    )
    (voyage,) = voyages_of(stop_at_sea)
    assert voyage["n_stops_at_sea"] == 1
    assert voyage["longest_stop_h"] == pytest.approx(3.0, abs=0.2)
    assert [v["n_stops_at_sea"] for v in voyages_of(TRIP)] == [0, 0]


def test_calls_whose_fences_overlap_are_one_call_named_after_the_longer_stop():
    zones = zones_of(disc("XX_BIG", *WEST, 20.0), disc("XX_SMALL", 40.0, 127.1, 5.0), disc("XX_EAST", *EAST, 8.0))
    rows = chain(
        lambda t: lie(ALPHA, t, EAST, 4.0),
        lambda t: sail(ALPHA, t, EAST, (40.0, 127.1)),
        lambda t: lie(ALPHA, t, (40.0, 127.1), 9.0),
        lambda t: sail(ALPHA, t, (40.0, 127.1), (40.0, 126.9)),
        lambda t: lie(ALPHA, t, (40.0, 126.9), 2.0),
        lambda t: sail(ALPHA, t, (40.0, 126.9), (39.0, 125.5)),
    )
    voyages = voyages_of(rows, zones=zones)
    assert [(v["origin"], v["destination"]) for v in voyages] == [("XX_EAST", "XX_SMALL"), ("XX_SMALL", None)]


def test_each_hull_under_one_number_has_its_own_voyages():
    far = [{**row, "t": row["t"] + 180.0} for row in sail(ALPHA, 0.0, (20.0, 115.0), (22.0, 115.0))]
    voyages = voyages_of([*TRIP, *far])
    assert len({v["segment_id"] for v in voyages}) == 2
    assert sum(v["segment_id"] == voyages[-1]["segment_id"] for v in voyages) in (1, 2)


def test_two_hulls_that_start_at_once_have_voyages_of_two_ids():
    far = [{**row, "sog": 12.0} for row in sail(ALPHA, 0.0, (20.0, 115.0), (22.0, 115.0))]
    near = sail(ALPHA, 0.0, (38.5, 131.0), (38.5, 132.0))
    voyages = voyages_of([*near, *far])
    assert [v["start"] for v in voyages] == [instant(0), instant(0)]
    assert len({v["voyage_id"] for v in voyages}) == 2


@pytest.mark.parametrize("shift", [DAY, -365 * DAY, 36_524 * DAY])
def test_shifting_time_by_whole_days_shifts_times_and_ids_only(shift):
    later = [{**row, "t": row["t"] + shift} for row in TRIP]
    moved = ("start", "end", "last_seen", "span_start", "span_end")
    ids = ("voyage_id", "hull_id", "segment_id", "origin_visit_id", "destination_visit_id")
    for one, other in zip(voyages_of(TRIP), voyages_of(later), strict=True):
        assert {k: v for k, v in one.items() if k not in (*moved, *ids)} == {
            k: v for k, v in other.items() if k not in (*moved, *ids)
        }
        assert all((other[k] - one[k]).total_seconds() == shift for k in moved if one[k] is not None)


def test_renaming_a_ship_changes_numbers_and_ids_only():
    ids = ("voyage_id", "hull_id", "segment_id", "origin_visit_id", "destination_visit_id", "mmsi")
    for one, other in zip(voyages_of(TRIP), voyages_of(round_trip(BRAVO)), strict=True):
        assert {k: v for k, v in one.items() if k not in ids} == {k: v for k, v in other.items() if k not in ids}
        assert not {one[k] for k in ids} & {other[k] for k in ids}


SLUGGISH = [
    {
        "mmsi": ALPHA,
        "t": 700.0 * i,
        "lat": 36.0 + 0.008 * i,
        "lon": 132.0,
        "sog": (2.5, 12.0, 2.5, 1.5, 1.5, 1.5)[i % 6],
        "cog": 0.0,
    }
    for i in range(60)
]
SILENT = [{**row, "t": row["t"] * 14} for row in SLUGGISH]
PILOT = chain(
    lambda t: lie(ALPHA, t, EAST, 4.0),
    lambda t: sail(ALPHA, t, EAST, (40.0, 127.3)),
    lambda t: sail(ALPHA, t, (40.0, 127.3), (40.0, 126.0)),
)


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"min_confidence": 1}, PILOT),
        ({"thin_min": 60.0}, SLUGGISH),
        ({"moving_kn": 2.0}, SLUGGISH),
        ({"slow_kn": 1.0}, SLUGGISH),
        ({"stop_at_sea_h": 0.2}, SLUGGISH),
        ({"silence_h": 4.0}, SILENT),
        ({"short_voyage_nmi": 100.0}, SLUGGISH),
    ],
)
def test_every_parameter_of_a_voyage_bites(change, rows):
    assert voyages_of(rows, **change) != voyages_of(rows)


@pytest.mark.parametrize("name", VoyageParameters.model_fields)
@pytest.mark.parametrize("value", [-1, 1e6, "many"])
def test_a_parameter_out_of_bounds_is_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        VoyageParameters(**{name: value})


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValidationError, match="silence_min"):
        VoyageParameters(silence_min=1.0)


@LAW
@given(tours(), st.sampled_from([5.0, 20.0]))
def test_thinning_keeps_first_and_last_and_one_report_a_slot(rows, every_min):
    segments = segments_of(rows)
    kept = thin_rows(segments, every_min)
    assert set(segments.offsets[:-1]) | set(segments.offsets[1:] - 1) <= set(kept)
    slots = segments.time_us[kept] // int(every_min * US_PER_MIN)
    assert len(kept) - len(np.unique(slots)) <= len(segments.vessel)


def test_no_rows_make_no_voyage():
    assert voyages_of([]) == []
    assert thin_rows(segments_of([]), 10.0).tolist() == []
