"""Adrift: who moves slowly and not where her bow points, for how long, and who only seems to."""

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.vessels.builders import ALPHA, BRAVO, H, Row, block_of
from tests.vessels.fleets import SEA, Fleet, far_off, fleet_of
from vessels.event_tables import LOITERING
from vessels.events.adrift import AdriftParameters, find_adrift
from vessels.events.loitering import find_loitering
from vessels.geodesy import wrap_degrees
from vessels.schema import make_id
from vessels.segments import segment_ids, separate


def drifts(
    hours: float, t: float = 0.0, *, kn: float = 1.0, bow_deg: float = 90.0, **said: Any
) -> list[dict[str, Any]]:
    """Reports of a ship that makes good north, her bow elsewhere; `turn_deg` swings it to and fro."""
    every_s, turn = said.pop("every_s", 600.0), said.pop("turn_deg", 0.0)
    north = said.pop("north_nmi", 0.0)
    row = {"mmsi": ALPHA, "lon": SEA[1], "sog": kn, "cog": 0.0, "transceiver": "A", **said}
    n = round(hours * H / every_s)
    return [
        {
            **row,
            "t": t + i * every_s,
            "lat": round(SEA[0] + (north + kn * i * every_s / H) / 60.0, 7),
            "heading": float((bow_deg + turn * (i % 2)) % 360.0),
        }
        for i in range(n + 1)
    ]


def stretches(
    rows: list[Row], parameters: AdriftParameters | None = None, *, class_b: bool = False, harbour: bool = False,
    shore: Any = far_off,
) -> list[dict[str, Any]]:  # fmt: skip
    segments = separate(block_of(rows))
    ids = segment_ids(segments)
    sets, places = np.full(len(ids), class_b), np.full(len(segments), harbour)
    return find_adrift(segments, ids, sets, places, shore, parameters or AdriftParameters()).to_pylist()


BROKEN = [
    *drifts(1.0),
    *drifts(0.5, H + 600.0, bow_deg=0.0, kn=1.0, north_nmi=1.0 + 1 / 6),
    *drifts(1.0, 1.5 * H + 1200.0, north_nmi=1.5 + 1 / 3),
]


def test_a_ship_set_sideways_for_hours_is_adrift_by_the_angle_between_bow_and_way():
    (one,) = stretches(drifts(5.0, bow_deg=117.0, nav_status=2))
    assert (one["mmsi"], one["nav_status"]) == (ALPHA, 2)
    assert one["off_course_deg"] == pytest.approx(117.0, abs=0.2)
    assert (one["end"] - one["start"]).total_seconds() == 5.0 * H
    assert one["distance_nmi"] == pytest.approx(5.0, abs=0.05)


@pytest.mark.parametrize(
    "rows",
    [
        drifts(5.0, bow_deg=10.0),
        drifts(5.0, kn=9.0),
        drifts(5.0, kn=0.05),
        drifts(0.8),
        drifts(5.0, nav_status=7),
        drifts(5.0, turn_deg=80.0),
        [{**row, "heading": None} for row in drifts(5.0)],
        drifts(20.0, every_s=4 * H),
    ],
    ids=["crabs a little", "under way", "at anchor", "a moment", "fishing", "turns", "no heading", "seldom heard"],
)
def test_others_are_not(rows):
    assert stretches(rows) == []


def test_a_ship_at_anchor_in_a_tide_makes_good_nothing():
    swing = [
        {**row, "lat": SEA[0] + 0.002 * math.sin(i), "heading": 90.0, "sog": 0.4} for i, row in enumerate(drifts(12.0))
    ]
    assert stretches(swing) == []


def test_class_b_sets_and_harbours_are_left_out():
    assert stretches(drifts(5.0), class_b=True) == stretches(drifts(5.0), harbour=True) == []
    assert stretches(drifts(5.0), shore=lambda lat, _: np.full(len(lat), 0.2)) == []


def test_an_attempt_to_steam_in_between_does_not_cut_it():
    (one,) = stretches(BROKEN)
    assert (one["end"] - one["start"]).total_seconds() > 2.5 * H
    assert one["off_course_deg"] == pytest.approx(90.0, abs=0.5)


