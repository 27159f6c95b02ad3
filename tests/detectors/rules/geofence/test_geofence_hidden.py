"""Hidden calls: silences that leave time for a watched port, what speaks for and against, who is left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from shapely import box

from detectors.destinations import Declared, Place
from detectors.rules.dark.fences import fence_nmi
from detectors.rules.dark.silences import silences_of
from detectors.rules.geofence.detector import Geofence
from detectors.rules.geofence.hidden import hidden_calls
from detectors.rules.geofence.hidden_crowd import crowd_of
from detectors.rules.geofence.hidden_ways import direct_nmi, find_ways, least_nmi, sail_nmi, speeds_kn
from detectors.scenes import TABLES, empty_scene
from detectors.testing import check_detector
from detectors.triage import judge, weight_of
from tests.detectors.gaps import SHIP, gap, laden_then_light
from tests.detectors.histories import at, sailed, scene, spell, stay, zone
from vessels.geodesy import distance_nmi
from vessels.zones import Zones, read_zones

KIND = "hidden_call_feasible"
OFF_NAMPO = (38.0, 124.3)
OFF_DONGHAE = (37.6, 130.2)
OFF_BUSAN = (34.5, 129.5)
PACKAGED = read_zones()
TANKER = [spell(SHIP, at(0), at(30), ship_type=80, name="PALE HERON")]


class StraightSea:
    """Distances by water as the crow flies, so that a test can reckon them."""

    def __init__(self, zones):
        self._zones = {one.zone_id: one for one in zones}

    def distance_nmi(self, zone_id, lat, lon):
        return fence_nmi(self._zones[zone_id], np.asarray(lat, dtype=float), np.asarray(lon, dtype=float))

    def between_nmi(self, lat1, lon1, lat2, lon2):
        return distance_nmi(lat1, lon1, lat2, lon2)


def straight(zones):
    made = Zones(tuple(zones))
    vars(made)["sea"] = StraightSea(zones)  # a cached property: what is there is not made
    return made


ZONES = straight(PACKAGED.zones)


def night(*gaps, as_of=None, identities=TANKER, zones=ZONES, **tables):
    one = replace(scene(gaps=gaps, identities=identities, **tables), zones=zones)
    as_of = at(30) if as_of is None else as_of
    return replace(one, as_of=as_of, history=replace(one.history, as_of=as_of))


def found(*gaps, detector=None, **more):
    """The hidden calls in these gaps, in order of time."""
    one, rule = night(*gaps, **more), detector or Geofence()
    findings = hidden_calls(one.history, one.zones, rule, one.as_of, (rule.name, rule.version))
    return sorted(findings, key=lambda finding: (finding.start, finding.mmsi))


def strength(*gaps, **more):
    """The strength of the tanker's first finding; 0 if there is none."""
    return next((finding.strength for finding in found(*gaps, **more) if finding.mmsi == SHIP), 0.0)


def evidence(finding):
    return {line.what: line.observed for line in finding.evidence}


def weights(finding):
    """What weighs, by name."""
    said = evidence(finding)["what weighs"].split("; from")[0].split(", ")
    return {name: float(value) for name, value in (one.rsplit(" ", 1) for one in said)}


HIDDEN = gap(hours=144.0, place=OFF_NAMPO, start_destination="KR INC", **laden_then_light())
PASSERS = [
    row
    for i in range(12)
    for row in sailed(431000100 + i, at(2), 20.0, (38.2, 124.3), (37.6, 124.2), segment_id=f"segment-{i}")
]


def test_it_keeps_the_laws_of_detectors():
    one = night(
        HIDDEN,
        gap(SHIP + 1, hours=None, place=(38.8, 128.6), start_cog_deg=290.0),
        gap(SHIP + 2, place=OFF_NAMPO, reception="unknown", **laden_then_light()),
        gap(SHIP + 3, place=OFF_NAMPO, to=(38.3, 123.6), next_mmsi=SHIP + 4),
        zones=PACKAGED,
        sketches=PASSERS,
        port_visits=[stay(SHIP, "KR_BUSAN", at(20), at(21))],
    )
    assert [finding.kind for finding in check_detector(Geofence(), one)] == [KIND] * 4


