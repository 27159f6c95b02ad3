"""Dark gaps: silences among ships that were heard; what weakens and strengthens them; and when nothing can be known."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from shapely import box

from detectors.rules.dark.detector import Dark
from detectors.rules.dark.fences import at_least_nmi, fence_nmi, within_nmi
from detectors.rules.dark.silences import berths_of, silences_of
from detectors.scenes import TABLES, empty_scene, small_scene
from detectors.testing import check_detector
from detectors.triage import judge, weight_of
from tests.detectors.gaps import SHIP, gap, laden_then_light
from tests.detectors.histories import at, scene, spell, stay, zone
from vessels.geodesy import distance_nmi
from vessels.zones import read_zones

ZONES = read_zones().zones
OFF_NAMPO = (38.0, 124.3)
MID_BELT = (29.5, 124.5)
CARGO = [spell(SHIP, at(0), at(20), ship_type=70, name="PALE HERON")]


def found(*gaps, detector=None, as_of=None, identities=CARGO, zones=ZONES, **tables):
    """The findings on these gaps, in order of time."""
    night = scene(zones=zones, gaps=gaps, identities=identities, **tables)
    as_of = at(20) if as_of is None else as_of
    night = replace(night, as_of=as_of, history=replace(night.history, as_of=as_of))
    return sorted((detector or Dark()).detect(night), key=lambda finding: (finding.start, finding.mmsi))


def strength(*gaps, **more):
    findings = found(*gaps, **more)
    return findings[0].strength if findings else 0.0


def test_it_keeps_the_laws_of_detectors():
    night = scene(
        zones=ZONES,
        gaps=[
            gap(),
            gap(start=at(11), hours=50.0, place=OFF_NAMPO, **laden_then_light()),
            gap(431000001, hours=None, place=MID_BELT, next_mmsi=None),
            gap(431000002, changed=["name"], next_mmsi=431000003),
            gap(431000004, transceiver="B"),
        ],
        identities=CARGO,
        port_visits=[stay(SHIP, "KR_BUSAN", at(0), at(1))],
    )
    night = replace(night, as_of=at(20), history=replace(night.history, as_of=at(20)))
    assert len(check_detector(Dark(), night)) == 5
    assert len(check_detector(Dark(), small_scene())) == 1


def test_nothing_is_found_in_tables_of_nulls():
    empty = empty_scene()
    nulls = {name: pa.table({c.name: pa.nulls(3, c.type) for c in t.columns}) for name, t in TABLES.items()}
    assert not Dark().detect(replace(empty, history=replace(empty.history, **nulls)))


def test_a_long_silence_among_ships_that_were_heard_is_told_with_what_was_expected():
    (finding,) = found(gap())
    assert (finding.mmsi, finding.start, finding.end) == (SHIP, at(5), at(10))
    assert finding.headline == "PALE HERON (MMSI 352001870) was silent for 5.0 days where other ships were heard"
    said = {line.what: (line.observed, line.expected) for line in finding.evidence}
    assert said["hours in which she would have been heard"] == ("0", "108.0, at least 96.0")
    assert said["messages heard meanwhile"] == ("0", "840 (720 to 960)")
    assert any("fails" in caveat for caveat in finding.caveats)


@pytest.mark.parametrize("reception", ["outage", "unheard_place", "class_thinned", "unknown", None])
def test_no_silence_is_blamed_where_nothing_can_be_known(reception):
    assert found(gap(reception="heard"))
    assert not found(gap(reception=reception))


@pytest.mark.parametrize("column", ["expected_heard_h", "chance_unheard"])
def test_what_reception_did_not_say_is_not_taken_for_bad_news(column):
    assert not found(gap(**{column: None}))


def test_a_ship_heard_every_six_hours_is_not_silent_in_between():
    by_satellite = {"usual_interval_s": 6 * 3600.0, "longest_usual_h": 13.0}
    seldom = {"expected_heard_h": 2.5, "expected_heard_low_h": 0.8, "chance_unheard": 0.1}
    assert not found(gap(hours=14.0, **by_satellite, **seldom))


def test_a_plain_silence_however_long_flags_nobody():
    for hours in (24.0, 96.0, 480.0):
        plain = strength(gap(hours=hours, longest_usual_h=None), as_of=at(60))
        assert 0.0 < plain <= 0.35
        assert not judge([("dark_gap", weight_of("dark_gap").full_db * plain)]).is_flagged


def test_only_with_everything_at_once_does_it_flag_alone():
    near = gap(hours=240.0, place=OFF_NAMPO)
    everything = {**near, **laden_then_light(changed=["draught", "name", "destination"])}
    assert strength(everything) > 0.95
    for without in ({"end_draught_m": 8.0}, {"changed": []}, {"start_lat": 33.0, "end_lat": 33.0}):
        weight = weight_of("dark_gap").full_db * strength({**everything, **without})
        assert not judge([("dark_gap", weight)]).is_flagged


def test_silence_grows_with_the_hours_in_which_she_would_have_been_heard():
    strengths = [strength(gap(expected_heard_h=hours)) for hours in (5.0, 7.0, 12.0, 24.0, 60.0)]
    assert strengths == sorted(strengths)
    assert len(set(strengths)) == 4


def test_an_open_gap_is_told_as_time_passes_and_keeps_its_id_when_it_closes():
    hours = (6.0, 24.0, 72.0)
    nights = [found(gap(hours=None, expected_heard_h=0.3 * h, duration_h=h), as_of=at(5, h)) for h in hours]
    assert [len(night) for night in nights] == [0, 1, 1]
    (second,), (third,) = nights[1:]
    (closed,) = found(gap(hours=100.0))
    assert second.end is None
    assert second.strength < third.strength < closed.strength
    assert second.finding_id == third.finding_id == closed.finding_id
    assert any("not been heard since" in caveat for caveat in third.caveats)


def test_a_ship_that_switches_off_at_her_quay_is_ordinary():
    moored = {"start_sog_kn": 0.0, "end_sog_kn": 0.0}
    quay = [stay(SHIP, "KR_BUSAN", at(4), at(12))]
    in_port, at_anchor, under_way = strength(gap(**moored), port_visits=quay), strength(gap(**moored)), strength(gap())
    assert in_port < at_anchor < under_way
    assert in_port <= 0.1
    assert strength(gap(hours=None, start_sog_kn=0.0), port_visits=[stay(SHIP, "KR_BUSAN", at(4), None)]) <= 0.1
    (finding,) = found(gap(**moored), port_visits=quay)
    assert any("berth or in dock" in caveat for caveat in finding.caveats)


@pytest.mark.parametrize(
    "visit",
    [
        stay(SHIP, "KR_BUSAN", at(4), at(5, -1)),
        stay(SHIP, "KR_BUSAN", at(6), at(12)),
        stay(SHIP, "KR_BUSAN", at(4), at(12), confidence=1),
        stay(431000001, "KR_BUSAN", at(4), at(12)),
    ],
    ids=["left before", "came later", "passed the fence", "another ship"],
)
def test_a_visit_that_does_not_hold_the_silence_excuses_nothing(visit):
    assert strength(gap(), port_visits=[visit]) == strength(gap())


def test_cargo_worked_at_the_quay_is_no_change_across_a_silence_at_the_quay():
    quay = [stay(SHIP, "KR_BUSAN", at(4), at(12))]
    assert strength(gap(**laden_then_light()), port_visits=quay) == strength(gap(), port_visits=quay)
    left = [stay(SHIP, "KR_BUSAN", at(4), at(6))]
    assert strength(gap(**laden_then_light()), port_visits=left) == strength(gap())


@pytest.mark.parametrize(
    "what",
    [
        laden_then_light(),
        {"changed": ["name"]},
        {"changed": ["imo"]},
        {"next_mmsi": 431000001},
        {"changed": ["destination"]},
        {"start_lat": 38.0, "end_lat": 38.0, "start_lon": 124.3, "end_lon": 124.3},
        {"end_lat": 38.0, "end_lon": 124.3},
        {"start_lat": 29.5, "start_lon": 124.5},
    ],
    ids=["draught", "name", "imo", "number", "destination", "near Nampo", "back near Nampo", "belt"],
)
def test_what_differs_across_it_and_where_it_lies_counts(what):
    assert strength({**gap(), **what}) > strength(gap())


def test_a_draught_that_differs_by_less_than_noise_does_not_count():
    assert strength(gap(start_draught_m=8.0, end_draught_m=7.7, changed=["draught"])) == strength(gap())


@pytest.mark.parametrize("ship_type", [30, 31, 35, 36, 50, 60])
def test_fishing_boats_yachts_tugs_warships_and_ferries_weigh_less(ship_type):
    small = [spell(SHIP, at(0), at(20), ship_type=ship_type)]
    assert 0.0 < strength(gap(), identities=small) < strength(gap())
    (finding,) = found(gap(), identities=small)
    assert any("class" in caveat for caveat in finding.caveats)


def test_class_b_weighs_less():
    assert 0.0 < strength(gap(transceiver="B")) < strength(gap())


def test_a_ship_that_is_silent_as_long_now_and_then_weighs_less_but_days_are_no_habit():
    nightly = strength(gap(hours=30.0, longest_usual_h=28.0))
    assert nightly < strength(gap(hours=30.0))
    assert strength(gap(longest_usual_h=118.0)) == strength(gap(longest_usual_h=None))


def test_a_ship_that_comes_back_where_her_voyage_led_weighs_less():
    strengths = [strength(gap(hours=36.0, place=(28.0, 130.5), to=(28.0 + n, 130.5))) for n in (1.0, 2.9, 3.1, 6.0)]
    assert strengths[0] == strengths[1] > strengths[2] == strengths[3] > 0.0


def test_a_number_heard_meanwhile_on_another_track_was_not_silent():
    own = {"segment_id": f"segment-{SHIP}", "mmsi": SHIP, "start": at(1), "end": at(20)}
    assert found(gap(), segments=[own])
    assert not found(gap(), segments=[own, {**own, "segment_id": "beside", "start": at(6), "end": at(8)}])


def test_of_a_number_not_heard_since_nobody_says_that_it_came_back():
    (finding,) = found(gap(hours=None, next_mmsi=431000001), as_of=at(10))
    assert "has been silent" in finding.headline
    assert "came back" not in finding.headline
    assert "another identity" in finding.headline
    assert any("this number has not been heard since" in caveat for caveat in finding.caveats)
    assert not any("she has not been heard since" in caveat for caveat in finding.caveats)


def test_measures_against_the_dprk_are_named_only_of_its_ports_and_ships():
    def named(row, zones=ZONES):
        (finding,) = found(row, zones=zones)
        return any(line.what == "UN measure in force" for line in finding.evidence)

    def near(country):
        return [zone("X", "high", country=country, place=(36.0, 130.5), geometry=box(130.4, 36.0, 130.5, 36.1))]

    assert named(gap(place=OFF_NAMPO))
    assert named(gap(), near("KP"))
    assert not named(gap(), near("DE"))
    assert not named(gap(), near(None))
    assert named(gap(445012340), near("DE"))


def test_a_draught_changed_by_just_the_threshold_counts_whatever_the_floats():
    changed = {"start_draught_m": 3.6, "end_draught_m": 4.1}
    assert changed["end_draught_m"] - changed["start_draught_m"] < 0.5
    assert strength(gap(**changed)) == strength(gap(start_draught_m=4.0, end_draught_m=4.5)) > strength(gap())


@pytest.mark.parametrize("mmsi", [0, 12_345_678, 123_456_789, 999_999_999])
def test_numbers_that_are_no_ships_are_not_told_of(mmsi):
    assert not found(gap(mmsi))
    assert not found({**gap(mmsi, place=OFF_NAMPO), **laden_then_light()})


def test_the_evidence_says_how_the_strength_came_about():
    def how(row, **more):
        (finding,) = found(row, **more)
        (line,) = [line.observed for line in finding.evidence if line.what == "how the strength comes about"]
        assert line.endswith(f": {finding.strength:.2f}")
        return line

    assert how(gap()) == "0.35 for a plain silence: 0.35"
    small = [spell(SHIP, at(0), at(20), ship_type=30)]
    line = how(gap(place=OFF_NAMPO, hours=None, **laden_then_light(end_draught_m=None)), identities=small)
    assert "times 0.60 (not heard since)" in line
    assert "times 0.40 (class of ship or set)" in line
    assert "times 1.50 (near a port under high watch +0.50)" in line
    assert "another draught +0.60" in how(gap(**laden_then_light()))


@pytest.mark.parametrize("shares", [(0.2, 0.9), (0.9, 0.2), (0.2, 0.1), (0.2, None)])
def test_where_ships_are_heard_now_and_then_only_it_says_so(shares):
    often, seldom = found(gap())[0], found(gap(start_heard_share=shares[0], end_heard_share=shares[1]))[0]
    assert "where other ships were heard now and then" in seldom.headline
    assert "now and then" not in often.headline
    assert any("within an hour 20% where" in caveat for caveat in seldom.caveats)
    assert not any("within an hour" in caveat for caveat in often.caveats)


def test_a_hull_heard_again_under_another_number_names_both():
    (finding,) = found(gap(next_mmsi=431000001))
    assert (finding.mmsi, finding.other_mmsi) == (SHIP, (431000001,))
    assert "another identity" in finding.headline


BITES = {
    "min_silence_h": (20.0, [gap(hours=15.0)]),
    "min_heard_h": (20.0, [gap(expected_heard_h=15.0)]),
    "max_chance_unheard": (0.2, [gap(chance_unheard=0.1)]),
    "full_heard_h": (200.0, [gap()]),
    "habit_factor": (8.0, [gap(longest_usual_h=20.0)]),
    "habit_cap_h": (200.0, [gap(longest_usual_h=100.0)]),
    "put_nmi": (5.0, [gap(to=(36.05, 130.5), start_sog_kn=0.2, end_sog_kn=0.2)]),
    "still_kn": (3.0, [gap(start_sog_kn=2.0, end_sog_kn=2.0)]),
    "sailed_on_share": (0.01, [gap(to=(37.0, 130.5))]),
    "near_watched_nmi": (600.0, [gap()]),
    "near_belt_nmi": (300.0, [gap(place=(33.0, 128.5))]),
    "draught_change_m": (4.0, [gap(**laden_then_light())]),
}


def test_every_parameter_has_a_case_in_which_it_bites():
    assert set(BITES) == set(Dark.model_fields)


@pytest.mark.parametrize("name", BITES)
def test_every_parameter_bites_and_names_its_source(name):
    value, gaps = BITES[name]
    assert strength(*gaps, detector=Dark(**{name: value})) != strength(*gaps)
    assert "Source: " in (Dark.model_fields[name].description or "")


def test_what_is_out_of_bounds_or_unknown_is_refused():
    for wrong in ({"min_silence_h": 0.0}, {"max_chance_unheard": 1.1}, {"min_silence": 3.0}):
        with pytest.raises(ValidationError):
            Dark(**wrong)


def test_a_year_later_the_same_is_found():
    year = timedelta(days=365)
    later = [{**row, "first_seen": row["first_seen"] + year, "last_seen": row["last_seen"] + year} for row in CARGO]
    one, other = gap(**laden_then_light()), gap(start=at(5) + year, **laden_then_light())
    assert strength(one) == strength(other, identities=later, as_of=at(20) + year)


@pytest.mark.parametrize("turn", [30.0, 49.45, 49.5, 49.55, 200.0])
def test_turned_round_the_globe_the_same_is_found(turn):
    def turned(lon):
        return (lon + turn + 180.0) % 360.0 - 180.0

    def strengths(turning):
        fence = box(turning(130.4), 35.0, turning(130.4) + 0.1, 35.2)
        port = zone("KP_X", "high", place=(35.1, turning(130.45)), geometry=fence)
        row = gap(place=(36.0, turning(130.5)), to=(36.2, turning(130.6)))
        return strength(row, zones=[port]), strength({**row, "start_lat": 50.0, "end_lat": 50.0}, zones=[port])

    assert strengths(turned) == strengths(lambda lon: lon)
    assert strengths(turned)[0] > strengths(turned)[1]


def test_distances_to_fences_agree_with_distances_to_all_their_edge_and_are_never_under_the_bound():
    rng = np.random.default_rng(4)
    lat, lon = rng.uniform(20, 50, 60), rng.uniform(110, 150, 60)
    for one in [z for z in ZONES if z.zone_id in ("KP_NAMPO", "ECS_STS", "KP_YALU")]:
        edge = one.geometry.exterior.segmentize(0.01)
        there = np.array(edge.coords)
        slow = np.array([distance_nmi(y, x, there[:, 1], there[:, 0]).min() for y, x in zip(lat, lon, strict=True)])
        fast = fence_nmi(one, lat, lon)
        outside = fast > 0.0
        assert np.all(fast[outside] >= slow[outside] - 0.5)
        assert np.all(fast[outside] <= slow[outside] * 1.1 + 0.5)
        assert np.all(at_least_nmi(one, lat, lon) <= fast + 0.01)
        assert np.array_equal(within_nmi(one, lat, lon, 120.0), fast <= 120.0)
    assert fence_nmi(one, np.array([one.lat]), np.array([one.lon])).tolist() == [0.0]


def test_visits_around_silences_are_those_that_a_plain_search_finds():
    rng = np.random.default_rng(7)
    ships = [431000001, 431000002, 431000003]
    visits = []
    for ship in ships[:2]:
        for day in np.sort(rng.uniform(0, 60, 25)):
            end = None if day > 57 else at(day + rng.uniform(0.1, 1.5))
            visits.append(stay(ship, "KR_BUSAN", at(day), end, visit_id=f"{ship}-{day}"))
    gaps = [
        gap(int(rng.choice(ships)), start=at(day), hours=float(rng.uniform(4, 60))) for day in rng.uniform(0, 60, 80)
    ]
    night = scene(gaps=[*gaps, gap(ships[0], start=at(58), hours=None)], port_visits=visits)
    silences, berths = silences_of(night.history.gaps, at(65)), berths_of(night.history.port_visits)
    rows = berths.rows.to_pylist()

    def plain(one):
        until = one["end"] or at(65)
        own = [i for i, row in enumerate(rows) if row["mmsi"] == one["mmsi"]]
        begun = [i for i in own if rows[i]["start"] <= one["start"]]
        holding = [i for i in begun if rows[i]["end"] is None or rows[i]["end"] >= one["start"]]
        whole = [i for i in holding if rows[i]["end"] is None or rows[i]["end"] >= until]
        after = [i for i in own if rows[i]["start"] >= until]
        near = any(
            rows[i]["start"] <= until + timedelta(hours=6)
            and (rows[i]["end"] is None or rows[i]["end"] >= one["start"] - timedelta(hours=6))
            for i in own
        )
        return bool(holding), bool(whole), min(after, default=-1), max(begun, default=-1), near

    fast = zip(
        (berths.begun_in(silences) >= 0).tolist(),
        (berths.spent_in(silences) >= 0).tolist(),
        berths.next_after(silences).tolist(),
        berths.last_before(silences).tolist(),
        berths.near(silences, np.ones(len(rows), dtype=bool), timedelta(hours=6)).tolist(),
        strict=True,
    )
    slow = [plain(row) for row in silences.records()]
    assert list(fast) == slow
    assert len(set(slow)) > 20
