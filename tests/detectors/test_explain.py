"""The case for one voyage: found by its id, complete, and in the order a reader asks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from detectors.batch.outputs import LoadedRun, load_run, write_result
from detectors.cli.case import case_lines
from detectors.explain import find_voyage, make_case, merge_claims
from vessels.errors import UsageError


@pytest.fixture
def loaded(finished: Any, tmp_path: Path) -> LoadedRun:
    write_result(finished, tmp_path / "out")
    return load_run(tmp_path / "out")


def text_of(loaded: LoadedRun, voyage_id: str, width: int = 110) -> str:
    return "\n".join(str(line) for line in case_lines(make_case(loaded, voyage_id), width))


def test_a_voyage_is_found_by_its_id_or_the_beginning_of_it(loaded: LoadedRun, relay_voyage_id: str) -> None:
    bare = relay_voyage_id.removeprefix("voyage-")
    for word in (relay_voyage_id, bare, bare[:8], f"voyage-{bare[:8]}", f" {bare[:8].upper()} "):
        assert find_voyage(loaded, word) == relay_voyage_id


def test_a_beginning_of_several_ids_names_them(loaded: LoadedRun) -> None:
    known = loaded.tables["voyages"]["voyage_id"].to_pylist()
    digit = next(d for d in "0123456789abcdef" if sum(k.startswith(f"voyage-{d}") for k in known) > 1)
    with pytest.raises(UsageError, match=r"begin so: voyage-.*give more"):
        find_voyage(loaded, digit)


def test_an_unknown_id_gets_the_nearest_or_the_flagged_ones(loaded: LoadedRun, relay_voyage_id: str) -> None:
    wrong = relay_voyage_id[:-1] + ("0" if relay_voyage_id[-1] != "0" else "1")
    with pytest.raises(UsageError, match=f"did you mean {relay_voyage_id}"):
        find_voyage(loaded, wrong)
    for word in ("", "voyage-", "zzzz"):
        with pytest.raises(UsageError, match="there is none"):
            find_voyage(loaded, word)


def test_the_case_holds_score_facts_calls_identities_findings_and_files(
    loaded: LoadedRun, relay_voyage_id: str
) -> None:
    text = text_of(loaded, relay_voyage_id)
    for part in (
        "critical, score 0.934, rank 1",
        "PAEKSONG 2 (445012340) called at Nampo, then Nakhodka, then Pohang",
        "RU_NAKHODKA -> KR_POHANG",
        "KP_NAMPO",
        "voyage begins",
        "voyage ends",
        "STAR LEAF",
        "457300610",
        "relay_voyage (geofence 1)",
        "strength 0.80 of 1, weight +21.5 dB",
        "days from Nampo to Nakhodka (d)  7.0       over 30",
        "caveat: two reports an hour",
        "from: ais-2024-04.csv",
        "It accuses nobody.",
    ):
        assert part in text, part


def test_a_voyage_without_findings_is_explained_too(loaded: LoadedRun) -> None:
    other = next(v["voyage_id"] for v in loaded.tables["voyages"].to_pylist() if v["mmsi"] == 352001870)
    text = text_of(loaded, other)
    assert "Not flagged: no detector found anything on it." in text
    assert "GOLDEN LILY" in text


@pytest.mark.parametrize("width", [60, 80, 110, 160])
def test_lines_keep_to_the_width_that_can_be_kept(width: int, loaded: LoadedRun, relay_voyage_id: str) -> None:
    lines = [str(line) for line in case_lines(make_case(loaded, relay_voyage_id), width)]
    evidence = [line for line in lines if "over 30" in line or "caveat" in line]
    assert evidence
    assert all(len(line) <= width for line in evidence)


def test_spells_that_differ_in_destination_only_are_one_claim() -> None:
    who = {"mmsi": 1, "imo": 2, "name": "A", "call_sign": "B", "ship_type": 70, "length_m": 1.0, "beam_m": 1.0}

    def spell(day: int, destination: str | None, **changes: Any) -> dict[str, Any]:
        seen = {"first_seen": datetime(2024, 1, day, tzinfo=UTC), "last_seen": datetime(2024, 1, day, 12, tzinfo=UTC)}
        return {**who, **seen, "segment_id": "s", "n_reports": 10, "destination": destination, **changes}

    first, changed, back = merge_claims(
        [spell(1, "X"), spell(2, "Y"), spell(3, None), spell(4, "X", imo=None), spell(5, "X"), spell(6, "X")]
    )
    assert (first.destinations, first.n_reports, first.last_seen.day) == (("X", "Y"), 30, 3)
    assert changed.imo is None
    assert (back.first_seen.day, back.n_reports) == (5, 20)
