"""Re-export pairings: one ship lands at a berth, another loads there, and what makes that say little."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detectors.rules.geofence.berths import berths_of
from detectors.rules.geofence.detector import Geofence
from detectors.rules.geofence.reexport import FULL_DB
from detectors.rules.geofence.stays import visits_at
from detectors.testing import check_detector
from detectors.triage import weight_of
from vessels import schema

KIND = "reexport_pairing"
BERTH = {"lat": 42.8137, "lon": 132.9359}
NEXT_QUAY = {"lat": 42.8137, "lon": 132.9459}
LANDS, LOADS = (6.2, 3.3), (4.9, 9.2)
KOREAN, LOADER, OTHER = 445628818, 371190850, 273094712


@pytest.fixture
def lander(ship):
    """From Wonsan to a berth of Nakhodka, where she lands; other places and draughts by name."""

    def make(zone="RU_NAKHODKA", start=5.0, end=7.0, draught=LANDS, origin="KP_WONSAN", **more):
        place = more.pop("place", BERTH)
        mmsi = more.pop("mmsi", KOREAN)
        vessel = ship(mmsi, "UN JIN 36", **more).calls(origin, 0, 3)
        return vessel.calls(zone, start, end, draught=draught, **place)

    return make


@pytest.fixture
def loader(ship):
    """Loads at that berth ten days later and lands at Pohang."""

    def make(mmsi=LOADER, start=16.0, end=18.0, draught=LOADS, zone="RU_NAKHODKA", market="KR_POHANG", **more):
        place = more.pop("place", BERTH)
        vessel = ship(mmsi, "AMBER COMPASS", **more).calls(zone, start, end, draught=draught, **place)
        return vessel.calls(market, end + 3, end + 5) if market else vessel

    return make


def strength(find, *ships, mmsi=LOADER, **more):
    return {f.mmsi: f.strength for f in find(KIND, *ships, **more)}.get(mmsi, 0.0)


def test_the_ship_that_loaded_is_told_and_the_one_that_landed_more_weakly(find, lander, loader):
    on = {finding.mmsi: finding for finding in find(KIND, lander(), loader())}
    assert on[LOADER].strength == pytest.approx(0.9)
    assert on[KOREAN].strength == pytest.approx(0.45)
    assert (on[LOADER].other_mmsi, on[KOREAN].other_mmsi) == ((KOREAN,), (LOADER,))
    assert on[LOADER].voyage_id == "voyage RU_NAKHODKA to KR_POHANG"
    assert on[KOREAN].voyage_id == "voyage KP_WONSAN to RU_NAKHODKA"
    assert "9 days after UN JIN 36 (MMSI 445628818), from Wonsan" in on[LOADER].headline


def test_strength_1_is_the_full_weight_of_the_kind():
    assert weight_of(KIND).full_db == FULL_DB


@pytest.mark.parametrize(
    ("draught", "said"), [(LOADS, "loaded at the berth"), ((None, None), "may have loaded")], ids=["deeper", "unknown"]
)
def test_the_headline_says_loaded_only_where_the_draughts_do(find, lander, loader, draught, said):
    (told,) = [f for f in find(KIND, lander(), loader(draught=draught)) if f.mmsi == LOADER]
    assert said in told.headline
    assert ("lay at the berth" in told.headline) is (draught != LOADS)


def test_others_at_the_berth_are_counted_by_time_and_hull(find, lander, loader):
    """Of four more ships one loads too late to count, and of two more that land one does so too late."""
    more = [loader(mmsi=OTHER + i, start=start, end=start + 1) for i, start in enumerate((9.0, 20.0, 57.0, 59.0))]
    landed = [lander(mmsi=OTHER + 10 + i, origin="RU_VANINO", start=s, end=s + 1) for i, s in enumerate((10.0, 19.0))]
    (told,) = [f for f in find(KIND, lander(), loader(), *more, *landed) if f.mmsi == LOADER]
    counted = {line.what: line.observed for line in told.evidence}
    assert counted["other loadings at that berth, before or after"] == "3"
    assert counted["other landings at that berth before"] == "1"


def test_sharing_only_the_port_says_nothing(find, lander, loader):
    assert not find(KIND, lander(), loader(place=NEXT_QUAY))


@pytest.mark.parametrize(
    ("landed", "loaded"),
    [
        ({"draught": (3.3, 6.2)}, {}),
        ({}, {"draught": (9.2, 4.9)}),
        ({}, {"start": 6.0, "end": 8.0}),
        ({}, {"start": 60.0, "end": 62.0}),
        ({}, {"market": "RU_VANINO"}),
        ({"origin": "CN_DALIAN"}, {}),
        ({"origin": "KP_YALU"}, {}),
        ({"start": 30.0, "end": 31.0}, {"start": 40.0, "end": 42.0}),
        ({}, {"ship_type": 80}),
        ({}, {"ship_type": 30}),
        ({"zone": "CN_DALIAN", "place": {}}, {"zone": "CN_DALIAN", "place": {}}),
        ({"zone": "KR_POHANG", "place": {}}, {"zone": "KR_POHANG", "place": {}, "market": "JP_NIIGATA"}),
    ],
    ids=[
        "the first loaded",
        "the second landed",
        "both there at once",
        "two months later",
        "on to no market",
        "not from the DPRK",
        "from roads, not a port",
        "a month from the DPRK",
        "a tanker after a coal carrier",
        "a fishing vessel",
        "an import at Dalian",
        "an import at Pohang",
    ],
)
def test_what_is_no_pairing(find, lander, loader, landed, loaded):
    first, second = lander(**landed), loader(**loaded)
    assert not find(KIND, first, second, as_of=first.at(200))


def test_one_hull_that_lands_and_loads_is_a_relay_not_a_pairing(find, lander, loader):
    first, second = lander(), loader()
    for row in second.visits:
        row["hull_id"] = first.keys["hull_id"]
    assert not find(KIND, first, second)


def test_draughts_not_known_weigh_less_and_are_a_caveat(find, lander, loader):
    full = strength(find, lander(), loader())
    (silent,) = [f for f in find(KIND, lander(draught=(None, None)), loader()) if f.mmsi == LOADER]
    assert silent.strength == pytest.approx(full - 6.0 / FULL_DB, abs=1e-3)
    assert any("do not say that the first ship landed" in caveat for caveat in silent.caveats)


def test_a_busy_berth_says_little(find, lander, loader):
    others = [loader(mmsi=400000000 + i, start=8.0 + i, end=9.0 + i) for i in range(8)]
    alone, busy = strength(find, lander(), loader()), strength(find, lander(), loader(), *others)
    assert alone - busy == pytest.approx(10.0 * np.log10(9) / FULL_DB, abs=1e-3)
    assert busy * FULL_DB < 20.0


def test_loadings_before_the_landing_make_a_berth_busy_too(find, lander, loader):
    before = loader(mmsi=OTHER, start=1.0, end=2.0)
    assert strength(find, lander(), loader(), before) < strength(find, lander(), loader())


def test_another_cargo_landed_there_weighs_against(find, lander, loader, ship):
    other = ship(OTHER, "MYS").calls("RU_NAKHODKA", 10, 11, draught=LANDS, **BERTH)
    assert strength(find, lander(), loader(), other) < strength(find, lander(), loader())


def test_a_ship_that_loads_at_that_port_again_and_again_trades_there(find, lander, loader):
    regular = loader().calls("RU_NAKHODKA", 30, 32, draught=LOADS, **NEXT_QUAY)
    assert strength(find, lander(), regular) < strength(find, lander(), loader())


def test_a_port_of_that_state_where_none_is_documented_weighs_less(find, lander, loader):
    at = {"zone": "RU_POSYET", "place": {}}
    assert 0.0 < strength(find, lander(**at), loader(**at)) < strength(find, lander(), loader())


def test_cargo_brought_to_the_dprk_weighs_less(find, lander, loader):
    brought = lander()
    brought.visits[0].update(draught_in_m=8.0, draught_out_m=6.2)
    assert strength(find, brought, loader()) < strength(find, lander(), loader())


@pytest.mark.parametrize(
    ("landing", "banned"), [((2017, 8, 4), False), ((2017, 8, 5), True)], ids=["the day before", "the day of the ban"]
)
def test_before_the_ban_it_is_another_weaker_finding(find, lander, loader, landing, banned):
    first_day = datetime(*landing, 12, tzinfo=UTC) - timedelta(days=21)
    now = first_day + timedelta(days=30)
    on = {f.mmsi: f for f in find(KIND, lander(first_day=first_day), loader(first_day=first_day), as_of=now)}
    assert on[LOADER].strength == pytest.approx(0.9 if banned else 0.36)
    assert ("before UNSCR 2371" in on[LOADER].headline) is not banned


def test_while_no_market_is_reached_it_is_weaker_and_keeps_its_id(find, lander, loader):
    first, loading = lander(), loader(market=None)
    under_way = {f.mmsi: f for f in find(KIND, first, loading, as_of=first.at(20))}[LOADER]
    arrived = {f.mmsi: f for f in find(KIND, lander(), loader())}[LOADER]
    assert 0.0 < under_way.strength < arrived.strength
    assert under_way.finding_id == arrived.finding_id
    assert under_way.end is None
    assert not find(KIND, first, loading, as_of=first.at(18 + 43))


def test_several_landings_before_one_loading_are_one_finding_that_names_all(find, lander, loader):
    second = lander(mmsi=445700000, start=8.0, end=9.0)
    on = {f.mmsi: f for f in find(KIND, lander(), second, loader())}
    assert set(on[LOADER].other_mmsi) == {KOREAN, 445700000}
    assert set(on) == {LOADER, KOREAN, 445700000}


def test_visits_without_a_place_are_survived(find, lander, loader):
    assert not find(KIND, lander(place={"lat": None, "lon": None}), loader())


def test_it_keeps_the_laws_of_detectors(scene, lander, loader):
    found = check_detector(Geofence(), scene(lander(), loader(), loader(mmsi=OTHER, start=25.0, end=26.0)))
    assert KIND in {finding.kind for finding in found}


# --- berths ---


def sketched(vessel, places):
    """A track that lies at places (lat, lon, from day, to day), swinging a little; a report every 20 minutes."""
    rows = []
    for lat, lon, start, end in places:
        for i, day in enumerate(np.arange(start, end, 1 / 72)):
            swing = 0.0003 * np.sin(i)
            place = {"lat": lat + swing, "lon": lon - swing, "sog": None, "draught": None}
            rows.append({**vessel.keys, "timestamp": vessel.at(float(day)), **place})
    return schema.SKETCHES.build({c: [row[c] for row in rows] for c in schema.SKETCHES.names})


def test_a_ship_that_waited_in_the_roads_lay_at_the_berth_where_she_lay_longest(scene, lander, loader):
    waited = loader(place={"lat": 42.8139, "lon": 132.9483})
    case = scene(lander(), waited)
    assert not [f for f in Geofence().detect(case) if f.kind == KIND]
    track = sketched(waited, [(42.79, 133.0, 16.0, 16.8), (BERTH["lat"], BERTH["lon"], 16.85, 18.0)])
    known = replace(case, history=replace(case.history, sketches=track))
    assert {f.mmsi for f in Geofence().detect(known) if f.kind == KIND} == {LOADER, KOREAN}


def test_a_berth_at_180_degrees_is_an_ordinary_one(loader, scene, zones):
    vessel = loader(market=None)
    track = sketched(vessel, [(42.8, 179.9999, 16.0, 17.0), (42.8, -179.9999, 17.0, 18.0)])
    stays = visits_at(scene(vessel).history.port_visits, zones, bool)
    ((lat, lon),) = berths_of(track, stays).values()
    assert lat == pytest.approx(42.8, abs=1e-3)
    assert abs(lon) == pytest.approx(180.0, abs=1e-3)


def test_without_a_track_the_place_of_the_visit_counts(loader, scene, zones):
    stays = visits_at(scene(loader(market=None)).history.port_visits, zones, bool)
    assert list(berths_of(schema.SKETCHES.empty(), stays).values()) == [(BERTH["lat"], BERTH["lon"])]
