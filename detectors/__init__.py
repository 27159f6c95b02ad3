"""What is odd about it: findings with evidence, scores and flagged voyages.

result = detectors.scan("tracks/")
result.flagged[["rank", "band", "score", "name", "mmsi", "headline"]]
"""

from detectors.batch.scan import Result, scan
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
    "Scene",
    "Settings",
    "load_settings",
    "scan",
    "trace",
]
