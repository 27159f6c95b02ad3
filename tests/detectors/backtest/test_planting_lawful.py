"""Lawful look-alikes at sea do what happens every day: ships wait, bunker, are towed; stations and satellites fail."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from detectors.backtest.fleet import Fleet
from detectors.backtest.kinds import KINDS
from detectors.backtest.planting import Planted, by_copy, plant_all
from detectors.backtest.waters import Waters
from detectors.backtest.workshop import Plant
from tests.detectors.backtest.tracks import Track
from vessels.geodesy import distance_nmi
from vessels.units import US_PER_H, US_PER_MIN

FEED = [kind.name for kind in KINDS.values() if kind.copy == "feed"]


def planted(fleet: Fleet, waters: Waters, counts: Mapping[str, int], seed: int = 5) -> Planted:
    return plant_all(fleet, counts, seed, waters)


def some(fleet: Fleet, waters: Waters, kind: str, n: int = 4, seed: int = 5) -> tuple[tuple[Plant, ...], pa.Table]:
    done = planted(fleet, waters, {kind: n}, seed)
    assert done.plants, kind
    return done.plants, done.table()


def times(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return table["timestamp"].cast(pa.int64()).to_numpy()


def test_a_failed_set_is_silent_for_a_day_and_all_else_is_as_it_was(fleet: Fleet, waters: Waters) -> None:
    plants, table = some(fleet, waters, "set_failure")
    for plant in plants:
        (mmsi,) = plant.mmsi
        assert 11.0 <= (plant.end_us - plant.start_us) / US_PER_H <= 37.0
        assert len(Track(table, mmsi, plant.start_us, plant.end_us)) == 0
        gone = len(Track(fleet.rows, mmsi, plant.start_us, plant.end_us))
        assert len(Track(table, mmsi)) == len(Track(fleet.rows, mmsi)) - gone < len(Track(fleet.rows, mmsi))


def test_satellites_hear_a_ship_in_bursts(fleet: Fleet, waters: Waters) -> None:
    plants, table = some(fleet, waters, "satellite_pass_gaps")
    for plant in plants:
        (mmsi,) = plant.mmsi
        heard = Track(table, mmsi).time_us
        bursts = np.split(heard, np.flatnonzero(np.diff(heard) > 12 * US_PER_MIN) + 1)
        assert len(bursts) >= 12
        assert max(np.ptp(burst) for burst in bursts) <= 11 * US_PER_MIN
        assert len(heard) < 0.5 * len(Track(fleet.rows, mmsi))


def test_a_ship_that_waits_lies_at_anchor_for_days_before_she_berths(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "anchor_wait")
    for plant in plants:
        (mmsi,) = plant.mmsi
        own = Track(table, mmsi, plant.start_us, plant.end_us)
        assert 24.0 <= (plant.end_us - plant.start_us) / US_PER_H <= 96.0
        assert distance_nmi(own.lat, own.lon, own.lat.mean(), own.lon.mean()).max() < 0.5
        assert set(own.status) <= {1, None}
        later = Track(table, mmsi, plant.end_us, plant.end_us + 12 * US_PER_H)
        assert distance_nmi(later.lat, later.lon, own.lat.mean(), own.lon.mean()).max() < 40.0
        assert (later.sog < 0.5).any()


def test_a_harbour_off_the_chart_is_a_mile_or_two_inland(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "harbour_inland")
    for plant in plants:
        (mmsi,) = plant.mmsi
        old, now = Track(busy_fleet.rows, mmsi), Track(table, mmsi)
        shift = distance_nmi(old.lat, old.lon, now.lat, now.lon)
        assert 0.3 < shift.max() < 5.0
        assert np.abs(np.diff(shift)).max() < 4.5
        inland = waters.shore_nmi(now.lat[shift > 0.9 * shift.max()], now.lon[shift > 0.9 * shift.max()])
        assert -2.6 < np.median(inland) < -0.2
        assert now.fastest_kn() < 40.0


def test_a_bunker_tanker_lies_beside_one_ship_after_another(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "bunkering")
    for plant in plants:
        tanker, *served = (busy_fleet.ships[number] for number in plant.ships)
        assert tanker.identity.ship_type // 10 == 8
        assert tanker.identity.length_m <= 120.0
        assert len(served) >= 2
        own = Track(table, tanker.mmsi)
        together = []
        for ship in served:
            other = Track(table, ship.mmsi)
            assert len(other) == len(Track(busy_fleet.rows, ship.mmsi))
            apart = own.off_m(other, plant.start_us, plant.end_us)
            mine = own.time_us[(own.time_us > plant.start_us) & (own.time_us < plant.end_us)]
            beside = mine[apart < 400.0]
            assert np.ptp(beside) >= US_PER_H
            together.append((int(beside.min()), int(beside.max())))
        together.sort()
        assert all(one[1] <= other[0] + US_PER_H for one, other in pairwise(together))


def test_a_tug_goes_before_her_tow_on_a_line_and_home_alone(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "tow", 3)
    for plant in plants:
        ship, tug = (busy_fleet.ships[number] for number in plant.ships)
        assert tug.identity.ship_type in (31, 32, 52)
        speed = float(plant.what.split(" at ")[1].split(" kn")[0])
        miles = float(plant.what.split("towed ")[1].split(" nmi")[0])
        dropped = plant.start_us + int(miles / speed * US_PER_H)
        own, line = Track(table, ship.mmsi), Track(table, tug.mmsi)
        apart = line.off_m(own, plant.start_us + US_PER_H, dropped - US_PER_H)
        assert 150.0 < np.median(apart) < 700.0
        towed = own.sog[(own.time_us > plant.start_us + US_PER_H) & (own.time_us < dropped - US_PER_H)]
        assert np.nanmedian(towed) == pytest.approx(speed, abs=0.3)
        home = line.at(np.array([plant.end_us]))
        assert distance_nmi(*home, *own.at(np.array([plant.start_us])))[0] < 12.0


@pytest.mark.parametrize("kind", FEED)
def test_what_befalls_a_place_names_all_whom_it_touched_and_no_one_else(
    busy_fleet: Fleet, waters: Waters, kind: str
) -> None:
    done = planted(busy_fleet, waters, {kind: 2})
    assert len(done.plants) == 2
    rows = done.sheet.rows()
    moved = (rows.lat != busy_fleet.lat) & np.isfinite(busy_fleet.lat)
    off = distance_nmi(rows.lat, rows.lon, busy_fleet.lat, busy_fleet.lon) > 0.01
    touched = ~rows.keep | (moved & off)
    named = {mmsi for plant in done.plants for mmsi in plant.mmsi}
    assert set(busy_fleet.mmsi[touched].tolist()) <= named
    assert all(len(plant.mmsi) >= 3 and plant.ships == () for plant in done.plants)
    when = busy_fleet.time_us[touched]
    inside = [(when >= plant.start_us) & (when <= plant.end_us) for plant in done.plants]
    assert np.logical_or.reduce(inside).all()


def test_nothing_is_heard_within_an_outage_and_all_outside(busy_fleet: Fleet, waters: Waters) -> None:
    (plant,), table = some(busy_fleet, waters, "regional_outage", 1)
    radius = float(plant.what.split("within ")[1].split(" nmi")[0])
    for rows, expected in ((busy_fleet.rows, True), (table, False)):
        during = (times(rows) > plant.start_us) & (times(rows) < plant.end_us)
        apart = distance_nmi(rows["lat"].to_numpy(), rows["lon"].to_numpy(), plant.lat, plant.lon)
        assert (during & (apart < radius - 0.5)).any() == expected
        assert (during & (apart > radius + 0.5)).any()


def test_class_b_is_thinned_and_class_a_is_not(busy_fleet: Fleet, waters: Waters) -> None:
    (plant,), table = some(busy_fleet, waters, "class_b_thinning", 1)
    counts = {}
    for name, rows in (("before", busy_fleet.rows), ("after", table)):
        during = pa.array((times(rows) > plant.start_us) & (times(rows) < plant.end_us))
        seen = pc.value_counts(rows.filter(during)["transceiver"]).to_pylist()
        counts[name] = {one["values"]: one["counts"] for one in seen}
    assert counts["after"]["A"] == counts["before"]["A"]
    assert counts["after"].get("B", 0) < 0.2 * counts["before"]["B"]


def test_jammed_ships_are_astray_while_it_lasts(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "jamming", 8)
    assert {word for plant in plants for word in ("scattered", "circle") if word in plant.what} == {
        "scattered",
        "circle",
    }
    for plant in plants:
        for mmsi in plant.mmsi[:5]:
            old, now = Track(busy_fleet.rows, mmsi), Track(table, mmsi)
            astray = distance_nmi(old.lat, old.lon, now.lat, now.lon) > 0.5
            assert astray.any()
            others = [other for other in plants if mmsi in other.mmsi]
            when = old.time_us[astray]
            assert np.logical_or.reduce([(when > o.start_us) & (when < o.end_us) for o in others]).all()


def test_each_copy_is_planted_by_itself(busy_fleet: Fleet, waters: Waters) -> None:
    parted = by_copy({"imo_change": 2, "dark_gap": 2, "jamming": 1, "set_failure": 1})
    assert parted == {
        "identity": {"imo_change": 2},
        "sea": {"dark_gap": 2, "set_failure": 1},
        "feed": {"jamming": 1},
    }
    assert by_copy({"imo_change": 2}) == {"identity": {"imo_change": 2}}
    alone = planted(busy_fleet, waters, parted["sea"]).plants
    assert planted(busy_fleet, waters, {"dark_gap": 2, "set_failure": 1}).plants == alone
