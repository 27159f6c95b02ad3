"""What is planted at sea is there in the rows: silence, ships side by side, false positions; and nothing else."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import shapely

from detectors.backtest.fleet import Fleet, Ship, fleet_of
from detectors.backtest.kinds import KINDS
from detectors.backtest.planting import Planted, plant_all
from detectors.backtest.waters import Waters
from detectors.backtest.workshop import Plant
from detectors.rules.rendezvous.places import roads_of
from tests.detectors.backtest.tracks import Track
from vessels.geodesy import distance_nmi
from vessels.units import METRES_PER_NMI, US_PER_H
from vessels.zones import Zone, Zones

SEA = [kind.name for kind in KINDS.values() if kind.copy == "sea"]
DELAYING = ("hidden_call_feasible", "rendezvous", "dark_rendezvous", "loitering", "anchor_wait", "tow")


def planted(fleet: Fleet, waters: Waters, counts: Mapping[str, int], seed: int = 5) -> Planted:
    return plant_all(fleet, counts, seed, waters)


def some(fleet: Fleet, waters: Waters, kind: str, n: int = 4, seed: int = 5) -> tuple[tuple[Plant, ...], pa.Table]:
    done = planted(fleet, waters, {kind: n}, seed)
    assert done.plants, kind
    return done.plants, done.table()


def ship_of(fleet: Fleet, plant: Plant, place: int = 0) -> Ship:
    return fleet.ships[plant.ships[place]]


@pytest.mark.parametrize("kind", SEA)
def test_every_kind_at_sea_can_be_planted_and_touches_nothing_but_its_own_ships(
    busy_fleet: Fleet, waters: Waters, kind: str
) -> None:
    before = busy_fleet.rows.select(["mmsi", "timestamp", "lat", "lon"])
    done = planted(busy_fleet, waters, {kind: 2})
    assert len(done.plants) >= (1 if kind == "tow" else 2)
    assert busy_fleet.rows.select(before.column_names).equals(before)
    taken = [number for plant in done.plants for number in plant.ships]
    assert len(taken) == len(set(taken))
    own = pa.array([busy_fleet.ships[number].mmsi for number in taken])
    order = [("timestamp", "ascending"), ("mmsi", "ascending"), ("lat", "ascending"), ("lon", "ascending")]
    tables = (done.table(), busy_fleet.rows)
    rest, whole = (
        table.filter(pc.invert(pc.is_in(table["mmsi"], own))).drop_columns(["source_id"]).sort_by(order)
        for table in tables
    )
    assert rest.equals(whole.cast(rest.schema))
    for plant in done.plants:
        assert plant.start_us < plant.end_us
        assert plant.what
        assert {delay.mmsi for delay in plant.delays} <= set(plant.mmsi)


def test_a_seed_decides_everything_at_sea(busy_fleet: Fleet, waters: Waters) -> None:
    counts = dict.fromkeys(SEA, 1)
    first, again, other = (planted(busy_fleet, waters, counts, seed) for seed in (5, 5, 6))
    assert first.plants == again.plants
    assert first.table().equals(again.table())
    assert [p.ships for p in first.plants] != [p.ships for p in other.plants]


def test_the_order_of_rows_changes_nothing_at_sea(canonical: pa.Table, fleet: Fleet, waters: Waters) -> None:
    order = np.random.default_rng(1).permutation(canonical.num_rows)
    shuffled = fleet_of(canonical.take(pa.array(order)))
    counts = {"dark_gap": 2, "loitering": 2, "drawn_track": 2, "jamming": 1}
    assert planted(shuffled, waters, counts).plants == planted(fleet, waters, counts).plants


def test_one_kind_more_leaves_the_others_alone_at_sea(fleet: Fleet, waters: Waters) -> None:
    few = planted(fleet, waters, {"dark_gap": 2, "loitering": 2}).plants
    assert planted(fleet, waters, {"dark_gap": 2, "loitering": 2, "position_jump": 3}).plants[:4] == few


@pytest.mark.parametrize("kind", ["loitering", "rendezvous", "dark_rendezvous", "anchor_wait", "bunkering", "tow"])
def test_ships_sent_off_their_tracks_do_not_leap(busy_fleet: Fleet, waters: Waters, kind: str) -> None:
    plants, table = some(busy_fleet, waters, kind)
    for plant in plants:
        for number in plant.ships:
            mmsi = busy_fleet.ships[number].mmsi
            now, old = Track(table, mmsi), Track(busy_fleet.rows, mmsi)
            for track in (now, old):
                assert (np.diff(track.time_us) >= 0).all()
            assert now.fastest_kn() <= max(old.fastest_kn(), 25.0)


@pytest.mark.parametrize("kind", DELAYING)
def test_what_follows_comes_later_by_as_much_and_is_otherwise_as_it_was(
    busy_fleet: Fleet, waters: Waters, kind: str
) -> None:
    plants, table = some(busy_fleet, waters, kind)
    delays = [delay for plant in plants for delay in plant.delays]
    assert delays or kind == "hidden_call_feasible"
    end_us = busy_fleet.span_us[1]
    for delay in delays:
        assert delay.by_us >= 0
        old = Track(busy_fleet.rows, delay.mmsi, delay.from_us - 1, end_us - delay.by_us)
        now = Track(table, delay.mmsi, delay.from_us + delay.by_us - 1)
        lost = ~np.isin(old.time_us + delay.by_us, now.time_us)
        assert busy_fleet.is_down(old.time_us[lost] + delay.by_us).all() or "silent" in plants[0].what
        same = np.isin(now.time_us, old.time_us + delay.by_us)
        assert same.mean() > 0.99
        assert set(np.round(now.lat[same], 4)) <= set(np.round(old.lat, 4))


def test_a_dark_gap_takes_out_a_part_of_a_passage_on_which_the_ship_was_heard_most_hours(
    fleet: Fleet, waters: Waters
) -> None:
    plants, table = some(fleet, waters, "dark_gap", 8)
    for plant in plants:
        (mmsi,) = plant.mmsi
        unheard = Track(fleet.rows, mmsi, plant.start_us, plant.end_us)
        hours = (plant.end_us - plant.start_us) / US_PER_H
        assert 5.0 <= hours <= 73.0
        assert len(Track(table, mmsi, plant.start_us, plant.end_us)) == 0
        ends = Track(fleet.rows, mmsi, plant.start_us - US_PER_H - 1, plant.end_us + US_PER_H + 1).time_us
        assert (ends < plant.start_us).any()
        assert (ends > plant.end_us).any()
        assert len(np.unique(unheard.time_us // US_PER_H)) >= 0.45 * hours
        assert np.diff(unheard.time_us).max() <= 6 * US_PER_H
        assert (unheard.sog[~np.isnan(unheard.sog)] >= 3.0).all()
        assert len(Track(table, mmsi)) + len(unheard) == len(Track(fleet.rows, mmsi))


def test_a_hidden_call_leaves_time_for_the_way_there_the_call_and_the_way_back(
    busy_fleet: Fleet, waters: Waters
) -> None:
    plants, table = some(busy_fleet, waters, "hidden_call_feasible", 12)
    timed = [plant for plant in plants if plant.delays]
    assert timed
    for plant in timed:
        (mmsi,) = plant.mmsi
        assert len(Track(table, mmsi, plant.start_us, plant.end_us)) == 0
        track = Track(table, mmsi)
        begin, end = (int(np.searchsorted(track.time_us, us)) for us in (plant.start_us, plant.end_us))
        zone = next(z for z in waters.watched if f" at {z.name}, " in plant.what)
        way = waters.way_nmi(zone, track.lat[[begin, end]], track.lon[[begin, end]])
        hours = (plant.end_us - plant.start_us) / US_PER_H
        assert hours >= way.sum() / 18.0 + 12.0
        assert hours <= way.sum() / 5.0 + 73.0


def test_a_real_call_is_unheard_with_a_margin_around_the_fence(fleet: Fleet) -> None:
    stays = [(ship, fleet.stays(ship, 12.0)) for ship in fleet.ships.values()]
    ship, row = next(
        (ship, first)
        for ship, found in stays
        for first, last in found
        if fleet.is_interior(ship, int(fleet.time_us[first]))
        and fleet.is_interior(ship, int(fleet.time_us[last]) + 24 * US_PER_H)
    )
    lat, lon = float(fleet.lat[row]), float(fleet.lon[row])
    fence = shapely.Point(lon, lat).buffer(0.05)
    zone = Zone("XX_HERE", "Here", "port", None, frozenset(), "high", (), (), lat, lon, fence)
    waters = Waters(Zones((zone,)))
    done = planted(fleet, waters, {"hidden_call_feasible": 400})
    plant = next(plant for plant in done.plants if plant.ships == (ship.number,))
    assert "as it was" in plant.what
    assert not plant.delays
    table = done.table()
    gone = Track(fleet.rows, ship.mmsi, plant.start_us, plant.end_us)
    assert len(Track(table, ship.mmsi, plant.start_us, plant.end_us)) == 0
    inside = distance_nmi(gone.lat, gone.lon, lat, lon) < 3.0
    assert inside.any()
    ends = Track(fleet.rows, ship.mmsi, plant.start_us - 1, plant.end_us + 1)
    assert (waters.way_nmi(zone, ends.lat[[0, -1]], ends.lon[[0, -1]]) >= 10.0).all()


def test_two_ships_meet_within_hundreds_of_metres_slow_and_outside_ports(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "rendezvous", 8)
    for plant in plants:
        one, other = (Track(table, busy_fleet.ships[number].mmsi) for number in plant.ships)
        hours = (plant.end_us - plant.start_us) / US_PER_H
        assert 3.0 <= hours <= 10.0
        apart = one.off_m(other, plant.start_us, plant.end_us)
        assert len(apart) >= 2 * hours
        assert apart.max() < 400.0
        assert 20.0 < np.median(apart) < 320.0
        assert one.is_slow(plant.start_us, plant.end_us)
        assert other.is_slow(plant.start_us, plant.end_us)
        places = one.at(np.linspace(plant.start_us, plant.end_us, 9).astype(np.int64))
        assert waters.shore_nmi(*places).min() > 8.0
        assert waters.port_nmi(*places).min() > 6.0
        own = [Track(busy_fleet.rows, busy_fleet.ships[number].mmsi) for number in plant.ships]
        before = own[0].off_m(own[1], plant.start_us, plant.end_us)
        assert not len(before) or before.min() > 500.0


def test_draughts_change_oppositely_in_some_meetings(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "rendezvous", 12)
    told = [plant for plant in plants if plant.what.count("draught") == 2]
    assert 0 < len(told) < len(plants)
    for plant in told:
        changes = []
        for number in plant.ships:
            mmsi = busy_fleet.ships[number].mmsi
            delay = next(delay for delay in plant.delays if delay.mmsi == mmsi)
            old = Track(busy_fleet.rows, mmsi, delay.from_us - 1)
            now = Track(table, mmsi, delay.from_us + delay.by_us - 1)
            first = np.flatnonzero(old.draught > 0)[0]
            changes.append(float(now.draught[first] - old.draught[first]))
        assert changes[0] == pytest.approx(-changes[1], abs=0.11)
        assert 0.4 < abs(changes[0]) < 2.6


def test_a_silent_partner_is_unheard_from_before_the_meeting_until_after_it(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "dark_rendezvous", 6)
    for plant in plants:
        lone, silent = (busy_fleet.ships[number].mmsi for number in plant.ships)
        before, after = plant.start_us - US_PER_H, plant.end_us + US_PER_H
        assert len(Track(table, silent, before, after)) == 0
        assert len(Track(table, silent, 0, before)) > 0 < len(Track(table, silent, after))
        own = Track(table, lone)
        assert own.is_slow(plant.start_us, plant.end_us)
        heard = (own.time_us > plant.start_us) & (own.time_us < plant.end_us)
        assert heard.sum() >= 6


def test_a_loitering_ship_stays_for_hours_far_from_ports(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "loitering", 6)
    for plant in plants:
        (mmsi,) = plant.mmsi
        own = Track(table, mmsi, plant.start_us, plant.end_us)
        assert 8.0 <= (plant.end_us - plant.start_us) / US_PER_H <= 24.0
        assert own.is_slow(plant.start_us, plant.end_us)
        assert distance_nmi(own.lat, own.lon, own.lat.mean(), own.lon.mean()).max() < 12.0
        assert waters.shore_nmi(own.lat, own.lon).min() > 2.0
        assert 70 <= ship_of(busy_fleet, plant).identity.ship_type < 90


@pytest.mark.parametrize("kind", ["loitering", "rendezvous", "dark_rendezvous"])
def test_no_ship_stops_while_nobody_is_heard_or_in_the_roads_of_a_port(
    busy_fleet: Fleet, waters: Waters, kind: str
) -> None:
    """The feed is silent for four hours a day: what falls into that is lost, and could not be found."""
    hours = busy_fleet.time_us // US_PER_H
    gappy = fleet_of(busy_fleet.rows.filter(pa.array(hours % 24 >= 4)))
    plants, _ = some(gappy, waters, kind, 12)
    for plant in plants:
        instants = np.arange(plant.start_us, plant.end_us, US_PER_H // 6)
        assert not gappy.is_down(instants).any()
        assert not any(zone.geometry.contains(shapely.Point(plant.lon, plant.lat)) for zone in roads_of(waters.zones))


@pytest.mark.parametrize("kind", ["position_jump", "position_on_land"])
def test_a_stretch_is_shifted_as_a_whole_and_nothing_else(busy_fleet: Fleet, waters: Waters, kind: str) -> None:
    plants, table = some(busy_fleet, waters, kind, 6)
    for plant in plants:
        (mmsi,) = plant.mmsi
        old, now = Track(busy_fleet.rows, mmsi), Track(table, mmsi)
        assert np.array_equal(old.time_us, now.time_us)
        moved = np.flatnonzero(distance_nmi(old.lat, old.lon, now.lat, now.lon) > 1.0)
        assert np.array_equal(moved, np.arange(moved[0], moved[-1] + 1))
        assert old.time_us[moved[0] - 1] == plant.start_us
        assert old.time_us[moved[-1] + 1] == plant.end_us
        far = distance_nmi(old.lat[moved], old.lon[moved], now.lat[moved], now.lon[moved])
        assert 15.0 < far.min() <= far.max() < 330.0
        shift = now.lat[moved] - old.lat[moved]
        assert np.ptp(shift) < 1e-4
        shore = waters.shore_nmi(now.lat[moved], now.lon[moved])
        if kind == "position_on_land":
            assert np.mean(shore <= -3.0) >= 0.8
        else:
            assert shore.min() >= 0.9


def test_a_drawn_line_has_one_speed_and_no_sea(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "drawn_track", 24)
    lines = [plant for plant in plants if plant.what.startswith("one drawn line")]
    assert lines
    assert {plant.what.split(" for ")[0][:10] for plant in plants} >= {"one drawn ", "a drawn li"}
    for plant in lines:
        (mmsi,) = plant.mmsi
        own = Track(table, mmsi, plant.start_us - 1, plant.end_us + 1)
        north, east = own.lat - own.lat[0], (own.lon - own.lon[0])
        wide = np.cos(np.radians(own.lat.mean()))
        off = (north * east[-1] - east * north[-1]) * wide / np.hypot(north[-1], east[-1] * wide)
        assert METRES_PER_NMI * 60.0 * np.abs(off).max() < 1.0
        step = distance_nmi(own.lat[:-1], own.lon[:-1], own.lat[1:], own.lon[1:])
        speed = step / (np.diff(own.time_us) / US_PER_H)
        assert np.ptp(speed[np.diff(own.time_us) > US_PER_H / 60]) < 0.02 * speed.mean()
        assert np.ptp(own.sog[1:-1][~np.isnan(own.sog[1:-1])]) <= 0.2
        assert np.array_equal(own.time_us, Track(busy_fleet.rows, mmsi, plant.start_us - 1, plant.end_us + 1).time_us)


def test_a_replayed_track_is_one_that_was_sent_before(busy_fleet: Fleet, waters: Waters) -> None:
    plants, table = some(busy_fleet, waters, "drawn_track", 24)
    replays = [plant for plant in plants if " before" in plant.what]
    assert replays
    for plant in replays:
        (mmsi,) = plant.mmsi
        own = Track(table, mmsi, plant.start_us, plant.end_us)
        source = mmsi if "her own" in plant.what else int(plant.what.split("MMSI ")[1].split(",")[0])
        old = Track(busy_fleet.rows, source)
        lags = own.time_us[:, None] - old.time_us[None, :]
        values, counts = np.unique(lags[lags > 0], return_counts=True)
        lag = int(values[np.argmax(counts)])
        places = old.at(own.time_us - lag)
        shift = own.lat[0] - places[0][0], own.lon[0] - places[1][0]
        off = METRES_PER_NMI * distance_nmi(own.lat, own.lon, places[0] + shift[0], places[1] + shift[1])
        assert np.median(off) < 2.0
        assert ("from where she is" in plant.what) == (abs(shift[0]) + abs(shift[1]) > 1e-4)
        assert lag >= 24 * US_PER_H


def test_a_ship_is_silenced_only_where_others_are_heard_about_both_ends(fleet: Fleet, waters: Waters) -> None:
    plants, _ = some(fleet, waters, "dark_gap", 8)
    for plant in plants:
        (mmsi,) = plant.mmsi
        old = Track(fleet.rows, mmsi)
        assert len(Track(fleet.rows, mmsi, plant.start_us, plant.end_us)) >= 20
        for us in (plant.start_us, plant.end_us):
            at = int(np.searchsorted(old.time_us, us))
            near = fleet.near(float(old.lat[at]), float(old.lon[at]), us, 90.0)
            assert len({one.ship for one in near} - set(plant.ships)) >= 3


def test_nobody_is_silenced_where_few_others_are_heard(canonical: pa.Table, waters: Waters) -> None:
    alone = fleet_of(canonical.filter(pa.compute.is_in(canonical["mmsi"], canonical["mmsi"].unique()[:3])))
    assert alone.ships
    assert not planted(alone, waters, {"dark_gap": 3, "hidden_call_feasible": 3}).plants