BITES: dict[str, tuple[list[Row], Any]] = {
    "max_kn": (drifts(5.0, kn=3.0), 2.0),
    "min_kn": (drifts(5.0), 1.5),
    "min_off_deg": (drifts(5.0), 120.0),
    "max_turn_deg": (drifts(5.0, turn_deg=25.0), 10.0),
    "min_step_m": (drifts(5.0), 1000.0),
    "max_interval_h": (drifts(9.0, every_s=1.5 * H), 1.0),
    "max_break_h": (BROKEN, 0.2),
    "min_adrift_h": (drifts(5.0), 6.0),
    "min_share": (BROKEN, 0.95),
    "min_net_nmi": (drifts(5.0), 20.0),
    "min_shore_nmi": (drifts(5.0), 50.0 - 1e-9),
}


def test_every_parameter_is_tried():
    assert set(BITES) == set(AdriftParameters.model_fields)


@pytest.mark.parametrize("name", BITES)
def test_a_parameter_bites_has_bounds_and_names_its_source(name):
    rows, value = BITES[name]
    shore = (lambda lat, _: np.full(len(lat), 49.0)) if name == "min_shore_nmi" else far_off
    assert stretches(rows, AdriftParameters(**{name: value}), shore=shore) != stretches(rows, shore=shore)
    with pytest.raises(ValidationError):
        AdriftParameters(**{name: -1})
    assert "Source: " in (AdriftParameters.model_fields[name].description or "")


@pytest.mark.parametrize("degrees", [55.999, -151.3])
def test_turning_the_world_changes_nothing_else(degrees):
    rows = [{**row, "lon": row["lon"] + 0.0005 * i} for i, row in enumerate(drifts(5.0))]
    turned = [{**row, "lon": round(float(wrap_degrees(row["lon"] + degrees)), 7)} for row in rows]
    (here,), (there,) = stretches(rows), stretches(turned)
    assert (there["start"], there["end"], there["n_positions"]) == (here["start"], here["end"], here["n_positions"])
    assert there["off_course_deg"] == pytest.approx(here["off_course_deg"], abs=0.2)


def test_neither_the_order_of_rows_nor_midnight_matters():
    rows = drifts(6.0, 21.0 * H)
    shuffled = [rows[i] for i in np.random.default_rng(2).permutation(len(rows))]
    assert stretches(shuffled) == stretches(rows)
    assert len(stretches(rows)) == 1


def settled(fleet: Fleet, rows: list[Row]) -> list[dict[str, Any]]:
    segments = separate(block_of(rows))
    ids = segment_ids(segments)
    adrift = find_adrift(segments, ids, np.zeros(len(ids), bool), np.zeros(len(segments), bool), far_off)
    tables = fleet.stretches, fleet.draughts, fleet.segments, fleet.sketches, fleet.visits, fleet.as_of_us
    found = find_loitering(*tables, adrift=adrift)
    assert found.schema.equals(LOITERING.arrow)
    return found.to_pylist()


def test_it_is_a_row_of_loitering_of_its_own_kind_beside_those_of_stops():
    rows = [*drifts(6.0), *drifts(3.0, kn=3.0, mmsi=BRAVO)]
    found = settled(fleet_of(rows, as_of=40 * H), rows)
    assert [(row["mmsi"], row["kind"]) for row in found] == [
        (ALPHA, "adrift"),
        (ALPHA, "loitering"),
        (BRAVO, "adrift"),
    ]
    assert found[0]["event_id"] == make_id("adrift", ALPHA, int(found[0]["start"].timestamp() * 1e6))
    assert found[1]["off_course_deg"] is None
    assert found[2]["mean_speed_kn"] == pytest.approx(3.0, abs=0.05)
    assert found[2]["hull_id"] == f"hull of {found[2]['segment_id']}"
    stops = fleet_of(rows, as_of=40 * H).loitering()
    assert [row for row in found if row["kind"] == "loitering"] == stops


def test_two_tracks_of_one_number_slow_from_the_same_instant_have_two_ids():
    rows = [*drifts(6.0), *({**row, "lat": row["lat"] - 20.0} for row in drifts(6.0))]
    ids = [row["event_id"] for row in settled(fleet_of(rows), rows)]
    assert len(ids) == len(set(ids)) == 4


def test_it_goes_on_while_the_data_end_with_it():
    rows = drifts(3.0)
    later = [*rows, *({**row, "t": row["t"] + 20 * H, "sog": 12.0} for row in drifts(1.0, mmsi=BRAVO, kn=12.0))]
    (still,), (over,) = settled(fleet_of(rows, as_of=20 * H), rows), settled(fleet_of(later), rows)
    assert (still["end"], still["event_id"]) == (None, over["event_id"])
    assert over["end"] is not None
