"""The command line: `wakewatch scan`, `fit`, `explain`, `convert`, `zones` and `detectors`."""

from detectors.cli.app import main

__all__ = ["main"]
