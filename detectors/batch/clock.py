"""Seconds spent by stage, for run.json: the only thing a run measures of itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds spent by stage, in order of first use."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time spent inside to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def rounded(self) -> dict[str, float]:
        """The seconds as run.json has them."""
        return {name: round(seconds, 3) for name, seconds in self.seconds.items()}