def test_nothing_is_found_in_tables_of_nulls():
    empty = empty_scene()
    nulls = {name: pa.table({c.name: pa.nulls(3, c.type) for c in t.columns}) for name, t in TABLES.items()}
    history = replace(empty.history, **nulls)
    assert not hidden_calls(history, empty.zones, Geofence(), empty.as_of, ("geofence", "3"))


def test_six_silent_days_off_nampo_and_back_light_are_a_call_that_could_have_been():
    (finding,) = found(HIDDEN, sketches=PASSERS, port_visits=[stay(SHIP, "CN_QINGDAO", at(14), at(16))])
    assert finding.strength > 0.75
    assert (finding.start, finding.end, finding.segment_id) == (at(5), at(11), f"segment-{SHIP}")
    assert "time to sail to Nampo" in finding.headline
    assert finding.headline.startswith("PALE HERON (MMSI 352001870) was silent for 6.0 days")
    said = evidence(finding)
    assert said["ships that passed where she fell silent"] == "12, 0 with the like silence"
    assert said["speed reckoned with"] == "11.0"
    assert weights(finding).keys() == {"silence", "draught", "nearness", "destination"}
    assert any("nothing shows that she was there" in caveat for caveat in finding.caveats)
    measures = [line.observed for line in finding.evidence if line.what == "UN measure in force"]
    assert len(measures) == 3


def test_with_the_packaged_sea_the_ways_go_round_the_land():
    (finding,) = found(HIDDEN, zones=PACKAGED)
    ports = [line.observed for line in finding.evidence if line.what == "port in reach by water"]
    assert any("KP_NAMPO" in port for port in ports)
    assert not any("KP_WONSAN" in port for port in ports)  # as the crow flies nearer than by water by 500 nmi
    (east,) = found(
        {**HIDDEN, "start_lat": 37.6, "start_lon": 130.2, "end_lat": 37.6, "end_lon": 130.2}, zones=PACKAGED
    )
    assert "Wonsan" in east.headline


def test_there_must_be_time_for_the_way_in_a_stay_and_the_way_out():
    way_h = 2.0 * 42.0 / 11.0  # to Nampo's nearest berth there are some 50 nmi, to Haeju's some 55
    assert not found({**HIDDEN, "end": HIDDEN["start"] + timedelta(hours=way_h + 4.0)})
    assert found({**HIDDEN, "end": HIDDEN["start"] + timedelta(hours=way_h + 20.0)})


def test_no_ship_sails_faster_than_she_was_seen_to():
    hours = 40.0
    quick = {**HIDDEN, "end": HIDDEN["start"] + timedelta(hours=hours), "start_lat": 36.8, "end_lat": 36.8}
    assert found(quick)
    assert not found({**quick, "fastest_kn": 5.0})
    assert not found({**quick, "cruise_kn": 4.0})
    assert not found({**quick, "cruise_kn": None, "fastest_kn": 0.0})
    assert found({**quick, "cruise_kn": None, "fastest_kn": None})


def test_a_ship_whose_set_fails_and_who_sails_straight_on_is_left_alone():
    across = gap(hours=36.0, place=(30.0, 124.0), to=(34.5, 128.8))
    past_korea = gap(hours=60.0, place=OFF_BUSAN, to=(42.6, 132.8), fastest_kn=10.0)
    assert not found(across, past_korea)


def test_the_longer_the_detour_the_less_it_says():
    places = [(38.0, 124.3), (37.0, 124.0), (35.8, 123.8), (33.5, 124.0), (30.0, 124.5)]
    strengths = [strength({**HIDDEN, "start_lat": a, "end_lat": a, "start_lon": o, "end_lon": o}) for a, o in places]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] - strengths[-1] > 0.3


def test_a_zone_on_the_way_is_natural_though_the_ends_are_far_apart():
    on_the_way = gap(hours=100.0, place=OFF_DONGHAE, to=(42.2, 131.9), **laden_then_light())
    there_and_back = gap(hours=100.0, place=(36.2, 131.5), **laden_then_light())
    assert strength(on_the_way) > strength(there_and_back) > 0.0


