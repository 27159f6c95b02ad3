"""The weights that people read are the weights that count."""

from pathlib import Path

from detectors.triage import BANDS, CAPS_DB, WEIGHTS

DOC = (Path(__file__).parents[2] / "docs" / "triage.md").read_text(encoding="utf-8")


def test_the_page_on_triage_has_every_weight_cap_and_band() -> None:
    for weight in WEIGHTS:
        assert f"| `{weight.kind}` | {weight.full_db:g} | {weight.group} |" in DOC
    for group, cap in CAPS_DB.items():
        assert f"| {group} | {cap:g} |" in DOC
    for band, score in BANDS:
        assert f"| {band} | {score:g} |" in DOC
    assert DOC.count("| `") == len(WEIGHTS)
