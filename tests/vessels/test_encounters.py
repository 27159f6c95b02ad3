"""Meetings at sea: agreement with looking at all with all, one event a meeting, and what is told of both ships."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vessels.builders import ALPHA, BRAVO, CHARLIE, H, Row, chain, disc, lie, sail, zones_of
from tests.vessels.fleets import SEA, Fleet, drift, far_off, fleet_of, moment, off, turned
from vessels.event_tables import ENCOUNTERS
from vessels.events.meetings import EncounterParameters
from vessels.geodesy import distance_nmi
from vessels.schema import make_id

LAW = settings(max_examples=60, deadline=None)
FAR, WEST = off(SEA, 60_000), (SEA[0], SEA[1] - 0.7)
DELTA = 538_002_010
FLEET = (ALPHA, BRAVO, CHARLIE, DELTA)


def one_after_another(fleet: Fleet, p: EncounterParameters):
    """(mmsi, other, first and last step, instants together) of all meetings, by comparing all places with all."""
    rows = fleet.samples.to_pylist()
    at = defaultdict(list)
    for row in rows:
        at[row["step"]].append(row)
    close, known = defaultdict(dict), defaultdict(dict)
    for step, present in at.items():
        for a, b in itertools.combinations(sorted(present, key=lambda r: r["mmsi"]), 2):
            if a["mmsi"] == b["mmsi"]:
                continue
            metres = float(distance_nmi(a["lat"], a["lon"], b["lat"], b["lon"])) * 1852.0
            pair = a["mmsi"], b["mmsi"]
            known[pair][step] = metres
            if metres <= p.radius_m:
                close[pair][step] = a, b
    found = []
    for pair, instants in close.items():
        runs = [[sorted(instants)[0]]]
        for step in sorted(instants)[1:]:
            last = runs[-1][-1]
            minutes = (step - last - 1) * 10
            stretches = [[instants[s][ship]["since"] for ship in (0, 1)] for s in (last, step)]
            seen = [known[pair][s] for s in range(last + 1, step) if s in known[pair]]
            stayed = stretches[0] == stretches[1] and max(seen, default=0.0) <= p.apart_nmi * 1852.0
            if minutes <= p.max_break_h * 60 or (stayed and minutes <= p.max_swing_h * 60):
                runs[-1].append(step)
            else:
                runs.append([step])
        least = round(p.min_h * 6)
        found += [(*pair, r[0], r[-1], len(r)) for r in runs if len(r) >= least and r[-1] - r[0] >= p.min_h * 6]
    return sorted(found)


def summary(fleet: Fleet, p: EncounterParameters):
    return sorted(
        (e["mmsi"], e["other_mmsi"], e["start"], round(e["duration_h"], 3), e["min_distance_m"])
        for e in fleet.encounters(p)
    )


@st.composite
def fleets(draw):
    """A few ships that come, lie, drift, swing and go within a mile or two of each other, some often unheard."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows: list[Row] = []
    for mmsi in FLEET[: draw(st.integers(2, 4))]:
        t, every_s = float(rng.integers(0, 7200)), float(rng.choice([300.0, 900.0, 4000.0]))
        place = off(SEA, float(rng.choice([-300, 0, 200, 900])))
        for _ in range(draw(st.integers(1, 4))):
            kind, hours = rng.integers(0, 4), float(rng.choice([0.4, 1.5, 3.0, 6.0]))
            if kind == 0:
                there = off(SEA, float(rng.choice([-4000, 0, 150, 5000])))
                leg = sail(mmsi, t, place, there, speed_kn=6.0, every_s=every_s) if there != place else []
            elif kind == 1:
                leg = drift(mmsi, t, place, hours, speed_kn=float(rng.choice([0.1, 0.3])), every_s=every_s)
            elif kind == 2:
                t += float(rng.choice([1.5, 4.0, 7.0])) * H
                leg = lie(mmsi, t, place, 0.5, every_s=600.0)
            else:
                leg = lie(mmsi, t, place, hours, every_s=every_s)
            if leg:
                rows += leg
                t, place = leg[-1]["t"] + every_s, (leg[-1]["lat"], leg[-1]["lon"])
    return rows


