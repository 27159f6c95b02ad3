"""What findings mean: every kind has its words, they are plain, and they accuse nobody."""

import re
from dataclasses import fields

import pytest

from detectors.catalogue import detector_classes
from detectors.report.meaning import Meaning
from detectors.report.meanings import BANDS, CANNOT_SEE, MEANINGS, SCORE, meaning_of
from detectors.rules.identity.verdicts import VICTIM_SHARE
from detectors.triage import BANDS as LOWEST
from detectors.triage import WEIGHTS

KINDS = tuple(kind for detector in detector_classes().values() for kind in detector.kinds)
WORDS = tuple(field.name for field in fields(Meaning) if field.name not in ("kind", "title"))
VERDICTS = re.compile(
    r"\b(?:guilt|culpab|smuggl|crimin|crook|cheat|fraud|evad|evasi|illegal|illicit|unlawful|traffick|perpetrat|offend"
    r"|villain|suspici|suspect|conceal|disguis|decei|decept|launder|sanction|violat|breach|liar|lied\b)",
    re.IGNORECASE,
)
"""Stems of words that judge people."""


def sentences() -> list[str]:
    own = [getattr(meaning, name) for meaning in MEANINGS.values() for name in ("title", *WORDS)]
    return [*own, *(band.says for band in BANDS), *SCORE, *CANNOT_SEE]


def test_every_kind_has_its_meaning_and_nothing_else_has() -> None:
    assert set(MEANINGS) == set(KINDS)
    assert list(MEANINGS) != []
    assert set(MEANINGS) == {weight.kind for weight in WEIGHTS}


def test_a_kind_is_told_once() -> None:
    titles = [meaning.title for meaning in MEANINGS.values()]
    assert len(set(titles)) == len(titles) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", WORDS)
def test_a_meaning_is_one_to_four_plain_sentences(kind: str, name: str) -> None:
    text = getattr(MEANINGS[kind], name)
    assert text == " ".join(text.split())
    assert text[0].isupper()
    assert text.endswith(".")
    assert 1 <= len(re.findall(r"[.!?](?:\s|$)", text)) <= 4
    assert len(text) <= 320
    assert not set(text) & set("<>&|_`*[]"), "a text for every format needs no mark-up"


def test_titles_are_short_and_no_sentences() -> None:
    for meaning in MEANINGS.values():
        assert len(meaning.title) <= 50
        assert not meaning.title.endswith(".")
        assert "_" not in meaning.title


@pytest.mark.parametrize("text", sentences())
def test_no_word_accuses(text: str) -> None:
    assert VERDICTS.search(text) is None


def test_the_words_that_accuse_would_be_found() -> None:
    for text in ("The master is guilty.", "a smuggler", "She evaded the embargo", "an illicit cargo", "The crew lied."):
        assert VERDICTS.search(text), text


def test_no_headline_of_the_rules_has_a_word_that_accuses(finished) -> None:
    headlines = finished.findings["headline"].tolist()
    assert headlines
    assert not [headline for headline in headlines if VERDICTS.search(headline)]


def test_the_bands_are_those_of_triage() -> None:
    assert [(band.band, band.lowest_score) for band in BANDS] == list(LOWEST)


def test_a_kind_of_another_tool_has_a_neutral_meaning() -> None:
    meaning = meaning_of("ghost_buoy")
    assert (meaning.kind, meaning.title) == ("ghost_buoy", "Ghost buoy")
    assert meaning_of("").title == "Finding"
    assert meaning_of("relay_voyage") is MEANINGS["relay_voyage"]


def test_the_first_thing_it_cannot_see_is_ships_that_send_nothing() -> None:
    assert CANNOT_SEE[0].startswith("Ships that send nothing")
    told = " ".join(CANNOT_SEE).lower()
    for subject in ("satellites", "class b", "cargo", "owners", "position", "permits", "before the data begin"):
        assert subject in told


def _default(detector: str, name: str) -> object:
    return detector_classes()[detector].model_fields[name].default


@pytest.mark.parametrize(
    ("kind", "words", "detector", "name", "value"),
    [
        ("relay_voyage", "within three weeks", "geofence", "max_relay_leg_days", 21.0),
        ("relay_voyage", "within six more", "geofence", "max_market_leg_days", 42.0),
        ("reexport_pairing", "within six weeks", "geofence", "max_reload_days", 42.0),
        ("hidden_call_feasible", "stay six hours", "geofence", "hidden_stay_h", 6.0),
        ("dark_gap", "six hours or more", "dark", "min_silence_h", 6.0),
        ("rendezvous", "two hours or more", "rendezvous", "min_meeting_h", 2.0),
        ("dark_rendezvous", "four hours or more", "rendezvous", "min_loitering_h", 4.0),
        ("dark_rendezvous", "stay two hours", "rendezvous", "min_stay_h", 2.0),
        ("loitering", "eight hours or more", "loitering", "min_loitering_h", 8.0),
        ("unusual_voyage", "at most 3 in 1,000", "isolation_forest", "false_alarms_per_1000", 3.0),
        ("imo_dropped", "three hours or more", "identity", "min_dropped_h", 3.0),
        ("imo_dropped", "a day or longer", "identity", "min_imo_claim_h", 24.0),
        ("imo_change", "an hour or longer", "identity", "min_settled_h", 1.0),
        ("invalid_imo", "an hour or more", "identity", "min_settled_h", 1.0),
        ("dimension_change", "a tenth of the length", "identity", "length_tolerance_share", 0.10),
        ("dimension_change", "ten metres", "identity", "length_tolerance_m", 10.0),
        ("dimension_change", "a quarter of the breadth", "identity", "beam_tolerance_share", 0.25),
        ("dimension_change", "four metres", "identity", "beam_tolerance_m", 4.0),
        ("shared_mmsi", "ten nautical miles", "identity", "min_separation_nmi", 10.0),
        ("identity_exchange", "within a week", "identity", "exchange_days", 7.0),
        ("revived_identity", "a week or longer", "identity", "revival_silence_days", 7.0),
    ],
)
def test_a_number_in_words_is_the_parameter_s_default(
    kind: str, words: str, detector: str, name: str, value: float
) -> None:
    assert words in " ".join(MEANINGS[kind].says.split())
    assert _default(detector, name) == value


def test_the_likely_true_bearer_weighs_as_little_as_is_said() -> None:
    for kind in ("shared_mmsi", "imo_twin"):
        assert "weighs a tenth" in MEANINGS[kind].says
    assert VICTIM_SHARE == 0.1
