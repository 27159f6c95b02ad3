"""The case for one voyage: found by its id, complete, and in the order a reader asks."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from detectors.batch.outputs import write_result
from detectors.cli.case import case_lines
from detectors.explain import Cases, merge_claims
from detectors.rules.identity.detector import Identity
from detectors.run_folder import LoadedRun, load_run
from tests.detectors.histories import at, spell, stay, voyage
from tests.detectors.hulls import MIRAE, MIRAE_MMSI, SURI, SURI_MMSI, handover, link, run_of, story
from vessels.errors import UsageError


@pytest.fixture
def loaded(finished: Any, tmp_path: Path) -> LoadedRun:
    write_result(finished, tmp_path / "out")
    return load_run(tmp_path / "out")


def text_of(loaded: LoadedRun, voyage_id: str, width: int = 110) -> str:
    return "\n".join(str(line) for line in case_lines(Cases(loaded).case(voyage_id), width))


def test_a_voyage_is_found_by_its_id_or_the_beginning_of_it(loaded: LoadedRun, relay_voyage_id: str) -> None:
    bare = relay_voyage_id.removeprefix("voyage-")
    for word in (relay_voyage_id, bare, bare[:8], f"voyage-{bare[:8]}", f" {bare[:8].upper()} "):
        assert Cases(loaded).find(word) == relay_voyage_id


def test_a_beginning_of_several_ids_names_them(loaded: LoadedRun) -> None:
    known = loaded.tables["voyages"]["voyage_id"].to_pylist()
    digit = next(d for d in "0123456789abcdef" if sum(k.startswith(f"voyage-{d}") for k in known) > 1)
    with pytest.raises(UsageError, match=r"begin so: voyage-.*give more"):
        Cases(loaded).find(digit)


def test_an_unknown_id_gets_the_nearest_or_the_flagged_ones(loaded: LoadedRun, relay_voyage_id: str) -> None:
    wrong = relay_voyage_id[:-1] + ("0" if relay_voyage_id[-1] != "0" else "1")
    with pytest.raises(UsageError, match=f"did you mean {relay_voyage_id}"):
        Cases(loaded).find(wrong)
    for word in ("", "voyage-", "zzzz"):
        with pytest.raises(UsageError, match="there is none"):
            Cases(loaded).find(word)


def test_a_voyage_that_a_night_lists_as_told_before_has_its_case_in_another_folder(
    loaded: LoadedRun, relay_voyage_id: str
) -> None:
    flagged = loaded.tables["flagged_voyages"]
    told = flagged.slice(0, 1).to_pylist()[0] | {
        "voyage_id": "voyage-00ff00ff00ff00ff",
        "changes": ["told last in May"],
    }
    tables = {
        **loaded.tables,
        "flagged_voyages": pa.concat_tables([flagged, pa.Table.from_pylist([told], flagged.schema)]),
    }
    night = replace(loaded, tables=tables)
    for word in ("voyage-00ff00ff00ff00ff", "00ff00"):
        with pytest.raises(UsageError, match=r"as it was told before \(told last in May\)"):
            Cases(night).find(word)
    assert Cases(night).find(relay_voyage_id) == relay_voyage_id


def test_the_case_says_what_a_night_said_of_the_voyage(loaded: LoadedRun, relay_voyage_id: str) -> None:
    rows = loaded.tables["flagged_voyages"].to_pylist()
    said = {"status": "revised", "verdict": "watch", "changes": ["band critical, was high", "also found: dark gap"]}
    rows = [row | said if row["voyage_id"] == relay_voyage_id else row for row in rows]
    flagged = pa.Table.from_pylist(rows, loaded.tables["flagged_voyages"].schema)
    text = text_of(replace(loaded, tables={**loaded.tables, "flagged_voyages": flagged}), relay_voyage_id)
    assert "rank 1, revised, watch\n" in text
    assert "Since it was told: band critical, was high; also found: dark gap." in text
    assert "Since it was told" not in text_of(loaded, relay_voyage_id)


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
    lines = [str(line) for line in case_lines(Cases(loaded).case(relay_voyage_id), width)]
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


LATER = "voyage-273000222-041200"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_chain_shows_who_the_hull_was_and_where_it_called_as_that(width: int) -> None:
    lines = [str(line) for line in case_lines(Cases(run_of(handover(), Identity())).case(LATER), width)]
    text = " ".join(" ".join(lines).split())
    for part in (
        "2024-03-01 to 2024-04-06 SU RI 7 (MMSI 445000123",
        "link 0.86, two rivals",
        "called at Nampo (KP_NAMPO, watch high)",
        "MIRAE 3 (MMSI 273000222",
        "claimed on this voyage",
    ):
        assert part in text or width < 80, part
    chain = lines[lines.index("Who this hull was, or may have been") : lines.index("Port calls")]
    assert all(len(line) <= width for line in chain)


def test_each_link_has_a_table_of_reasons_for_and_against_and_rivals() -> None:
    lines = [str(line) for line in case_lines(Cases(run_of(handover(), Identity())).case(LATER), 110)]
    begin = lines.index("Link 0.86: SU RI 7 (MMSI 445000123), then MIRAE 3 (MMSI 273000222)")
    words = [line.split(None, 3) for line in lines[begin + 2 : begin + 8]]
    assert [line[:3] for line in words] == [
        ["+24.1", "dB", "for"],
        ["+13.2", "dB", "for"],
        ["-6.0", "dB", "against"],
        ["+31.3", "dB", "together"],
        ["0.08", "rival", "MMSI"],
        ["0.04", "rival", "MMSI"],
    ]
    reasons = "for one hull: dimensions"
    assert not any(reasons in line for line in lines), "the finding does not repeat them"
    assert "SU RI 7" in lines[lines.index("Port calls") + 2]


def at_nampo_twice() -> LoadedRun:
    """SU RI 7 became MIRAE 3 on a voyage, which called at Nampo again and was last heard there."""
    suri, mirae = spell(SURI_MMSI, at(0), at(12), **SURI), spell(MIRAE_MMSI, at(13), at(30), **MIRAE)
    hulls = dict.fromkeys((SURI_MMSI, MIRAE_MMSI), "hull-joined")
    calls = [
        stay(SURI_MMSI, "KP_NAMPO", at(1), at(4), zone_name="Nampo"),
        stay(MIRAE_MMSI, "KP_NAMPO", at(28), None, zone_name="Nampo", last_seen=at(30)),
    ]
    first = voyage(MIRAE_MMSI, at(9), at(20), voyage_id="voyage-aa", span_start=at(9), span_end=at(22))
    after = voyage(MIRAE_MMSI, at(22), at(28), voyage_id="voyage-bb", span_start=at(22), span_end=at(30))
    before = voyage(SURI_MMSI, at(4), at(9), voyage_id="voyage-cc", span_start=at(1), span_end=at(9))
    voyages = [before, first, after]
    return run_of(story([suri, mirae], [link(suri, mirae)], hulls, voyages=voyages, port_visits=calls))


def test_every_identity_borne_on_the_voyage_is_marked_so() -> None:
    text = " ".join(text_of(at_nampo_twice(), "voyage-aa", 200).split())
    assert "call sign HMZQ) claimed on this voyage, until 2024-03-13; link 0.86, no rivals" in text
    assert "call sign UBAB7) claimed on this voyage, from 2024-03-14 called" in text
    text = " ".join(text_of(at_nampo_twice(), "voyage-bb", 200).split())
    assert "call sign HMZQ) link 0.86, no rivals" in text
    assert "call sign UBAB7) claimed on this voyage called" in text
    text = " ".join(text_of(at_nampo_twice(), "voyage-cc", 200).split())
    assert "call sign HMZQ) claimed on this voyage called" in text
    assert "call sign UBAB7) link 0.86, no rivals" in text


def test_an_identity_taken_up_after_arrival_is_not_called_claimed_on_the_voyage() -> None:
    run = at_nampo_twice()
    voyages = run.tables["voyages"].to_pylist()
    voyages[1] |= {"end": at(12), "last_seen": at(12)}
    tables = {**run.tables, "voyages": pa.Table.from_pylist(voyages, run.tables["voyages"].schema)}
    text = " ".join(text_of(LoadedRun(run.folder, tables, run.run), "voyage-aa", 200).split())
    assert "call sign HMZQ) claimed on this voyage; link 0.86, no rivals" in text
    assert "call sign UBAB7) claimed from 2024-03-14, after the voyage called" in text


def test_a_call_that_was_not_seen_to_end_says_when_the_ship_was_last_heard_there() -> None:
    text = text_of(at_nampo_twice(), "voyage-aa", 200)
    assert "(KP_NAMPO, watch high), 2024-03-29 and still there when last heard 2024-03-31" in text
    assert "still there 2024-03-31 00:00Z  KP_NAMPO" in text
    assert "(KP_NAMPO, watch high), 2024-03-02 to 2024-03-05, 5 days before the voyage" in text


def test_a_possible_link_is_called_so() -> None:
    lines = [str(line) for line in case_lines(Cases(run_of(handover(0.4))).case(LATER), 110)]
    assert "Possible link 0.40: SU RI 7 (MMSI 445000123), then MIRAE 3 (MMSI 273000222)" in lines


def test_a_run_without_links_and_watch_levels_is_explained_without_a_chain(
    loaded: LoadedRun, relay_voyage_id: str
) -> None:
    old = LoadedRun(loaded.folder, loaded.tables, {k: v for k, v in loaded.run.items() if k != "watch"})
    assert "relay_voyage (geofence 1)" in text_of(old, relay_voyage_id)
    assert "Link" not in text_of(old, relay_voyage_id)
