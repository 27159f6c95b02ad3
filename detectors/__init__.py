"""What is odd about it: findings with evidence, scores and flagged voyages.

result = detectors.scan("tracks/")
result.flagged[["rank", "band", "score", "name", "mmsi", "headline"]]
result.plot(result.flagged.voyage_id[0]).save("case.png")
"""

from detectors.batch.result import Result, SavedRun, load_run
from detectors.batch.scan import scan
from detectors.batch.settings import Settings, load_settings
from detectors.contract import Detector, Scene
from detectors.finding import Evidence, Finding
from detectors.tracing import HullTrace, trace

__all__ = [
    "Detector",
    "Evidence",
    "Finding",
    "HullTrace",
    "Result",
    "SavedRun",
    "Scene",
    "Settings",
    "load_run",
    "load_settings",
    "scan",
    "trace",
]