@pytest.mark.parametrize(("before", "after"), [(8.0, 5.0), (5.0, 8.0)])
def test_cargo_landed_or_taken_speaks_for_it_and_the_same_draught_against(before, after):
    plain, moved = {**HIDDEN, "start_draught_m": None}, {**HIDDEN, "start_draught_m": before, "end_draught_m": after}
    some = {**HIDDEN, "start_draught_m": 6.0, "end_draught_m": 5.3}
    same = {**HIDDEN, "start_draught_m": 6.0, "end_draught_m": 5.8}
    assert strength(moved) > strength(some) > strength(plain) > strength(same)


def test_a_draught_that_no_ship_can_change_to_is_a_typing_error():
    assert strength({**HIDDEN, "end_draught_m": 0.5}) == strength({**HIDDEN, "end_draught_m": None})


def test_cargo_may_have_been_worked_in_the_port_in_which_she_fell_silent():
    (finding,) = found(HIDDEN, port_visits=[stay(SHIP, "CN_DALIAN", at(3), at(5))])
    assert "draught" not in weights(finding)
    assert any("fell silent in port" in caveat for caveat in finding.caveats)
    assert "draught" in weights(found(HIDDEN, port_visits=[stay(SHIP, "CN_DALIAN", at(3), at(5, -1))])[0])


def test_courses_to_and_from_the_zone_speak_for_it_and_the_other_way_against():
    to, back = 60.0, 240.0
    turned = {**HIDDEN, "start_cog_deg": to, "end_cog_deg": back}
    away = {**HIDDEN, "start_cog_deg": back, "end_cog_deg": to}
    slow = {**away, "start_sog_kn": 0.5, "end_sog_kn": 0.5, "end_lat": 38.2, "distance_nmi": 12.0}
    assert strength(turned) > strength(HIDDEN) > strength(away)
    assert weights(found(slow)[0]).keys().isdisjoint({"course before", "course after"})


DESTINATIONS = {
    "named": ("NAMPO", 6.0),
    "another, not reached": ("KR INC", 3.0),
    "another, reached": ("CN TAO", -4.0),
    "the port left": ("CN DLC", None),
    "nothing": ("FOR ORDERS", 1.0),
}


@pytest.mark.parametrize("what", DESTINATIONS)
def test_what_she_declared_counts(what):
    text, expected = DESTINATIONS[what]
    visits = [stay(SHIP, "CN_DALIAN", at(2), at(4)), stay(SHIP, "CN_QINGDAO", at(14), at(16))]
    (finding,) = found({**HIDDEN, "start_destination": text}, port_visits=visits)
    assert weights(finding).get("destination") == expected


def test_what_she_declares_after_counts_if_it_names_that_state():
    assert weights(found({**HIDDEN, "end_destination": "KP NAM"})[0])["destination"] == 6.0


def test_what_was_not_seen_to_be_reached_because_nothing_was_seen_since_says_nothing():
    assert "destination" not in weights(found(HIDDEN)[0])


@pytest.mark.parametrize("chance", [1e-6, 0.1, 0.5, 1.0])
def test_a_silence_says_less_the_likelier_it_is_by_chance(chance):
    weight = weights(found({**HIDDEN, "chance_unheard": chance, "reception": "unheard_place"})[0]).get("silence", 0.0)
    assert weight == pytest.approx(min(-10.0 * np.log10(min(chance + 0.25, 1.0)), 6.1), abs=0.1)


def test_where_nobody_is_heard_it_is_where_she_went_and_how_she_came_back_that_speaks():
    unheard = {**HIDDEN, "reception": "unheard_place", "chance_unheard": 0.95, "start_cog_deg": 60.0}
    assert strength(unheard) > 0.2
    assert strength({**unheard, "end_draught_m": 8.0}) < 0.05
    assert "few ships are heard" in " ".join(found(unheard)[0].caveats)


