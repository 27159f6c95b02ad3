"""Changes: what counts as one, and what adds to a case."""

from detectors.batch.changes import State, changes_between
from tests.detectors.histories import at
from tests.detectors.nightlog import Finds, sailing

PLAIN = {
    "band": "medium",
    "score": 0.4,
    "n_findings": 1,
    "headline": "seen",
    "mmsi": 273_412_340,
    "imo": 2318669,
    "name": "PALE HERON",
    "flag_state": "RU",
    "hull_id": "hull-a",
    "earlier_identities": [],
    "origin": "RU_NAKHODKA",
    "destination": "KR_BUSAN",
    "is_open": False,
    "end": at(3),
}

KINDS = (("loitering", 2.9), ("name_change", 3.0))


def between(told, now, db=(20.0, 20.0), *, all_in_sight=True):
    return changes_between(State(PLAIN | told, db[0], ()), State(PLAIN | now, db[1], ()), all_in_sight=all_in_sight)


def words(*found):
    return [change.words for change in found]


def test_what_is_the_same_is_no_change():
    assert between({}, {}) == ()


def test_a_higher_band_adds_to_the_case_and_a_lower_one_does_not():
    (up,), (down,) = between({}, {"band": "high"}), between({}, {"band": "low"})
    assert (up.adds, down.adds) == (True, False)
    assert up.is_material
    assert down.is_material


def test_evidence_is_material_from_a_doubling_of_the_odds():
    assert between({}, {}, (20.0, 22.9)) == ()
    (more,), (less,) = between({}, {}, (20.0, 23.0)), between({}, {}, (20.0, 17.0))
    assert (more.adds, less.adds) == (True, False)


def test_what_is_out_of_sight_is_not_taken_back():
    unknown = {"name": None, "imo": None, "origin": None}
    assert words(*between({}, unknown)) == [
        "IMO number none, was 2318669",
        "name none, was PALE HERON",
        "origin unknown, was RU_NAKHODKA",
    ]
    assert between({}, unknown, all_in_sight=False) == ()
    assert words(*between({"name": None}, {}, all_in_sight=False)) == ["name PALE HERON, was none"]


def test_an_identity_that_proves_wrong_is_told_while_it_could_be_seen():
    sure = {"is_strong": True, "link_probability": 1.0, "same": "MMSI"}
    before = {"earlier_identities": [{"mmsi": 273_412_340, "imo": None, "name": "SU RI 7", **sure}]}
    assert words(*between(before, {})) == ["no longer known as SU RI 7 (MMSI 273412340)"]
    assert between(before, {}, all_in_sight=False) == ()
    (found,) = between({}, before)
    assert (found.words, found.adds) == ("also known as SU RI 7 (MMSI 273412340)", True)


def test_material_changes_come_first_and_a_kind_of_little_weight_is_none():
    little, much = (Finds(((sailing(1), kind, 0.2),)).detect(None)[0].with_(weight_db=db) for kind, db in KINDS)
    now = State(PLAIN | {"destination": "CN_DALIAN"}, 20.0, (little, much))
    found = changes_between(State(PLAIN, 20.0, ()), now)
    assert [(change.words, change.is_material) for change in found] == [
        ("also found: name change", True),
        ("destination CN_DALIAN, was KR_BUSAN", True),
        ("also found: loitering", False),
    ]


def test_an_arrival_elsewhere_is_told():
    assert words(*between({}, {"destination": "CN_DALIAN"})) == ["destination CN_DALIAN, was KR_BUSAN"]
