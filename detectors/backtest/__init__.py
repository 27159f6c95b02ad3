"""Backtest: falsified identities planted into copies of the user's own tracks, and how many of them are found.

from detectors.backtest import backtest

result = backtest("tracks/", inject={"hull_handover": 50, "imo_twin": 20}, seed=1)
result.tables["backtest"]  # one row a kind: recall with its interval, precision, false findings, ranks
"""

from detectors.backtest.run import BacktestResult, backtest

__all__ = ["BacktestResult", "backtest"]