def test_a_call_that_little_speaks_for_is_told_at_next_to_no_strength_or_not_at_all():
    weak = {**HIDDEN, "end_draught_m": 8.0, "chance_unheard": 1.0}
    (finding,) = found(weak, detector=Geofence(hidden_least_db=-30.0))
    assert finding.strength == pytest.approx(1.0 / 30.0, abs=0.001)
    assert not found(weak, detector=Geofence(hidden_least_db=5.0))


def test_a_silence_that_ships_about_had_together_hides_no_call():
    others = [{**HIDDEN, "mmsi": 431000001 + n, "event_id": f"gap-{n}", "segment_id": f"s-{n}"} for n in range(8)]
    others = [{**one, "reception": "outage", "n_others": 8.0} for one in others]
    alone = {**HIDDEN, "n_others": 8.0}
    assert strength(alone, *others[:2]) > 0.0
    assert strength(alone, *others) == 0.0


def test_an_outage_is_nobodys_silence():
    assert not found({**HIDDEN, "reception": "outage"})


@pytest.mark.parametrize("reception", ["unknown", None])
def test_where_reception_cannot_be_told_only_a_draught_speaks_and_never_enough_alone(reception):
    (finding,) = found({**HIDDEN, "reception": reception, "start_destination": "NAMPO", "start_cog_deg": 60.0})
    assert 0.0 < finding.strength <= 0.4
    assert not judge([(KIND, weight_of(KIND).full_db * finding.strength)]).is_flagged
    assert any("cannot be told" in caveat for caveat in finding.caveats)
    assert not found({**HIDDEN, "reception": reception, "end_draught_m": None, "start_destination": "NAMPO"})


def test_a_ship_laid_up_in_dock_or_at_her_berth_is_left_alone():
    laid_up = {**HIDDEN, "start_sog_kn": 0.0, "end_sog_kn": 0.0, "start_lat": 37.42, "end_lat": 37.42}
    laid_up |= {"start_lon": 122.17, "end_lon": 122.17, "start_destination": None}
    dock = [stay(SHIP, "CN_WEIHAI", at(1), at(20))]
    assert strength(laid_up) == strength(laid_up, port_visits=dock) == 0.0
    assert strength({**laid_up, "end_sog_kn": 9.0}, port_visits=dock) == 0.0
    under_way = {**laid_up, "start_sog_kn": 9.0, "end_sog_kn": 9.0}
    assert 0.0 < strength(under_way, port_visits=dock) < strength(under_way)
    assert strength({**laid_up, "start_sog_kn": 9.0, "end_sog_kn": 9.0}) > 0.3


def coasters(n_silent, n_all, hours):
    """Ships off Dandong, of which the first so many have a silence each of so many hours."""
    place = (39.55, 124.0)
    gaps = [gap(431000200 + i, start=at(6), hours=hours, place=place) for i in range(n_silent)]
    tracks = [row for i in range(n_all) for row in sailed(431000200 + i, at(2), 9.0, place, (39.4, 123.9))]
    return place, gaps, tracks


def test_what_every_coaster_off_dandong_could_have_done_says_little():
    place, gaps, tracks = coasters(10, 12, 30.0)
    mine = gap(hours=30.0, place=place)
    alone, one_of_many = strength(mine, sketches=tracks), strength(mine, *gaps, sketches=tracks)
    assert one_of_many < 0.15 < alone
    weight = weight_of(KIND).full_db
    assert not judge([(KIND, weight * one_of_many)]).is_flagged
    (finding,) = [one for one in found({**mine, **laden_then_light()}, *gaps, sketches=tracks) if one.mmsi == SHIP]
    assert "10 of 12 other ships that passed there had the like silence" in finding.caveats


def test_much_shorter_silences_of_others_and_her_own_are_not_alike():
    place, gaps, tracks = coasters(10, 12, 14.0)
    mine = gap(hours=120.0, place=place)
    again = [gap(start=at(6 + day), hours=60.0, place=place) for day in (5, 8, 11)]
    first = strength(mine, sketches=tracks)
    assert strength(mine, *gaps, sketches=tracks) == first
    assert strength(mine, *again, sketches=tracks) == first


