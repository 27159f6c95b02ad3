"""The command line: `wakewatch scan`, `nightly`, `status`, `verdict`, `fit`, `backtest`, `explain`, ..."""

from detectors.cli.entry import main

__all__ = ["main"]
