"""Ship-hours: agreement with a plain count, sums over blocks, what counts as present."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import T0_US, H, lie, sail, segments_of
from tests.vessels.reception.fleets import FIRST, SEA, fleet, silent
from vessels.geodesy import distance_nmi
from vessels.reception.grid import cells_of
from vessels.reception.parameters import DEFAULT_RECEPTION, ReceptionParameters
from vessels.reception.presence import (
    along_great_circle,
    class_b_tracks,
    reception_table,
    ship_cells_table,
    ship_hours,
    slot_rows,
)
from vessels.schema import IDENTITIES
from vessels.units import US_PER_H, US_PER_MIN

LAW = settings(max_examples=40, deadline=None)
T0_HOUR = T0_US // US_PER_H


def hours_of(*files, class_b=False, parameters=DEFAULT_RECEPTION):
    segments = segments_of(*files)
    return segments, ship_hours(segments, np.full(len(segments.offsets) - 1, class_b), parameters)


def counted(table):
    """Present and heard by (cell, hour, class B, still)."""
    return {(r["cell"], r["hour"], r["is_class_b"], r["is_still"]): (r["n_present"], r["n_heard"]) for r in table}


def slowly(segments, p):
    """Present and heard, one step of one track after the other."""
    present, heard = Counter(), Counter()
    for s in range(len(segments.offsets) - 1):
        rows = range(segments.offsets[s], segments.offsets[s + 1])
        for i in rows[1:]:
            t0, t1 = int(segments.time_us[i - 1]), int(segments.time_us[i])
            h0, h1 = t0 // US_PER_H, t1 // US_PER_H
            if h1 == h0:
                continue
            places = [(float(segments.lat[k]), float(segments.lon[k])) for k in (i - 1, i)]
            made_good = float(segments.step_nmi[i]) / float(segments.step_h[i])
            sog = float(segments.sog[i])
            still = (made_good if h1 - h0 > 1 or np.isnan(sog) else sog) < p.still_kn
            bridged = float(segments.step_h[i]) <= p.bridge_h
            for h in range(h0 + 1, h1):
                if bridged:
                    share = np.array([(h * US_PER_H + US_PER_H // 2 - t0) / (t1 - t0)])
                    one, other = (([np.array([x]) for x in place]) for place in places)
                    lat, lon = along_great_circle(*one, *other, share)
                    place = float(lat[0]), float(lon[0])
                else:
                    n, number = h1 - h0 - 1, h - h0 - 1
                    kept = min(n, 2 * int(p.edge_h))
                    first, last = (kept + 1) // 2, kept // 2
                    if first <= number < n - last:
                        continue
                    place = places[0] if number < first else places[1]
                key = int(cells_of(np.array([place[0]]), np.array([place[1]]))[0]), h, False, still
                present[key] += 1
            if bridged:
                key = int(cells_of(segments.lat[i : i + 1], segments.lon[i : i + 1])[0]), h1, False, still
                present[key] += 1
                heard[key] += 1
    return {key: (n, heard[key]) for key, n in present.items()}


@st.composite
def tracks(draw):
    """A few ships with reports at odd times, some far apart, about 180 degrees."""
    rows = []
    for ship in range(draw(st.integers(1, 3))):
        t, lat, lon = 0.0, 35.0 + ship, 179.0
        for _ in range(draw(st.integers(2, 12))):
            t += draw(st.sampled_from([30.0, 900.0, 2400.0, 3600.0, 5 * H, 23 * H, 30 * H, 70 * H]))
            lon += draw(st.sampled_from([0.0, 0.001, 0.2]))
            sog = draw(st.sampled_from([None, 0.2, 9.0]))
            rows.append({"mmsi": FIRST + ship, "t": t, "lat": lat, "lon": lon - 360.0 * (lon >= 180.0), "sog": sog})
    return rows


@LAW
@given(tracks())
def test_ship_hours_agree_with_a_plain_count(rows):
    segments, hours = hours_of(rows)
    assert counted(reception_table(hours).to_pylist()) == slowly(segments, DEFAULT_RECEPTION)


@LAW
@given(tracks(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_count(rows, rng):
    mixed = list(rows)
    rng.shuffle(mixed)
    assert reception_table(hours_of(rows)[1]).equals(reception_table(hours_of(mixed)[1]))


def test_a_first_report_counts_for_nothing_and_a_ship_heard_each_sixth_hour_for_one_in_six():
    rows = [{"mmsi": FIRST, "t": 6 * H * i, "lat": SEA[0], "lon": SEA[1], "sog": 0.0} for i in range(11)]
    table = reception_table(hours_of(rows)[1])
    assert sum(table["n_present"].to_pylist()) == 60
    assert sum(table["n_heard"].to_pylist()) == 10
    assert table["hour"].to_pylist() == [T0_HOUR + 1 + i for i in range(60)]


def test_a_silence_too_long_to_bridge_counts_only_its_edges_where_the_ship_was_heard():
    rows = [*lie(FIRST, 0.0, SEA, 1.0), *lie(FIRST, 41 * H, (SEA[0] + 2.0, SEA[1]), 1.0)]
    table = reception_table(hours_of(rows)[1]).to_pylist()
    ends = [int(cells_of(np.array([lat]), np.array([SEA[1]]))[0]) for lat in (SEA[0], SEA[0] + 2.0)]
    silent_hours = {(r["cell"], r["hour"] - T0_HOUR) for r in table if not r["n_heard"]}
    before, after = set(range(2, 8)), set(range(35, 41))
    assert silent_hours == {(ends[0], h) for h in before} | {(ends[1], h) for h in after}


def test_a_ship_under_way_through_a_silence_was_on_the_great_circle_and_one_that_lay_still_stayed():
    way = sail(FIRST, 0.0, (35.1, 130.1), (35.1, 133.1), every_s=300.0)
    quiet = [row for row in way if not 2 * H <= row["t"] < 9 * H]
    hours = hours_of(quiet)[1]
    unheard = hours.cell[~hours.is_heard]
    assert len(set(unheard.tolist())) >= 3
    assert set(hours.stratum.tolist()) == {0}
    still = hours_of(fleet(1, 20, heard=silent(5, 12)))[1]
    assert set(still.cell.tolist()) == set(cells_of(np.array([SEA[0]]), np.array([SEA[1]])).tolist())
    assert set(still.stratum.tolist()) == {1}


def test_tables_of_several_blocks_add_up_to_the_table_of_one():
    ships = [fleet(3, 30, first=FIRST + 10 * i, heard=silent(5 + i, 9)) for i in range(3)]
    whole = counted(reception_table(hours_of(*ships)[1]).to_pylist())
    summed = Counter(), Counter()
    for rows in ships:
        for key, (present, heard) in counted(reception_table(hours_of(rows)[1]).to_pylist()).items():
            summed[0][key] += present
            summed[1][key] += heard
    assert whole == {key: (summed[0][key], summed[1][key]) for key in summed[0]}


def test_what_a_ship_that_fell_silent_added_is_its_own_rows_of_the_sums():
    segments, hours = hours_of(fleet(2, 30, heard=silent(5, 12, [0])))
    gaps = IDENTITIES.empty().select(["mmsi"])
    assert ship_cells_table(hours, segments, gaps).num_rows == 0
    named = IDENTITIES.build({**{n: [None] for n in IDENTITIES.names}, "mmsi": [FIRST]}).select(["mmsi"])
    table = ship_cells_table(hours, segments, named).to_pylist()
    alone = reception_table(hours_of(fleet(1, 30, heard=silent(5, 12)))[1])
    assert {row["mmsi"] for row in table} == {FIRST}
    assert sum(row["n_present"] for row in table) == sum(alone["n_present"].to_pylist())
    assert sum(row["n_heard"] for row in table) == sum(alone["n_heard"].to_pylist())


def test_the_slots_are_the_first_reports_of_half_hours_and_of_tracks():
    segments = segments_of(fleet(3, 5, every_s=130.0))
    slot = segments.time_us // (30 * US_PER_MIN)
    first = {
        (int(t), int(s)): i for i, (t, s) in reversed(list(enumerate(zip(segments.segment_of_rows, slot, strict=True))))
    }
    assert slot_rows(segments).tolist() == sorted(first.values())


def test_a_track_is_of_class_b_if_most_of_its_reports_say_so_and_else_of_class_a():
    spells = [("one", "B", 5), ("one", "A", 3), ("two", None, 9), ("three", "B", 1), ("three", "A", 1)]
    values = {n: [None] * len(spells) for n in IDENTITIES.names}
    values |= {"segment_id": [s for s, _, _ in spells], "transceiver": [c for _, c, _ in spells]}
    table = IDENTITIES.build({**values, "n_reports": [n for _, _, n in spells]})
    assert class_b_tracks(["one", "two", "three", "unsaid"], table).tolist() == [True, False, False, False]


def test_no_tracks_make_no_ship_hours():
    segments, hours = hours_of([])
    assert len(hours) == 0
    assert reception_table(hours).num_rows == 0
    assert ship_cells_table(hours, segments, IDENTITIES.empty().select(["mmsi"])).num_rows == 0


@LAW
@given(st.floats(-80, 80), st.floats(-180, 180), st.floats(-80, 80), st.floats(-90, 90), st.floats(0, 1))
def test_the_way_along_a_great_circle_is_its_shortest(lat1, lon1, lat2, dlon, share):
    ends = [np.array([x]) for x in (lat1, lon1, lat2, (lon1 + dlon + 180.0) % 360.0 - 180.0)]
    lat, lon = along_great_circle(*ends, np.array([share]))
    whole = distance_nmi(*ends)
    split = distance_nmi(ends[0], ends[1], lat, lon) + distance_nmi(lat, lon, ends[2], ends[3])
    assert split[0] == pytest.approx(whole[0], abs=1e-3)


@pytest.mark.parametrize("change", [{"bridge_h": 5.0}, {"still_kn": 0.0}])
def test_each_parameter_of_presence_bites(change):
    rows = fleet(1, 40, heard=silent(5, 12))
    before, after = (
        reception_table(hours_of(rows, parameters=p)[1]) for p in (DEFAULT_RECEPTION, ReceptionParameters(**change))
    )
    assert not before.equals(after)


def test_the_length_of_edges_bites():
    rows = fleet(1, 60, heard=silent(5, 45))
    tables = [reception_table(hours_of(rows, parameters=ReceptionParameters(edge_h=e))[1]) for e in (0.0, 6.0)]
    assert [sum(t["n_present"].to_pylist()) - sum(t["n_heard"].to_pylist()) for t in tables] == [0, 12]