def test_a_silence_as_long_as_she_often_has_is_her_habit_but_days_are_none():
    nightly = gap(hours=30.0, place=(39.55, 124.0), longest_usual_h=26.0)
    assert strength(nightly) < strength({**nightly, "longest_usual_h": 10.0})
    assert strength({**HIDDEN, "longest_usual_h": 140.0}) == strength(HIDDEN)


@pytest.mark.parametrize("ship_type", [30, 36, 52, 60])
def test_fishing_boats_yachts_tugs_and_ferries_weigh_less(ship_type):
    other = strength(HIDDEN, identities=[spell(SHIP, at(0), at(30), ship_type=ship_type)])
    assert other <= strength(HIDDEN) - 0.25
    assert strength({**HIDDEN, "transceiver": "B"}) == pytest.approx(other, abs=0.01)


def test_a_ship_of_that_flag_weighs_less_but_is_told():
    number = 445012340
    home = {**HIDDEN, "mmsi": number, "segment_id": f"segment-{number}"}
    (finding,) = found(home, identities=[spell(number, at(0), at(30), ship_type=80)])
    assert 0.0 < finding.strength <= strength(HIDDEN) - 0.15
    assert any("flies the flag" in caveat for caveat in finding.caveats)


def test_a_call_that_was_seen_is_told_as_such_and_not_again_as_hidden():
    def told(*visits):
        return bool(found(HIDDEN, port_visits=visits))

    assert not told(stay(SHIP, "KP_NAMPO", at(6), at(8)))
    assert not told(stay(SHIP, "KP_NAMPO", at(11.5), at(12)))
    assert told(stay(SHIP, "KP_NAMPO", at(14), at(15)))
    assert told(stay(SHIP, "KP_NAMPO", at(6), at(8), confidence=1))
    assert told(stay(SHIP + 1, "KP_NAMPO", at(6), at(8)))
    assert not found({**HIDDEN, "end_lat": 38.72, "end_lon": 125.4})


def test_a_number_heard_meanwhile_on_another_track_was_not_silent():
    def track(name, first, last, mmsi=SHIP):
        return {"segment_id": name, "mmsi": mmsi, "hull_id": name, "start": first, "end": last}

    own = track(f"segment-{SHIP}", at(1), at(20))
    assert found(HIDDEN, segments=[own])
    assert found(HIDDEN, segments=[own, track("later", at(11), at(20)), track("other", at(6), at(8), SHIP + 1)])
    assert not found(HIDDEN, segments=[own, track("beside", at(6), at(8))])
    assert not found(HIDDEN, segments=[own, *(track(f"one of many {i}", at(20), at(21)) for i in range(60))])


def test_an_open_silence_becomes_feasible_with_time_and_keeps_its_id_when_it_closes():
    still = gap(hours=None, place=OFF_NAMPO, start_cog_deg=60.0, start_destination="FOR ORDERS")
    strengths = {}
    for hours in range(2, 60, 2):
        findings = found({**still, "chance_unheard": 0.5 ** (hours / 6.0)}, as_of=at(5, hours), sketches=PASSERS)
        strengths[hours] = findings[0].strength if findings else 0.0
        assert all(finding.end is None and "has been silent" in finding.headline for finding in findings)
    assert strengths[8] == 0.0  # 42 nmi at 11 kn and a stay of 6 h
    assert strengths[24] > 0.0
    assert list(strengths.values()) == sorted(strengths.values())
    (later,), (closed,) = found(still, as_of=at(9)), found(HIDDEN)
    assert later.finding_id == closed.finding_id
    since = datetime.fromisoformat(evidence(later)["feasible since"])
    assert not found(still, as_of=since - timedelta(minutes=5), detector=Geofence(hidden_least_db=0.0))
    assert found(still, as_of=since + timedelta(minutes=5), detector=Geofence(hidden_least_db=0.0))


def test_a_silence_of_months_says_less_than_one_of_days():
    def days(number):
        return strength({**HIDDEN, "end": HIDDEN["start"] + timedelta(days=number)}, as_of=at(400))

    assert days(3) == days(9) > days(30) > days(90)
    assert days(3) > strength({**HIDDEN, "end": HIDDEN["start"] + timedelta(hours=24)})