RULES = (EncounterParameters(), EncounterParameters(min_h=1.0, max_break_h=0.5), EncounterParameters(radius_m=250.0))


@LAW
@given(fleets(), st.sampled_from(RULES))
def test_meetings_are_those_that_looking_at_all_with_all_finds(rows, rule):
    fleet = fleet_of(rows)
    slow = [(a, b, moment((s - STEP_0) * 600.0), (e - s) / 6) for a, b, s, e, _ in one_after_another(fleet, rule)]
    fast = sorted((e["mmsi"], e["other_mmsi"], e["start"], e["duration_h"]) for e in fleet.encounters(rule))
    assert [f[:3] for f in fast] == [s[:3] for s in slow]
    assert [f[3] for f in fast] == pytest.approx([s[3] for s in slow], abs=1e-3)


STEP_0 = fleet_of(lie(ALPHA, 0.0, SEA, 2.0)).samples["step"][0].as_py()


@LAW
@given(fleets(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_files_nor_blocks_change_a_meeting(rows, random):
    whole = fleet_of(rows).encounters()
    mixed = list(rows)
    random.shuffle(mixed)
    assert fleet_of(mixed).encounters() == whole
    midnight = [row for row in mixed if row["t"] < 6 * H], [row for row in mixed if row["t"] >= 6 * H]
    assert fleet_of(*midnight, n_buckets=3).encounters() == whole


@LAW
@given(fleets(), st.integers(-50, 50))
def test_later_rows_make_the_same_meetings_later(rows, slots):
    before, after = fleet_of(rows), fleet_of([{**row, "t": row["t"] + 1200.0 * slots} for row in rows])
    told = [name for name in ENCOUNTERS.names if not name.endswith("_id") and name not in ("start", "end")]
    plain = [[{name: e[name] for name in told} for e in fleet.encounters()] for fleet in (before, after)]
    assert plain[0] == plain[1]


@LAW
@given(fleets(), st.sampled_from([56.0, -304.0, 90.0]))
def test_meetings_on_the_antimeridian_are_like_any_other(rows, degrees):
    told = ("event_id", "duration_h", "apart_before", "apart_after", "n_ships_near", "n_ships_ever", "lat")
    before, after = (fleet_of(some).encounters() for some in (rows, turned(rows, degrees)))
    assert [[e[name] for name in told] for e in before] == [[e[name] for name in told] for e in after]
    assert [e["min_distance_m"] for e in before] == pytest.approx([e["min_distance_m"] for e in after], abs=0.3)
    assert [(e["lon"] + degrees + 180) % 360 - 180 for e in before] == pytest.approx(
        [e["lon"] for e in after], abs=1e-5
    )


@LAW
@given(fleets(), st.permutations(FLEET))
def test_other_numbers_make_the_same_meetings(rows, names):
    renamed = dict(zip(FLEET, names, strict=True))
    before = fleet_of(rows).encounters()
    after = fleet_of([{**row, "mmsi": renamed[row["mmsi"]]} for row in rows]).encounters()
    of_both = ("start", "duration_h", "min_distance_m", "median_distance_m", "heard_share", "apart_before",
               "apart_after", "under_way_together_h", "n_meetings", "n_partners", "n_ships_ever")  # fmt: skip

    def told(events, name):
        ships = [sorted(name.get(e[m], e[m]) for m in ("mmsi", "other_mmsi")) for e in events]
        return sorted((*pair, *(str(e[c]) for c in of_both)) for pair, e in zip(ships, events, strict=True))

    assert told(before, renamed) == told(after, {})


def meeting(mmsi: int, begin: float, end: float, metres: float = 0.0, to: tuple[float, float] = FAR, **said):
    """A ship that comes, drifts beside a place in the open sea from one time to another, and goes on."""
    there = off(SEA, metres)
    late = drift(mmsi, begin, there, (end - begin) / H, **said)
    gone = (late[-1]["lat"], late[-1]["lon"])
    come = sail(mmsi, 0.0, WEST, there)
    come = [{**row, "t": row["t"] + begin - come[-1]["t"] - 600.0} for row in come]
    return [*come[:-1], *late, *sail(mmsi, end + 600.0, gone, to, **said)[1:]]


PM, AM = 22.5 * H, 25.5 * H
"""22:30 one day and 01:30 the next."""


def test_a_meeting_over_midnight_and_over_files_and_blocks_is_one():
    rows = meeting(ALPHA, PM, AM) + meeting(BRAVO, PM, AM, 80.0, to=WEST)
    files = [[r for r in rows if r["t"] < 24 * H], [r for r in rows if r["t"] >= 24 * H]]
    (event,) = fleet_of(*files, n_buckets=2).encounters()
    assert (event["start"], event["end"]) == (moment(PM), moment(AM))
    assert event["duration_h"] == 3.0
    assert event["min_distance_m"] == event["median_distance_m"] == pytest.approx(80.0, abs=1)
    assert event["median_sog_kn"] == 0.4
    assert (event["apart_before"], event["apart_after"]) == (False, True)
    assert (event["heard_share"], event["n_meetings"], event["n_partners"]) == (1.0, 1, 0)
    assert event["event_id"] == make_id("encounter", ALPHA, BRAVO, int(moment(PM).timestamp() * 1e6))
    assert event["shore_nmi"] == 50.0
    assert (event["mmsi"], event["other_mmsi"]) == (ALPHA, BRAVO)
    assert event["hull_id"] == f"hull of {event['segment_id']}"
    assert event["other_hull_id"] == f"hull of {event['other_segment_id']}"


@pytest.mark.parametrize(("metres", "hours", "met"), [(450, 2.0, 1), (520, 5.0, 0), (450, 1.8, 0)])
def test_within_the_radius_for_the_hours_it_takes(metres, hours, met):
    rows = meeting(ALPHA, PM, PM + hours * H) + meeting(BRAVO, PM, PM + hours * H, metres)
    assert len(fleet_of(rows).encounters()) == met


def test_a_meeting_that_lasts_keeps_its_id_and_is_open():
    rows = meeting(ALPHA, PM, AM) + meeting(BRAVO, PM, AM, 80.0)
    cut = [row for row in rows if row["t"] <= PM + 2.2 * H]
    (event,), (early,) = fleet_of(rows).encounters(), fleet_of(cut).encounters()
    assert early["event_id"] == event["event_id"]
    assert (early["end"], early["end_lat"], early["end_lon"]) == (None, None, None)
    assert (early["duration_h"], early["apart_after"]) == (pytest.approx(2.1667), None)
    assert fleet_of(cut, as_of=PM + 8 * H).encounters() == [early]
    (late,) = fleet_of([*cut, *lie(CHARLIE, PM, FAR, 8.0)]).encounters()
    assert late["end"] == moment(PM + 2 * H + 600.0)


def test_a_meeting_is_over_once_one_of_the_two_is_seen_to_leave_though_the_other_is_not_heard():
    stays, leaves = meeting(ALPHA, PM, AM), meeting(BRAVO, PM, AM, 80.0, to=WEST)
    lies = drift(BRAVO, PM, off(SEA, 80.0), 4.5)
    stays = [row for row in stays if row["t"] <= AM]
    gone, there = ([row for row in rows if row["t"] <= AM + 1.5 * H] for rows in (leaves, lies))
    assert [e["end"] for e in fleet_of(stays + gone).encounters()] == [moment(AM)]
    assert [e["end"] for e in fleet_of(stays + there).encounters()] == [None]


def test_a_meeting_goes_on_while_one_of_the_two_is_not_heard():
    rows = meeting(ALPHA, PM, PM + 10 * H) + meeting(BRAVO, PM, PM + 10 * H, 80.0, to=WEST)
    silent = [r for r in rows if r["mmsi"] == ALPHA or not PM + 3 * H < r["t"] < PM + 8.5 * H]
    (event,) = fleet_of(silent).encounters()
    assert (event["start"], event["end"]) == (moment(PM), moment(PM + 10 * H))
    assert event["heard_share"] < 0.6
    elsewhere = [r if r["mmsi"] == ALPHA or r["t"] != PM + 6 * H else {**r, "lat": r["lat"] + 0.05} for r in rows]
    heard = [
        r for r in elsewhere if r["mmsi"] == ALPHA or not PM + 3 * H < r["t"] < PM + 8.5 * H or r["t"] == PM + 6 * H
    ]
    assert [e["end"] for e in fleet_of(heard).encounters()] == [moment(PM + 3 * H)]


def test_ships_that_swing_at_anchor_meet_once():
    rows = []
    for hour in range(0, 36, 6):
        away = 1_200.0 if (hour // 6) % 2 else 300.0
        rows += lie(ALPHA, hour * H, SEA, 5.8) + lie(BRAVO, hour * H, off(SEA, away), 5.8)
    assert [e["duration_h"] for e in fleet_of(rows).encounters()] == [pytest.approx(29.8, abs=0.2)]
    assert len(fleet_of(rows).encounters(EncounterParameters(apart_nmi=0.6))) == 3


def test_a_tow_is_told_by_the_way_made_together():
    rows = []
    for mmsi, metres in ((ALPHA, 0.0), (BRAVO, 250.0)):
        rows += chain(
            lambda t, m=mmsi, d=metres: sail(m, t, off(WEST, d), off(SEA, d), speed_kn=6.0),
            lambda t, m=mmsi, d=metres: lie(m, t, off(SEA, d), 4.0),
            lambda t, m=mmsi, d=metres: sail(m, t, off(SEA, d), off(FAR, d), speed_kn=6.0),
        )
    (event,) = fleet_of(rows).encounters()
    assert event["under_way_together_h"] == pytest.approx((34.0 + 32.4) / 6.0, abs=1.0)
    assert (event["apart_before"], event["apart_after"]) == (False, False)
    apart = meeting(ALPHA, PM, AM, to=FAR) + meeting(BRAVO, PM, AM, 80.0, to=WEST)
    (met,) = fleet_of([r for r in apart if r["t"] >= PM]).encounters()
    assert met["under_way_together_h"] == 0.0
    assert (met["apart_before"], met["apart_after"]) == (None, True)


def test_ships_that_turn_to_and_fro_together_between_reports_are_not_seen_apart():
    """A pair that trawls in legs of an hour, each heard once in two hours, by turns."""
    trawl = lie(ALPHA, -3.0 * H, SEA, 3.0)
    for leg in range(12):
        ends = (SEA, off(SEA, 7_000))
        trawl += sail(ALPHA, leg * H, ends[leg % 2], ends[1 - leg % 2], speed_kn=3.78, every_s=900.0)[:-1]
    other = [{**row, "mmsi": BRAVO, "lat": row["lat"] + 0.002} for row in trawl]
    heard = [row for row in trawl if row["t"] <= 0 or round(row["t"] % (2 * H), -2) == 900.0]
    heard += [row for row in other if row["t"] <= 0 or round(row["t"] % (2 * H), -2) == 3600.0]
    (event,) = fleet_of(heard).encounters()
    assert event["apart_after"] is False
    gone = [{**row, "lat": row["lat"] + (0.3 if row["t"] > 6 * H else 0.0)} for row in heard if row["mmsi"] == BRAVO]
    (parted,) = fleet_of([row for row in heard if row["mmsi"] == ALPHA] + gone).encounters()
    assert parted["apart_after"] is True


def test_two_sets_on_one_ship_lie_at_no_distance_all_the_way():
    rows = meeting(ALPHA, PM, AM)
    (event,) = fleet_of(rows + [{**row, "mmsi": BRAVO, "t": row["t"] + 20.0} for row in rows]).encounters()
    assert event["median_distance_m"] < 10.0
    assert event["under_way_together_h"] > 5.0
    assert (event["apart_before"], event["apart_after"]) == (False, False)


def test_two_hulls_under_one_number_do_not_meet_each_other():
    rows = lie(ALPHA, 0.0, SEA, 9.0) + lie(ALPHA, 300.0, off(SEA, 100), 9.0)
    assert fleet_of(rows).encounters() == []


def test_partners_and_meetings_are_counted():
    rows = []
    for number, (mmsi, other) in enumerate(((ALPHA, BRAVO), (ALPHA, CHARLIE), (ALPHA, BRAVO), (CHARLIE, DELTA))):
        begin = number * 40 * H + 10 * H
        rows += meeting(mmsi, begin, begin + 4 * H) + meeting(other, begin, begin + 4 * H, 90.0)
    told = {(e["mmsi"], e["other_mmsi"]): (e["n_meetings"], e["n_partners"]) for e in fleet_of(rows).encounters()}
    pair = tuple(sorted((CHARLIE, DELTA)))
    assert told == {(ALPHA, BRAVO): (2, 1), (ALPHA, CHARLIE): (1, 2), pair: (1, 1)}


def test_draughts_are_those_before_and_the_first_others_within_two_days():
    def rows(before, after, late_h=3.0):
        part = [r for r in meeting(BRAVO, PM, AM, 80.0, to=WEST) if r["t"] <= AM + 4 * H]
        part += lie(BRAVO, AM + 5 * H, WEST, 60.0)
        change = AM + late_h * H
        own = [{**r, "draught": before if r["t"] < change else after} for r in part]
        return [*[{**r, "draught": 9.0} for r in meeting(ALPHA, PM, AM)], *own]

    def told(*of, zones=None, **how):
        (event,) = fleet_of(rows(*of, **how), zones=zones).encounters()
        assert (event["start_draught_m"], event["end_draught_m"]) == (9.0, 9.0)
        return event["other_start_draught_m"], event["other_end_draught_m"]

    assert told(5.0, 7.5) == (5.0, 7.5)
    assert told(5.0, 7.5, late_h=-1.0) == (5.0, 7.5)
    assert told(5.0, 7.5, late_h=50.0) == (5.0, 5.0)
    assert told(None, 7.5) == (None, 7.5)
    assert told(None, None) == (None, None)
    port = zones_of(disc("XX_PORT", *WEST, 10.0))
    assert told(5.0, 7.5, late_h=10.0, zones=port) == (5.0, 5.0)


def test_no_draught_is_told_of_a_ship_never_heard_again():
    rows = [{**r, "draught": 9.0} for m in (ALPHA, BRAVO) for r in meeting(m, PM, AM, 80.0 * (m == BRAVO))]
    (event,) = fleet_of([r for r in rows if r["mmsi"] == ALPHA or r["t"] <= AM]).encounters()
    assert (event["end_draught_m"], event["other_end_draught_m"]) == (9.0, None)
    assert event["apart_after"] is None


def test_ships_that_lay_nearby_are_counted_meanwhile_and_ever():
    rows = meeting(ALPHA, PM, AM) + meeting(BRAVO, PM, AM, 80.0)
    rows += lie(CHARLIE, PM, off(SEA, 2_500), 5.0) + lie(DELTA, AM + 20 * H, off(SEA, 2_500), 5.0)
    rows += lie(DELTA + 1, PM, off(SEA, 5_500), 5.0)
    (event,) = fleet_of(rows).encounters()
    assert (event["n_ships_near"], event["n_ships_ever"]) == (1, 2)
    (wide,) = fleet_of(rows).encounters(EncounterParameters(about_nmi=4.0))
    assert (wide["n_ships_near"], wide["n_ships_ever"]) == (2, 3)


def test_ships_in_harbour_or_at_the_shore_do_not_meet_and_those_in_the_roads_do():
    rows = lie(ALPHA, 0.0, SEA, 9.0) + lie(BRAVO, 0.0, off(SEA, 100), 9.0)
    assert fleet_of(rows, zones=zones_of(disc("XX_PORT", *SEA, 10.0))).encounters() == []
    assert fleet_of(rows, shore=lambda lat, _: np.full(len(lat), 0.2)).encounters() == []
    roads = zones_of(disc("XX_PORT", *SEA, 10.0), disc("XX_ROADS", *SEA, 5.0, kind="sts_zone"))
    assert len(fleet_of(rows, zones=roads).encounters()) == 1


def test_a_crowd_tells_no_pairs():
    rows = [row for i in range(25) for row in lie(ALPHA + i, 0.0, off(SEA, 8.0 * i), 5.0)]
    assert fleet_of(rows).encounters() == []
    assert len(fleet_of(rows).encounters(EncounterParameters(max_crowd=30))) == 25 * 24 // 2


def test_the_parted_track_gives_the_event_its_name():
    rows = meeting(ALPHA, PM, AM) + meeting(BRAVO, PM, AM, 80.0)
    fleet = fleet_of(rows)
    first = fleet.segments["mmsi"].to_pylist().index(ALPHA)
    parts = fleet.segments.to_pylist()
    cut = parts.pop(first)
    parts += [
        {**cut, "end": moment(PM - H)},
        {**cut, "segment_id": "later", "hull_id": "another", "start": moment(PM - 0.5 * H)},
    ]
    segments = fleet.segments.schema.empty_table().from_pylist(parts, schema=fleet.segments.schema)
    changed = Fleet(
        fleet.samples, fleet.stretches, fleet.draughts, segments, fleet.sketches, fleet.visits, far_off, fleet.as_of_us
    )
    (event,) = changed.encounters()
    assert (event["segment_id"], event["hull_id"]) == ("later", "another")
    assert event["other_hull_id"] == f"hull of {event['other_segment_id']}"
    (own,) = fleet.encounters()
    assert event["event_id"] == own["event_id"]


@pytest.mark.parametrize(
    "changed",
    [
        {"radius_m": 200.0},
        {"min_h": 12.0},
        {"max_break_h": 24.0},
        {"max_swing_h": 0.0},
        {"apart_nmi": 0.4},
        {"max_crowd": 1},
        {"context_h": 1.0},
        {"moving_kn": 15.0},
        {"known_h": 0.1},
        {"about_nmi": 0.5},
        {"open_h": 0.0},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_parameter_bites(changed):
    pair = (ALPHA, 0.0), (BRAVO, 250.0)
    together = [row for mmsi, north in pair for row in sail(mmsi, 0.0, off(WEST, north), off(SEA, north))]
    swung = [
        row
        for mmsi, north in pair
        for hour in (*range(3, 12), *range(30, 34))
        for row in lie(mmsi, hour * H, off(SEA, 1_100.0 if (mmsi, hour) == (BRAVO, 7) else north), 0.5)
    ]
    others = [row for i in range(2) for row in lie(CHARLIE + i, 3.0 * H, off(SEA, 700.0 + 500.0 * i), 9.0)]
    newest = lie(CHARLIE + 2, 33.0 * H, FAR, 1.0)
    fleet = fleet_of([*together, *swung, *others, *newest])
    assert fleet.encounters(EncounterParameters(**changed)) != fleet.encounters()


def test_no_rows_and_no_slow_ships_make_an_empty_table():
    assert fleet_of([]).encounters() == []
    assert fleet_of(sail(ALPHA, 0.0, SEA, FAR)).encounters() == []
    assert fleet_of(lie(ALPHA, 0.0, SEA, 9.0)).encounters() == []
