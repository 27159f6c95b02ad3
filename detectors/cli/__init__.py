"""The command line: `wakewatch scan`, `fit`, `backtest`, `explain`, `convert`, `zones` and `detectors`."""

from detectors.cli.entry import main

__all__ = ["main"]