def test_before_the_ban_a_call_was_lawful():
    def on(day):
        row = {**HIDDEN, "start": day, "end": day + timedelta(days=6)}
        (finding,) = found(row, as_of=day + timedelta(days=9))
        return finding

    before, after = on(datetime(2017, 7, 20, tzinfo=UTC)), on(datetime(2017, 7, 31, tzinfo=UTC))
    assert before.strength == pytest.approx(0.4 * after.strength, abs=0.001)
    assert evidence(before)["UN measure in force"].startswith("none of")


def test_a_hull_heard_again_under_another_number_names_both():
    (finding,) = found({**HIDDEN, "next_mmsi": SHIP + 1})
    assert finding.other_mmsi == (SHIP + 1,)


def test_one_finding_a_silence_with_the_nearest_port_first():
    (finding,) = found(HIDDEN)
    ways = [line.observed for line in finding.evidence if line.what == "port in reach by water"]
    miles = [float(way.split(": ")[1].split(" nmi")[0]) for way in ways]
    assert len(ways) > 1
    assert miles == sorted(miles)


def test_elevated_ports_count_if_the_settings_say_so():
    off_nakhodka = gap(place=(42.0, 132.9), **laden_then_light())
    assert "Nakhodka" not in found(off_nakhodka)[0].headline
    both = Geofence(hidden_levels=("high", "elevated"))
    assert "Vostochny" in found(off_nakhodka, detector=both)[0].headline


def test_a_year_later_the_same_is_found():
    year = timedelta(days=365)
    later = {**HIDDEN, "start": HIDDEN["start"] + year, "end": HIDDEN["end"] + year}
    assert strength(later, as_of=at(30) + year) == strength(HIDDEN)


@pytest.mark.parametrize("turn", [30.0, 54.6, 55.65, 56.0, 200.0])
def test_turned_round_the_globe_the_same_is_found(turn):
    def turned(lon):
        return (lon + turn + 180.0) % 360.0 - 180.0

    def strengths(turning):
        corner = turning(124.3) + 0.1
        port = zone("KP_X", "high", place=(38.1, corner + 0.02), geometry=box(corner, 38.0, corner + 0.04, 38.2))
        rows = [{**HIDDEN, "start_lon": turning(lon), "end_lon": turning(lon)} for lon in (124.3, 124.5, 123.0)]
        passers = [{**row, "lon": turning(row["lon"])} for row in PASSERS]
        return [strength(row, zones=straight([port]), sketches=passers) for row in rows]

    assert strengths(turned) == pytest.approx(strengths(lambda lon: lon), abs=0.001)
    assert min(strengths(turned)) > 0.0


def random_silences(n):
    rng = np.random.default_rng(11)
    rows = []
    for i in range(n):
        place = (rng.uniform(34, 42), rng.uniform(121, 132))
        to = (place[0] + rng.normal(0, 1), place[1] + rng.normal(0, 1))
        hours = None if i % 7 == 0 else float(rng.uniform(10, 200))
        shown = {"cruise_kn": float(rng.uniform(6, 14)), "fastest_kn": float(rng.uniform(6, 16))}
        more = {"event_id": f"{i:04d}", **shown, "duration_h": hours}
        rows.append(gap(431000000 + i % 40, start=at(rng.uniform(0, 20)), hours=hours, place=place, to=to, **more))
    return silences_of(night(*rows).history.gaps, at(30))


def test_the_ways_found_are_those_of_a_plain_loop_over_all_ports():
    rule, silences = Geofence(), random_silences(60)
    ways = find_ways(silences, ZONES, direct_nmi(silences, ZONES), rule)
    speed, possible = speeds_kn(silences, rule), least_nmi(silences, ways.zones) <= sail_nmi(silences, rule)[:, None]
    n_found = 0
    for i in range(len(silences)):
        nearest, name = np.inf, None
        for port in ways.zones:
            way = fence_nmi(port, silences["start_lat"][[i]], silences["start_lon"][[i]])[0]
            if not silences.is_open[i]:
                way += fence_nmi(port, silences["end_lat"][[i]], silences["end_lon"][[i]])[0]
            if way / speed[i] + 6.0 <= silences.duration_h[i] and way < nearest:
                nearest, name = way, port.zone_id
        best = ways.best[i]
        assert (None if best < 0 else ways.zones[best].zone_id) == name
        if name is not None:
            n_found += 1
            assert ways.way_nmi(i, best) == pytest.approx(nearest)
            assert ways.stay_h[i, best] == pytest.approx(silences.duration_h[i] - nearest / speed[i])
            assert possible[i, best]
    assert n_found > 20


