"""Planting does what it says, to copies, by lot that a seed decides; and says where tracks do not allow it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from detectors.backtest.draws import edited_digits, edited_name, generator, log_uniform
from detectors.backtest.fleet import Fleet, fleet_of
from detectors.backtest.kinds import COPIES, FALSIFICATIONS, KINDS, LOOKALIKES, counts_of, default_count, parse_inject
from detectors.backtest.planting import Planted, plant_all
from detectors.backtest.waters import Waters
from detectors.backtest.workshop import Plant
from vessels.ais import MmsiKind, call_sign_state, clean_text, flag_state, imo_check_digit_ok, mmsi_kinds, parse_imo
from vessels.errors import UsageError
from vessels.zones import read_zones

TEXTS = ("imo", "name", "call_sign")


def planted(fleet: Fleet, counts: Mapping[str, int], seed: int = 5) -> Planted:
    return plant_all(fleet, counts, seed, Waters(read_zones()))


def rows(table: pa.Table, mmsi: int, start_us: int = 0, end_us: int = 2**62) -> pa.Table:
    """Rows of an MMSI after one instant and up to another."""
    time = table["timestamp"].cast(pa.int64())
    wanted = pc.and_(pc.equal(table["mmsi"], mmsi), pc.and_(pc.greater(time, start_us), pc.less_equal(time, end_us)))
    return table.filter(wanted).sort_by("timestamp")


def said(table: pa.Table, name: str) -> set[Any]:
    return set(pc.unique(table[name]).drop_null().to_pylist())


def one(fleet: Fleet, kind: str, seed: int = 5) -> tuple[Plant, pa.Table, list[int]]:
    """The first plant of a kind, the planted rows, and the ships' own MMSI, the first ship's first."""
    done = planted(fleet, {kind: 3}, seed)
    plant = done.plants[0]
    return plant, done.table(), [fleet.ships[number].mmsi for number in plant.ships]


def new_mmsi(plant: Plant, own: list[int]) -> int:
    (number,) = set(plant.mmsi) - set(own)
    return number


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.copy == "identity"])
def test_every_kind_can_be_planted_and_touches_nothing_but_its_own_ships(fleet: Fleet, kind: str) -> None:
    before = fleet.rows.select(["mmsi", "timestamp", *TEXTS, "length_m"])
    done = planted(fleet, {kind: 2})
    assert len(done.plants) == 2
    assert done.notes == ()
    assert fleet.rows.select(before.column_names).equals(before)
    taken = [number for plant in done.plants for number in plant.ships]
    assert len(taken) == len(set(taken))
    sheet = done.sheet
    vessel = np.searchsorted(fleet.offsets, np.arange(len(fleet.mmsi)), side="right") - 1
    touched = set(vessel[(sheet.mmsi != fleet.mmsi) | ~sheet.keep].tolist())
    if kind != "feed_outage":
        assert touched <= set(taken)
    ours = ~np.isin(vessel, taken)
    if kind != "feed_outage":
        table, whole = done.table(), fleet.rows.filter(pa.array(ours))
        rest = table.filter(pc.invert(pc.is_in(table["mmsi"], pa.array([m for p in done.plants for m in p.mmsi]))))
        order = [("timestamp", "ascending"), ("mmsi", "ascending"), ("lat", "ascending"), ("lon", "ascending")]
        columns = ["mmsi", "timestamp", "lat", "lon", *TEXTS, "ship_type", "length_m", "beam_m", "destination"]
        assert rest.select(columns).sort_by(order).equals(whole.select(columns).sort_by(order))
    for plant in done.plants:
        assert plant.what
        assert plant.start_us <= plant.end_us


def test_a_seed_decides_everything(fleet: Fleet) -> None:
    counts = {kind.name: 1 for kind in (*FALSIFICATIONS, *LOOKALIKES) if kind.copy == "identity"}
    first, again, other = (planted(fleet, counts, seed) for seed in (5, 5, 6))
    assert first.plants == again.plants
    assert first.table().equals(again.table())
    assert [p.ships for p in first.plants] != [p.ships for p in other.plants]


def test_one_kind_more_and_more_of_one_kind_leave_the_others_alone(fleet: Fleet) -> None:
    few = planted(fleet, {"hull_handover": 3, "imo_twin": 2}).plants
    assert planted(fleet, {"hull_handover": 3, "imo_twin": 2, "name_change": 4, "newcomer": 1}).plants[:5] == few
    assert planted(fleet, {"hull_handover": 6}).plants[:3] == few[:3]


def test_the_order_of_rows_changes_nothing(canonical: pa.Table, fleet: Fleet) -> None:
    order = np.random.default_rng(1).permutation(canonical.num_rows)
    shuffled = fleet_of(canonical.take(pa.array(order)))
    assert planted(shuffled, {"hull_handover": 4}).plants == planted(fleet, {"hull_handover": 4}).plants


def test_a_handover_leaves_the_hull_and_changes_the_papers(fleet: Fleet) -> None:
    for plant in planted(fleet, {"hull_handover": 12}).plants:
        ship = fleet.ships[plant.ships[0]]
        new, (link, *back) = new_mmsi(plant, [ship.mmsi]), plant.links
        table = planted(fleet, {"hull_handover": 12}).table()
        after = rows(table, new)
        (imo,) = {parse_imo(text) for text in said(after, "imo")}
        assert 2_000_000 <= (imo or 0) <= 3_999_999
        assert bool(imo_check_digit_ok(imo))
        assert imo != ship.identity.imo
        assert flag_state(new) not in (None, flag_state(ship.mmsi))
        (sign,) = said(after, "call_sign")
        assert call_sign_state(sign) == flag_state(new)
        assert said(after, "name").isdisjoint({ship.identity.name})
        assert ("size of another" in plant.what) == (said(after, "length_m") != {ship.identity.length_m})
        own = rows(fleet.rows, ship.mmsi, link.began_us - 1)
        moved = rows(table, new, link.began_us - 1)
        assert moved["lat"].to_pylist() == own["lat"].to_pylist()[: moved.num_rows]
        assert rows(table, ship.mmsi, link.ended_us, link.began_us).num_rows == 0
        later = rows(table, ship.mmsi, link.ended_us)
        assert (later.num_rows > 0) == bool(back)
        if back:
            assert back[0].from_mmsi == new
            assert said(later, "name") == {ship.identity.name}
            assert rows(table, new, back[0].ended_us).num_rows == 0


def test_handovers_come_at_rest_and_under_way_some_of_them_borrowed_some_resized(fleet: Fleet) -> None:
    what = " | ".join(p.what for seed in range(6) for p in planted(fleet, {"hull_handover": 12}, seed).plants)
    for words in ("at rest", "under way", "the old identity again", "size of another ship"):
        assert words in what


def test_an_exchange_swaps_all_but_the_hulls(fleet: Fleet) -> None:
    plant, table, (mmsi, partner) = one(fleet, "identity_exchange")
    first, second = (fleet.ships[number].identity for number in plant.ships)
    link = plant.links[0]
    swapped = rows(table, partner, link.began_us - 1)
    own = rows(fleet.rows, mmsi, link.began_us - 1)
    assert set(own["lat"].to_pylist()) <= set(swapped["lat"].to_pylist())
    for number, identity in ((partner, second), (mmsi, first)):
        assert {clean_text(name) for name in said(rows(table, number), "name")} == {identity.name}
    assert {(link.from_mmsi, link.to_mmsi) for link in plant.links} == {(mmsi, partner), (partner, mmsi)}


def test_a_twin_claims_the_number_of_a_ship_that_goes_on(fleet: Fleet) -> None:
    plant, table, (mmsi, victim) = one(fleet, "imo_twin")
    claimed = fleet.ships[plant.ships[1]].identity.imo
    assert {parse_imo(text) for text in said(rows(table, mmsi, plant.start_us), "imo")} == {claimed}
    assert claimed not in {parse_imo(text) for text in said(rows(table, mmsi, 0, plant.start_us), "imo")}
    assert rows(table, victim, plant.start_us).equals(rows(fleet.rows, victim, plant.start_us).cast(table.schema))


def test_a_shared_mmsi_holds_the_rows_of_both(fleet: Fleet) -> None:
    plant, table, (mmsi, victim) = one(fleet, "shared_mmsi")
    both = rows(table, victim, plant.start_us, plant.end_us)
    theirs = rows(fleet.rows, victim, plant.start_us, plant.end_us)
    ours = rows(fleet.rows, mmsi, plant.start_us, plant.end_us)
    assert min(theirs.num_rows, ours.num_rows) > 0
    assert both.num_rows == pytest.approx(theirs.num_rows + ours.num_rows, abs=1)


def test_a_dropped_number_is_gone_and_the_rest_is_said(fleet: Fleet) -> None:
    for plant in planted(fleet, {"imo_dropped": 10}).plants:
        (mmsi,) = plant.mmsi
        table = planted(fleet, {"imo_dropped": 10}).table()
        while_gone = rows(table, mmsi, plant.start_us, plant.end_us - 1)
        assert {parse_imo(text) for text in said(while_gone, "imo")} == {None}
        assert said(while_gone, "name") == said(rows(fleet.rows, mmsi), "name")
        later = rows(table, mmsi, plant.end_us)
        assert None not in {parse_imo(text) for text in said(later, "imo")}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("imo_change", "imo"),
        ("name_change", "name"),
        ("call_sign_change", "call_sign"),
        ("type_change", "ship_type"),
        ("dimension_change", "length_m"),
    ],
)
def test_a_change_of_one_field_changes_that_field(fleet: Fleet, kind: str, field: str) -> None:
    plant, table, (mmsi,) = one(fleet, kind)
    before, after = rows(table, mmsi, 0, plant.start_us), rows(table, mmsi, plant.start_us)
    assert before.num_rows + after.num_rows == rows(fleet.rows, mmsi).num_rows
    assert said(before, field).isdisjoint(said(after, field))
    for other in {"imo", "name", "call_sign", "ship_type"} - {field}:
        assert said(after, other) == said(before, other)


def test_a_name_and_a_flag_change_under_way(fleet: Fleet) -> None:
    for kind in ("name_change", "flag_change"):
        for plant in planted(fleet, {kind: 5}).plants:
            ship = fleet.ships[plant.ships[0]]
            (row,) = [r for r in ship.positions if fleet.time_us[r] == plant.start_us and fleet.lat[r] == plant.lat][:1]
            assert fleet.speed_kn[row] >= 3.0


def test_a_revived_identity_was_dead_for_long_and_bore_another_size(fleet: Fleet) -> None:
    plant, table, (mmsi, dead) = one(fleet, "revived_identity")
    taker, gone = (fleet.ships[number].identity for number in plant.ships)
    new = next(iter(set(plant.mmsi) - {mmsi, dead}), dead)
    assert abs(taker.length_m - gone.length_m) > 0.1 * gone.length_m
    heard = rows(table, dead)["timestamp"].cast(pa.int64()).to_numpy()
    last = heard[heard < plant.start_us].max()
    assert plant.links[0].began_us - last >= 3 * 86_400 * 1_000_000
    assert said(rows(table, new, plant.start_us), "name") == {gone.name}
    assert rows(table, mmsi, plant.start_us).num_rows == 0


def test_a_near_listed_ship_is_one_edit_from_a_listed_one_that_is_not_heard(fleet: Fleet) -> None:
    done = planted(fleet, {"near_listed_identity": 8})
    table = done.table()
    for plant in done.plants:
        listed = fleet.ships[plant.ships[1]].identity
        assert plant.listed["name"] == listed.name
        assert plant.listed["mmsi"] == str(listed.mmsi)
        assert rows(table, listed.mmsi).num_rows == 0
        now = rows(table, int(next(iter(set(plant.mmsi) - {listed.mmsi}))) if len(plant.mmsi) == 2 else 0)
        numbers = [m for m in plant.mmsi if m != listed.mmsi]
        spoken = {name for m in numbers for name in said(rows(table, m), "name")}
        assert listed.name not in spoken
        assert any(abs(len(name) - len(listed.name)) <= 1 for name in spoken)
        imos = {parse_imo(text) for text in said(now, "imo")} if now.num_rows else set()
        near = [n for n in (*imos, *numbers) if n and _digits_apart(n, listed.imo if n < 10**7 else listed.mmsi) == 1]
        assert near


def _digits_apart(one: int, other: int) -> int:
    return sum(a != b for a, b in zip(str(one), str(other), strict=True))


def test_invalid_numbers_are_invalid(fleet: Fleet) -> None:
    plant, table, (mmsi,) = one(fleet, "invalid_imo")
    (number,) = {parse_imo(text) for text in said(rows(table, mmsi), "imo")}
    assert not bool(imo_check_digit_ok(number))
    plant, table, own = one(fleet, "invalid_mmsi")
    assert mmsi_kinds(np.array([new_mmsi(plant, own)]))[0] == MmsiKind.UNKNOWN_MID
    assert rows(table, own[0]).num_rows == 0
    plant, table, (mmsi,) = one(fleet, "flag_call_sign_mismatch")
    (sign,) = said(rows(table, mmsi), "call_sign")
    assert call_sign_state(sign) != flag_state(mmsi)


def test_a_reflagged_ship_keeps_her_number_and_changes_flag_in_a_stay(fleet: Fleet) -> None:
    plant, table, own = one(fleet, "reflag")
    new = new_mmsi(plant, own)
    assert flag_state(new) != flag_state(own[0])
    assert said(rows(table, new), "imo") == {str(parse_imo(t)) for t in said(rows(fleet.rows, own[0]), "imo")}
    ship = fleet.ships[plant.ships[0]]
    assert any(fleet.time_us[a] <= plant.start_us <= fleet.time_us[b] for a, b in fleet.stays(ship, 6.0))


def test_a_sold_ship_keeps_her_numbers(fleet: Fleet) -> None:
    plant, table, (mmsi,) = one(fleet, "sale")
    before, after = rows(table, mmsi, 0, plant.start_us), rows(table, mmsi, plant.start_us)
    assert said(before, "name").isdisjoint(said(after, "name"))
    assert said(before, "call_sign").isdisjoint(said(after, "call_sign"))
    assert {parse_imo(t) for t in said(after, "imo")} == {parse_imo(t) for t in said(before, "imo")}


def test_a_corrected_mmsi_differs_in_one_digit_behind_the_flag(fleet: Fleet) -> None:
    plant, table, own = one(fleet, "mmsi_corrected")
    new = new_mmsi(plant, own)
    assert _digits_apart(new, own[0]) == 1
    assert new // 1_000_000 == own[0] // 1_000_000
    assert said(rows(table, new), "name") == said(rows(fleet.rows, own[0]), "name")


def test_silences_of_look_alikes_are_silent(fleet: Fleet) -> None:
    plant, table, (mmsi,) = one(fleet, "set_replaced")
    assert rows(table, mmsi, plant.start_us, plant.end_us - 1).num_rows == 0
    assert 0 < rows(table, mmsi, plant.end_us).num_rows < 0.6 * rows(fleet.rows, mmsi, plant.end_us).num_rows
    plant, table, (mmsi,) = one(fleet, "lay_up")
    assert rows(table, mmsi, plant.start_us, plant.end_us - 1).num_rows == 0
    assert plant.end_us - plant.start_us >= 3 * 86_400 * 1_000_000
    plant, table, _ = one(fleet, "feed_outage")
    time = table["timestamp"].cast(pa.int64()).to_numpy()
    assert not ((time > plant.start_us) & (time < plant.end_us)).any()
    assert ((fleet.time_us > plant.start_us) & (fleet.time_us < plant.end_us)).any()


def test_the_edge_of_coverage_takes_a_part_of_the_track(fleet: Fleet) -> None:
    _, table, (mmsi,) = one(fleet, "edge_of_coverage")
    share = rows(table, mmsi).num_rows / rows(fleet.rows, mmsi).num_rows
    assert 0.2 < share < 0.95


def test_a_newcomer_begins_where_another_ended_and_neither_changes_her_name(fleet: Fleet) -> None:
    plant, table, (mmsi, gone) = one(fleet, "newcomer")
    last = rows(table, gone)["timestamp"].cast(pa.int64()).to_numpy().max()
    first = rows(table, mmsi)["timestamp"].cast(pa.int64()).to_numpy().min()
    assert last == plant.start_us < first
    for number in (mmsi, gone):
        assert said(rows(table, number), "name") == said(rows(fleet.rows, number), "name")


def test_more_than_there_are_ships_for_is_planted_as_far_as_it_goes_and_said(fleet: Fleet) -> None:
    done = planted(fleet, {"identity_exchange": 10_000})
    (note,) = done.notes
    assert note.startswith(f"identity_exchange: {len(done.plants)} of 10000 planted; ")
    assert "two ships heard at one time" in note
    assert 0 < len(done.plants) <= len(fleet.ships) // 2


def test_half_an_hour_of_data_is_refused_with_what_a_plant_needs(canonical: pa.Table) -> None:
    begin = datetime(2025, 3, 3, tzinfo=UTC)
    short = canonical.filter(
        pc.and_(
            pc.greater(canonical["timestamp"], pa.scalar(begin)),
            pc.less(canonical["timestamp"], pa.scalar(begin.replace(minute=25))),
        )
    )
    assert short.num_rows > 20
    with pytest.raises(UsageError, match=r"heard too briefly \d+.*12 positions over 12 h before the change"):
        planted(fleet_of(short), {"hull_handover": 5})


def test_rows_without_static_data_or_without_rows_are_refused(canonical: pa.Table) -> None:
    for name in ("name", "imo", "call_sign"):
        at = canonical.schema.get_field_index(name)
        bare = canonical.set_column(at, canonical.schema.field(at), pa.nulls(canonical.num_rows, pa.string()))
        with pytest.raises(UsageError, match="nothing can be planted"):
            planted(fleet_of(bare), {"hull_handover": 5})
    with pytest.raises(UsageError, match="nothing can be planted"):
        planted(fleet_of(canonical.slice(0, 0)), {"hull_handover": 5})


def test_ships_with_two_names_or_jumps_are_left_alone(canonical: pa.Table, fleet: Fleet) -> None:
    ship = next(iter(fleet.ships.values()))
    own = np.flatnonzero(canonical["mmsi"].to_numpy() == ship.mmsi)
    names = canonical["name"].to_pylist()
    names[own[-1]] = "SOMEONE ELSE"
    at = canonical.schema.get_field_index("name")
    renamed = fleet_of(canonical.set_column(at, canonical.schema.field(at), pa.array(names, pa.string())))
    assert len(renamed.ships) == len(fleet.ships) - 1
    lack = "no whole identity that stays the same"
    assert renamed.unfit[lack] == fleet.unfit.get(lack, 0) + 1
    lat = canonical["lat"].to_numpy().copy()
    lat[own[::10]] += 5.0
    at = canonical.schema.get_field_index("lat")
    torn = fleet_of(canonical.set_column(at, canonical.schema.field(at), pa.array(lat)))
    assert len(torn.ships) == len(fleet.ships) - 1


def test_what_is_asked_for_is_read() -> None:
    assert parse_inject(["hull_handover=50, imo_twin=20", "reflag=3"]) == {
        "hull_handover": 50,
        "imo_twin": 20,
        "reflag": 3,
    }
    everything = parse_inject(["all=4,lookalikes=0,imo_twin=9"])
    assert everything["imo_twin"] == 9
    assert {everything[kind.name] for kind in LOOKALIKES} == {0}
    assert parse_inject(["all=4,imo_twin=0"])["imo_twin"] == 0
    assert parse_inject(["imo_twin=0", "reflag=2"]) == {"imo_twin": 0, "reflag": 2}
    outages = parse_inject(["lookalikes=6"])["feed_outage"], parse_inject(["feed_outage=6"])["feed_outage"]
    assert outages == (2, 6)
    assert parse_inject(["lookalikes=6"])["jamming"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hull_handovr=5", "did you mean hull_handover"),
        ("teleport=5", "There are hull_handover, identity_exchange"),
        ("imo_twin", "write KIND=N"),
        ("imo_twin=-3", "write KIND=N"),
        ("imo_twin=many", "write KIND=N"),
        ("imo_twin=²", "write KIND=N"),
        ("", "write KIND=N"),
        ("imo_twin=3,", "write KIND=N"),
        ("imo_twin=3,imo_twin=4", "names imo_twin more than once"),
        ("imo_twin=0", "nothing would be planted"),
        ("imo_twin=0,reflag=0", "nothing would be planted"),
        ("all=0,lookalikes=0", "nothing would be planted"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_what_can(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_inject([text])


def test_counts_follow_the_ships_and_what_is_named() -> None:
    usual = counts_of(None, 300)
    assert set(usual) == set(KINDS)
    lawful = {copy: {kind.name for kind in LOOKALIKES if kind.copy == copy} for copy in COPIES}
    assert set(counts_of({"imo_twin": 7}, 300)) == {"imo_twin"} | lawful["identity"]
    assert set(counts_of({"loitering": 7}, 300)) == {"loitering"} | lawful["sea"] | lawful["feed"]
    assert counts_of({"imo_twin": 7, "reflag": 2}, 300) == {"imo_twin": 7, "reflag": 2}
    assert counts_of({"imo_twin": 7, "lookalikes": 0}, 300) == {"imo_twin": 7}
    for copy in ("identity", "sea"):
        assert 1 == default_count(5, copy) < default_count(400, copy) < default_count(10**6, copy) == 50
    assert {usual[name] for name in lawful["feed"]} == {2}


def test_draws_stay_within_their_bounds() -> None:
    rng = generator(1, "test")
    drawn = [log_uniform(rng, 0.1, 240.0) for _ in range(500)]
    assert 0.1 <= min(drawn) < 1.0 < 24.0 < max(drawn) <= 240.0
    assert log_uniform(rng, 3.0, 3.0) == 3.0
    assert edited_name(rng, "A1") is None
    assert all(edited_name(rng, "SU RI BONG 7") != "SU RI BONG 7" for _ in range(50))
    assert all(_digits_apart(edited_digits(rng, 2318669, 0), 2318669) == 1 for _ in range(50))
    assert bool(imo_check_digit_ok(edited_digits(rng, 2318669, 0, valid_imo=True)))


def test_plants_are_records() -> None:
    plant = Plant("imo_change", (1,), (5, 3, 5), 0, 1, 0.0, 0.0, "x")
    assert plant.mmsi == (3, 5)
    assert replace(plant, what="y").what == "y"
