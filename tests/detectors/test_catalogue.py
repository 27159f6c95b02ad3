"""The catalogue: built-in detectors in order, settings, other tools' entry points and what is wrong with them."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

import detectors.catalogue as catalogue
from detectors.batch.settings import Settings, load_settings
from detectors.catalogue import BUILTIN, ENTRY_POINTS, detector_classes, make_detectors
from detectors.contract import Detector, ScoringDetector
from vessels.errors import SettingsError

NAMES = [entry.name for entry in BUILTIN]


@dataclass(frozen=True)
class Quiet:
    """A detector of another tool."""

    name: ClassVar[str] = "quiet"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = ("silence",)

    def detect(self, scene):  # noqa: ARG002 - finds nothing anywhere
        return ()


def points(monkeypatch, **values):
    found = [EntryPoint(name, value, ENTRY_POINTS) for name, value in values.items()]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: found if group == ENTRY_POINTS else [])


def settings_of(tmp_path, text):
    file = tmp_path / "wakewatch.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_built_in_detectors_keep_the_contract():
    made = make_detectors(Settings())
    assert [detector.name for detector in made][: len(NAMES)] == NAMES
    for detector in made:
        assert isinstance(detector, Detector | ScoringDetector)
        assert detector.version
        assert detector.kinds
        card = type(detector).__doc__ or ""
        assert all(heading in card for heading in ("Claims", "Reads", "Misses", "Known mistakes")), detector.name


def test_no_kind_is_made_by_two_detectors():
    kinds = [kind for detector in make_detectors(Settings()) for kind in detector.kinds]
    assert len(set(kinds)) == len(kinds)


def test_a_detector_that_is_switched_off_is_not_made(tmp_path):
    made = make_detectors(settings_of(tmp_path, "[detect.identity]\nenabled = false\n"))
    assert "identity" not in [detector.name for detector in made]
    assert len(made) == len(make_detectors(Settings())) - 1


def test_an_unknown_detector_or_parameter_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(SettingsError, match=r"geofense.*geofence"):
        make_detectors(settings_of(tmp_path, "[detect.geofense]\nenabled = true\n"))
    with pytest.raises(SettingsError, match="relay_dayz"):
        make_detectors(settings_of(tmp_path, "[detect.geofence]\nrelay_dayz = 3\n"))


def test_another_tools_detector_comes_after_the_built_in_ones(monkeypatch):
    points(monkeypatch, quiet=f"{__name__}:Quiet")
    monkeypatch.setattr(EntryPoint, "load", lambda _: Quiet)
    assert list(detector_classes()) == [*NAMES, "quiet"]
    assert make_detectors(Settings())[-1] == Quiet()


def test_another_tools_detector_may_not_take_a_built_in_name(monkeypatch):
    points(monkeypatch, geofence="elsewhere:Fence")
    with pytest.raises(SettingsError, match=r"geofence.*elsewhere:Fence.*taken"):
        detector_classes()


def test_an_entry_point_that_cannot_be_imported_is_named(monkeypatch):
    points(monkeypatch, broken="no_such_module_here:Thing")
    with pytest.raises(SettingsError, match=r"broken.*no_such_module_here"):
        detector_classes()


def test_an_entry_point_that_is_no_class_is_named(monkeypatch):
    points(monkeypatch, seven="json:decoder")
    with pytest.raises(SettingsError, match=r"seven.*class"):
        detector_classes()