def test_fields_are_made_only_of_ports_that_may_be_reached():
    asked = []

    class Listening(StraightSea):
        def distance_nmi(self, zone_id, lat, lon):
            asked.append(zone_id)
            return super().distance_nmi(zone_id, lat, lon)

    zones = Zones(PACKAGED.zones)
    vars(zones)["sea"] = Listening(PACKAGED.zones)
    assert found(HIDDEN, zones=zones)
    assert "KP_NAMPO" in asked
    assert not {"KP_RAJIN", "KP_WONSAN", "KR_BUSAN"} & set(asked)
    asked.clear()
    assert not found(gap(hours=15.0, place=OFF_BUSAN), zones=zones)
    assert not asked


def test_the_crowd_is_counted_as_a_plain_loop_counts_it():
    rng = np.random.default_rng(3)
    silences = random_silences(80)
    ships = [431000000 + i for i in range(60)]
    sketches = [
        {"mmsi": int(rng.choice(ships)), "timestamp": at(1), "lat": rng.uniform(34, 42), "lon": rng.uniform(121, 132)}
        for _ in range(3000)
    ]
    table = night(sketches=sketches).history.sketches
    feasible = rng.random(len(silences)) < 0.6
    asked = np.flatnonzero(feasible)[::3]
    n_passed, n_like = crowd_of(silences, feasible, asked, table, 40.0)
    mmsi = silences.rows["mmsi"].to_pylist()
    for at_row, row in enumerate(asked):
        lat, lon = silences["start_lat"][row], silences["start_lon"][row]
        passed = {s["mmsi"] for s in sketches if distance_nmi(lat, lon, s["lat"], s["lon"]) <= 40.0}
        like = {
            mmsi[i]
            for i in np.flatnonzero(feasible)
            if distance_nmi(lat, lon, silences["start_lat"][i], silences["start_lon"][i]) <= 40.0
            and silences.duration_h[i] >= 0.5 * silences.duration_h[row]
        }
        assert n_like[at_row] == len(like - {mmsi[row]})
        assert n_passed[at_row] == len((passed | like) - {mmsi[row]})
    assert n_like.max() > 0


