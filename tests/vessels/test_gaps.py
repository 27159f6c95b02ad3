"""Gaps: which silences are kept, how they end, what changed across them."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, T0, H, chain, instant, lie, sail
from tests.vessels.reception.fleets import FIRST, SEA, fleet, gap_of, gaps_of, settled, silent
from vessels.events.gaps import GapParameters
from vessels.geodesy import distance_nmi
from vessels.schema import HULL_LINKS, make_id

LAW = settings(max_examples=30, deadline=None)

A, B, C = (35.2, 130.2), (35.2, 131.2), (36.2, 131.2)


def ship(*spans, mmsi=ALPHA, place=A, every_s=600.0, **said):
    """One ship lying still, heard in spans of hours."""
    rows = []
    for begin, end in spans:
        rows += lie(mmsi, begin * H, place, end - begin, every_s=every_s, **said)
    return rows


def spans_of(gaps):
    """Start and end of gaps in hours after T0, None while open."""
    hours = [[None if t is None else (t - T0).total_seconds() / H for t in (g["start"], g["end"])] for g in gaps]
    return [tuple(one) for one in hours]


# Which silences


def test_a_silence_of_hours_is_a_gap_and_a_shorter_one_is_none():
    rows = ship((0, 10), (13, 20), (25, 40))
    assert spans_of(gaps_of(rows)) == [(20.0, 25.0)]
    assert spans_of(gaps_of(rows, gaps=GapParameters(min_gap_h=2.5))) == [(10.0, 13.0), (20.0, 25.0)]


def test_a_ship_heard_every_six_hours_has_no_gaps_of_six_hours_nor_of_a_day_but_of_three():
    at = [6 * i for i in range(20)] + [6 * 19 + 24] + [6 * 19 + 24 + 72 + 6 * i for i in range(10)]
    rows = [row for h in at for row in ship((h, h))]
    assert [g["duration_h"] for g in gaps_of(rows)] == [72.0]
    assert [g["duration_h"] for g in gaps_of(rows, gaps=GapParameters(habit_factor=3.0))] == [24.0, 72.0]


def test_tracks_of_few_reports_have_no_gaps():
    rows = ship((0, 0.5), (10, 10.5), every_s=600.0)
    others = fleet(3, 40, first=FIRST)
    assert [g for g in gaps_of(rows, others) if g["mmsi"] == ALPHA] == []
    more = gaps_of(rows, others, gaps=GapParameters(min_reports=4))
    assert spans_of([g for g in more if g["mmsi"] == ALPHA])[0] == (0.5, 10.0)


def stays(lengths, hours=20):
    """A ship heard for hours, silent for so many, heard again, and so on."""
    spans, at = [], 0.0
    for length in (*lengths, 0):
        spans.append((at, at + hours))
        at += hours + length
    return ship(*spans), at


def test_a_silence_is_none_among_many_longer_ones_of_the_month_before():
    rows, at = stays([10, 9, 8, 7, 9.5, 6])
    rows += fleet(3, at + 40)
    gaps = [g for g in gaps_of(rows, gaps=GapParameters(max_longer=2)) if g["mmsi"] == ALPHA]
    assert [g["duration_h"] for g in gaps] == [10.0, 9.0, 9.5, pytest.approx(40.0, abs=0.5)]
    gaps = [g for g in gaps_of(rows, gaps=GapParameters(max_longer=2, window_days=2.0)) if g["mmsi"] == ALPHA]
    assert [g["duration_h"] for g in gaps if g["end"]] == [10.0, 9.0, 8.0, 7.0, 9.5, 6.0]


def test_an_end_counts_when_it_has_outlasted_those_of_the_month_before():
    rows, at = stays([10, 9])
    told = [
        [g for g in gaps_of(rows + fleet(2, at + h), gaps=GapParameters(max_longer=2)) if g["end"] is None]
        for h in (8.0, 10.0)
    ]
    assert [len(found) for found in told] == [0, 1]


def test_a_gap_once_told_stays_told_as_data_grow():
    rows = fleet(6, 40 * 24)
    for k in range(12):
        step_h = [0.2, 0.5, 1.0][k % 3]
        for i in range(40):  # ever longer silences, and ever sparser reports
            at = 24.0 * i + k
            rows += ship((at, at + 16 - 0.25 * i), mmsi=BRAVO + k, place=(35.2, 130.25 + k / 100), every_s=step_h * H)
            if k % 2 and i > 12:
                rows += ship((at + 17, at + 18), mmsi=BRAVO + k, place=(25.0, 150.0))
    names = [g["event_id"] for g in gaps_of(rows)]
    assert len(set(names)) == len(names)
    for day in (10.0, 10.8, 20.9):
        known = gaps_of([row for row in rows if row["t"] <= day * 24 * H])
        heard = {g["event_id"] for g in known if g["reception"] == "heard"}
        assert len(heard) > 10
        assert heard <= set(names)


@LAW
@given(st.lists(st.integers(1, 60), min_size=12, max_size=40))
def test_gaps_agree_with_a_plain_search(tenths):
    at, rows = 0.0, []
    for tenth in tenths:
        rows += ship((at, at))
        at += tenth / 10.0
    p = GapParameters(min_reports=5, habit_factor=2.03, max_longer=3, window_days=1.0)
    steps = [(rows[i + 1]["t"] - rows[i]["t"]) / H for i in range(len(rows) - 1)]
    long = []
    for i in range(p.min_reports - 1, len(steps)):
        usual = round(sorted(steps[:i])[(i - 1) // 2] * 3600, 1) / 3600
        if steps[i] >= p.min_gap_h - 1e-6 and steps[i] >= p.habit_factor * usual - 1e-6:
            long.append(i)
    kept = []
    for i in long:
        before = [steps[j] for j in long if j < i and rows[j]["t"] >= rows[i]["t"] - 24 * H]
        if sum(step >= steps[i] - 1e-6 for step in before) < p.max_longer:
            kept.append(i)
    found = [g for g in gaps_of(rows, gaps=p) if g["end"]]
    assert [round((g["start"] - T0).total_seconds()) for g in found] == [round(rows[i]["t"]) for i in kept]
    for gap, i in zip(found, kept, strict=True):
        others = [s for j, s in enumerate(steps) if j != i]
        assert gap["longest_usual_h"] == pytest.approx(max(others), abs=1e-3)


# How they end


def test_a_ship_never_heard_again_has_an_open_gap_until_now():
    rows = fleet(4, 60, heard=silent(40, 99, [2]))
    gap = gap_of(gaps_of(rows), 2)
    assert (gap["end"], gap["end_lat"], gap["distance_nmi"], gap["next_mmsi"]) == (None, None, None, None)
    assert gap["duration_h"] == pytest.approx(20.0, abs=0.4)
    later = gap_of([g for g in gaps_of(rows, as_of_h=100.0) if g["mmsi"] == FIRST + 2], 2)
    assert later["duration_h"] == gap["duration_h"]
    assert later["expected_heard_h"] == gap["expected_heard_h"]


def test_an_open_gap_keeps_its_id_when_it_closes():
    open_rows = fleet(4, 60, heard=silent(40, 99, [2]))
    closed_rows = fleet(4, 90, heard=silent(40, 70, [2]))
    one, other = gap_of(gaps_of(open_rows), 2), gap_of(gaps_of(closed_rows), 2)
    assert one["event_id"] == other["event_id"] == make_id("gap", FIRST + 2, int(one["start"].timestamp() * 1e6))
    assert (one["end"], other["end"] is None) == (None, False)


def test_a_silence_that_began_less_than_hours_ago_is_no_gap_yet_nor_one_after_the_newest_report_of_all():
    rows = fleet(4, 60, heard=silent(57, 99, [2]))
    assert gaps_of(rows) == []
    assert gaps_of(rows, as_of_h=200.0) == []


def test_a_number_heard_again_as_another_track_closes_its_gap():
    far = (25.0, 150.0)
    rows = ship((0, 20)) + ship((30, 50), place=far)
    (gap,) = gaps_of(rows)
    assert spans_of([gap]) == [(20.0, 30.0)]
    assert (gap["next_mmsi"], gap["next_segment_id"] == gap["segment_id"]) == (ALPHA, False)
    assert (gap["end_lat"], gap["end_lon"]) == far
    assert gap["implied_speed_kn"] > 100.0


FAR = (25.0, 150.0)


def test_a_number_that_goes_on_on_another_track_leaves_no_open_gap():
    assert gaps_of(ship((0, 20)) + ship((5, 50), place=FAR)) == []
    far, own = gaps_of(ship((0, 20)) + ship((5, 15), (30, 50), place=FAR) + fleet(4, 50))
    assert spans_of([far, own]) == [(15.0, 30.0), (20.0, 30.0)]
    assert (far["reception"], own["end_lat"], own["next_mmsi"]) == ("unknown", FAR[0], ALPHA)
    assert own["next_segment_id"] == far["segment_id"]


def test_a_spell_elsewhere_within_a_silence_makes_it_unknown_and_is_no_gap_itself():
    others = fleet(20, 90, place=A) + fleet(20, 90, place=FAR, first=FIRST + 100)
    home = ship((0, 20), (26, 90))
    assert [g["reception"] for g in gaps_of(home, others)] == ["heard"]
    (gap,) = gaps_of(home, ship((20.2, 23.2), place=FAR), others)
    assert (spans_of([gap]), gap["reception"]) == ([(20.0, 26.0)], "unknown")
    (gap,) = gaps_of(home, ship((0, 23.2), place=FAR), others)
    assert gap["reception"] == "unknown"


def thrown():
    """A ship whose positions are thrown off for good 6 nmi away, and then drawn as one track with the true ones."""
    out = sail(ALPHA, 0.0, A, B, speed_kn=12.0, every_s=300.0)
    astray = [dict(row, lat=row["lat"] + 0.1) for row in out[20::2]]
    return sorted(out[:26] + [row for row in astray if row["t"] > 0], key=lambda row: row["t"])


def test_a_ship_heard_on_beside_its_track_was_not_silent():
    rows = thrown() + fleet(3, 40)
    assert [g for g in gaps_of(rows, gaps=GapParameters(same_hull_kn=0.0)) if g["mmsi"] == ALPHA] != []
    ends = [g for g in gaps_of(rows) if g["mmsi"] == ALPHA]
    assert [g["start"] for g in ends] == [instant(max(r["t"] for r in rows if r["mmsi"] == ALPHA))]


def test_another_ship_under_the_number_far_off_fills_no_silence():
    rows = ship((0, 20), (30, 50)) + ship((0, 50), place=(25.0, 150.0), every_s=900.0)
    assert spans_of(gaps_of(rows)) == [(20.0, 30.0)]


def link(started, to, ended_h, began_h, *, strong=True, place=A):
    """A hull link from the track of a gap to another track."""
    values = dict.fromkeys(HULL_LINKS.names)
    values |= {
        "from_segment_id": started["segment_id"],
        "to_segment_id": to["segment_id"],
        "from_mmsi": started["mmsi"],
        "to_mmsi": to["mmsi"],
        "ended": instant(ended_h * H),
        "began": instant(began_h * H),
        "to_lat": place[0],
        "to_lon": place[1],
        "is_strong": strong,
    }
    return HULL_LINKS.build({name: [value] for name, value in values.items()})


def two_numbers():
    """A ship that ends at 20 h, another number that begins at 30 h and ends at 50 h, and others to 80 h."""
    return ship((0, 20)) + ship((30, 50), mmsi=BRAVO, draught=4.0) + fleet(3, 80)


def ends_by(rows, **how):
    return {(g["mmsi"], (g["start"] - T0).total_seconds() / H): g for g in gaps_of(rows, **how)}


def test_a_strong_link_closes_a_gap_under_the_next_number_and_a_weak_one_does_not():
    rows = two_numbers()
    gaps = ends_by(rows)
    old, new = gaps[ALPHA, 20.0], gaps[BRAVO, 50.0]
    assert old["end"] is None
    closed = ends_by(rows, links=link(old, new, 20, 30))[ALPHA, 20.0]
    assert (closed["next_mmsi"], closed["next_segment_id"]) == (BRAVO, new["segment_id"])
    assert spans_of([closed]) == [(20.0, 30.0)]
    assert (closed["end_lat"], closed["end_sog_kn"], closed["end_draught_m"]) == (A[0], 0.0, 4.0)
    assert closed["event_id"] == old["event_id"]
    assert ends_by(rows, links=link(old, new, 20, 30, strong=False))[ALPHA, 20.0] == old


def test_a_hull_that_bore_another_number_during_a_silence_was_silent_only_until_then():
    rows = ship((0, 20), (60, 80)) + ship((30, 50), mmsi=BRAVO) + fleet(3, 80)
    gaps = ends_by(rows)
    old, new = gaps[ALPHA, 20.0], gaps[BRAVO, 50.0]
    assert spans_of([old]) == [(20.0, 60.0)]
    closed = ends_by(rows, links=link(old, new, 20, 30))[ALPHA, 20.0]
    assert spans_of([closed]) == [(20.0, 30.0)]
    assert closed["next_mmsi"] == BRAVO
    assert closed["duration_h"] == 10.0


def test_a_hull_heard_at_once_under_the_next_number_was_not_silent():
    rows = ship((0, 20)) + ship((21, 50), mmsi=BRAVO) + fleet(3, 80)
    gaps = ends_by(rows)
    bound = link(gaps[ALPHA, 20.0], gaps[BRAVO, 50.0], 20, 21)
    assert (ALPHA, 20.0) not in ends_by(rows, links=bound)


def test_a_gap_has_the_hull_of_its_track_and_gaps_of_unknown_tracks_are_dropped():
    table = settled(ship((0, 20), (30, 50)))
    assert table["hull_id"].to_pylist() == [f"hull of {table['segment_id'][0].as_py()}"]


# What was seen of the ship


def moved():
    """A ship that sails, is silent for half a day, and sails on."""
    out = sail(ALPHA, 0.0, A, B, speed_kn=12.0, every_s=300.0)
    back = sail(ALPHA, out[-1]["t"] + 12 * H, C, A, speed_kn=10.0, every_s=300.0)
    return out, back


def test_speed_place_course_and_habit_are_those_around_the_silence():
    out, back = moved()
    (gap,) = gaps_of(out + back)
    assert (gap["start_sog_kn"], gap["end_sog_kn"]) == (12.0, 10.0)
    assert (gap["start_cog_deg"], gap["end_cog_deg"]) == (pytest.approx(90.0, abs=1), pytest.approx(219, abs=1))
    assert gap["distance_nmi"] == pytest.approx(float(distance_nmi(*B, *C)), abs=1e-3)
    assert gap["implied_speed_kn"] == pytest.approx(gap["distance_nmi"] / 12.0, abs=1e-2)
    assert gap["usual_interval_s"] == pytest.approx(300.0, abs=5)
    assert gap["reports_per_heard_h"] == pytest.approx(12.0, abs=1.5)
    assert gap["cruise_kn"] == 10.0
    assert gap["fastest_kn"] == pytest.approx(12.0, abs=0.2)
    assert gap["longest_usual_h"] == pytest.approx(300 / 3600, abs=0.01)


def test_one_wild_report_makes_no_ship_fast():
    out = sail(ALPHA, 0.0, A, B, speed_kn=12.0, every_s=600.0)
    back = sail(ALPHA, out[-1]["t"] + 12 * H, C, A, speed_kn=10.0, every_s=600.0)
    for i in range(3, len(out), 4):
        rows = [dict(row, lat=row["lat"] + 0.08) if k == i else row for k, row in enumerate(out)]
        (gap,) = gaps_of(rows + back)
        assert gap["fastest_kn"] == pytest.approx(12.0, abs=0.5)


def spoken(before, after):
    """Two stays of one ship with what it said in each."""
    return ship((0, 20), **before) + ship((30, 50), **after)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"draught": 9.0}, {"draught": 5.0}, ["draught"]),
        ({"draught": 9.0}, {"draught": 9.1}, []),
        ({"draught": 9.0}, {}, []),
        ({"destination": "DALIAN"}, {"destination": "BUSAN"}, ["destination"]),
        ({"name": "ONE"}, {"name": "OTHER"}, ["name"]),
        ({"name": "ONE", "call_sign": "UBCD"}, {"name": "ONE", "call_sign": "UBCE"}, ["call_sign"]),
        ({"imo": "2000003", "name": "ONE"}, {"imo": "2000015", "name": "ONE"}, ["imo"]),
        ({"imo": "2000003", "name": "A", "call_sign": "B"}, {"name": "A", "call_sign": "B"}, ["imo"]),
        ({"ship_type": 70}, {"ship_type": 80}, ["ship_type"]),
        ({"sog": 9.0, "cog": 10.0}, {"sog": 9.0, "cog": 350.0}, []),
        ({"sog": 9.0, "cog": 10.0}, {"sog": 9.0, "cog": 190.0}, ["course"]),
        ({"sog": 0.1, "cog": 10.0}, {"sog": 9.0, "cog": 190.0}, []),
        (
            {"draught": 9.0, "destination": "X PORT", "name": "ONE"},
            {"draught": 5.0, "destination": "Y PORT", "name": "TWO"},
            ["destination", "draught", "name"],
        ),
    ],
)
def test_what_changed_across_a_silence_is_listed(before, after, changed):
    (gap,) = gaps_of(spoken(before, after))
    assert gap["changed"] == changed
    assert (gap["start_destination"], gap["end_destination"]) == (
        before.get("destination"),
        after.get("destination", before.get("destination")),
    )


def test_claims_made_soon_after_the_silence_count_and_later_ones_do_not():
    for minutes, end in ((30, "BUSAN"), (90, "DALIAN")):
        rows = ship((0, 20), destination="DALIAN")
        rows += ship((30, 30 + minutes / 60 - 0.1), destination="DALIAN", every_s=60.0)
        rows += ship((30 + minutes / 60, 50), destination="BUSAN")
        (gap,) = gaps_of(rows)
        assert gap["end_destination"] == end


def test_across_a_change_of_number_claims_are_those_of_both_tracks():
    rows = ship((0, 20), destination="DALIAN", name="ONE", draught=8.0)
    rows += ship((30, 50), mmsi=BRAVO, destination="BUSAN", name="OTHER", draught=4.0) + fleet(3, 80)
    gaps = ends_by(rows)
    bound = link(gaps[ALPHA, 20.0], gaps[BRAVO, 50.0], 20, 30)
    closed = ends_by(rows, links=bound)[ALPHA, 20.0]
    assert closed["changed"] == ["destination", "draught", "name"]
    assert (closed["start_destination"], closed["end_destination"]) == ("DALIAN", "BUSAN")
    assert gaps[ALPHA, 20.0]["changed"] == []


def test_ids_of_gaps_differ_even_where_two_tracks_of_a_number_fall_silent_at_once():
    rows = ship((0, 20), (30, 50)) + ship((0, 20), (30, 50), place=(25.0, 150.0))
    ids = Counter(g["event_id"] for g in gaps_of(rows))
    assert len(ids) == 2
    assert max(ids.values()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"min_gap_h": 11.0},
        {"habit_factor": 200.0},
        {"min_reports": 500},
        {"soon_h": 5.0},
        {"draught_step_m": 5.0},
        {"course_step_deg": 179.0},
        {"under_way_kn": 15.0},
    ],
)
def test_each_parameter_of_gaps_bites(change):
    legs = chain(
        lambda t: sail(ALPHA, t, A, B, destination="DALIAN", draught=9.0),
        lambda t: sail(ALPHA, t + 10 * H, B, A, destination="DALIAN", draught=9.0),
        lambda t: sail(ALPHA, t + 12 * H, A, (36.2, 130.2), destination="DALIAN", draught=7.0)[:9],
        lambda t: lie(ALPHA, t + 1 * H, (35.4, 130.2), 30.0, destination="BUSAN", draught=7.0),
    )
    assert not settled(legs).equals(settled(legs, gaps=GapParameters(**change)))


def test_no_tracks_have_no_gaps():
    assert gaps_of([]) == []


def test_the_sea_of_the_fleet_is_one_neighbourhood():
    assert {gap["n_others"] for gap in gaps_of(fleet(5, 60, place=SEA, heard=silent(20, 30, [0])))} == {4.0}