@pytest.mark.parametrize("place", [(38.0, 124.3), (20.0, 179.95), (89.9, 40.0), (-62.0, 10.0)])
def test_a_dense_crowd_is_counted_exactly_at_any_place(place):
    rng = np.random.default_rng(5)
    n, wide = 60, 0.5 / max(np.cos(np.radians(place[0])), 0.01)

    def about(count):
        lon = (place[1] + rng.normal(0, wide, count) + 180.0) % 360.0 - 180.0
        return np.clip(place[0] + rng.normal(0, 0.5, count), -90.0, 90.0), lon

    (lat, lon), (track_lat, track_lon) = about(n), about(4000)
    rows = [
        gap(431000000 + i % 25, start=at(float(i)), place=(lat[i], lon[i]), event_id=f"{i:03d}") for i in range(n // 2)
    ] + [gap(431000000 + i % 25, start=at(float(i)), place=place, event_id=f"{i:03d}") for i in range(n // 2, n)]
    silences = silences_of(night(*rows).history.gaps, at(100))
    ship = 431000000 + rng.integers(0, 700, 4000)
    table = pa.table({"mmsi": ship, "lat": track_lat, "lon": track_lon})
    nobody = np.zeros(n, dtype=bool)
    n_passed, n_like = crowd_of(silences, nobody, np.arange(n), table, 40.0)
    own = silences.rows["mmsi"].to_numpy()
    for i in range(n):
        off = distance_nmi(silences["start_lat"][i], silences["start_lon"][i], track_lat, track_lon)
        assert n_passed[i] == len(set(ship[off <= 40.0].tolist()) - {int(own[i])})
    assert n_passed.max() > 300
    assert not n_like.any()


def test_numbers_that_are_no_ships_hide_no_calls():
    for mmsi in (0, 12_345_678, 999_999_999):
        assert not found({**HIDDEN, "mmsi": mmsi})
    assert found({**HIDDEN, "mmsi": 431000001})


def test_a_draught_changed_by_just_the_threshold_counts_whatever_the_floats():
    def told(before, after):
        return weights(found({**HIDDEN, "start_draught_m": before, "end_draught_m": after})[0])["draught"]

    assert told(3.6, 4.1) == told(4.0, 4.5) == 5.0
    assert told(3.6, 4.6) == told(4.0, 5.0) == 8.0


def test_a_fence_of_no_state_is_not_the_state_of_a_destination_without_one(monkeypatch):
    nowhere = Declared(Place(None, None), "name", "YONDER")
    monkeypatch.setattr("detectors.rules.geofence.hidden.parse_destination", lambda text, _: nowhere if text else None)
    fence = box(124.4, 38.0, 124.44, 38.2)
    (finding,) = found(HIDDEN, zones=straight([zone("X", "high", country=None, place=(38.1, 124.42), geometry=fence)]))
    assert "destination" not in weights(finding)


BITES = {
    "hidden_levels": (("elevated",), [HIDDEN], {}),
    "hidden_stay_h": (140.0, [HIDDEN], {}),
    "hidden_cargo_stay_h": (400.0, [HIDDEN], {}),
    "hidden_long_stay_days": (2.0, [HIDDEN], {}),
    "hidden_speed_margin": (0.5, [{**HIDDEN, "end": HIDDEN["start"] + timedelta(hours=18)}], {}),
    "hidden_default_kn": (5.0, [{**HIDDEN, "end": at(6.25), "cruise_kn": None, "fastest_kn": None}], {}),
    "hidden_near_nmi": (60.0, [HIDDEN], {}),
    "hidden_sea_area_nmi": (5.0, [{**HIDDEN, "start_lat": 38.3, "end_lat": 38.3}], {"sketches": PASSERS}),
    "hidden_habit_factor": (3.0, [{**HIDDEN, "end": at(6.5), "longest_usual_h": 20.0}], {}),
    "hidden_habit_cap_h": (500.0, [{**HIDDEN, "longest_usual_h": 140.0}], {}),
    "hidden_put_nmi": (9.0, [{**HIDDEN, "end_lat": 38.1, "distance_nmi": 6.0, "start_sog_kn": 0, "end_sog_kn": 0}], {}),
    "hidden_told_h": (240.0, [HIDDEN], {"port_visits": [stay(SHIP, "KP_NAMPO", at(14), at(15))]}),
    "hidden_least_db": (29.0, [HIDDEN], {}),
}


def test_every_parameter_of_hidden_calls_has_a_case_in_which_it_bites():
    assert set(BITES) == {name for name in Geofence.model_fields if name.startswith("hidden_")}


@pytest.mark.parametrize("name", BITES)
def test_every_parameter_of_hidden_calls_bites_and_names_its_source(name):
    value, gaps, tables = BITES[name]
    before, after = strength(*gaps, **tables), strength(*gaps, detector=Geofence(**{name: value}), **tables)
    assert before > 0.0
    assert before != after
    assert "Source: " in (Geofence.model_fields[name].description or "")


def test_a_draught_change_that_counts_can_be_set():
    assert strength(HIDDEN) > strength(HIDDEN, detector=Geofence(draught_change_m=4.0))


@pytest.mark.parametrize(
    "wrong", [{"hidden_stay_h": 0.0}, {"hidden_levels": ("none",)}, {"hidden_speed_margin": 3.0}, {"hidden_h": 1.0}]
)
def test_what_is_out_of_bounds_or_unknown_is_refused(wrong):
    with pytest.raises(ValidationError):
        Geofence(**wrong)
