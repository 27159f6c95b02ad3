"""The job in a process of its own that SIGKILLs itself at an exact step; for tests that kill it at every boundary."""

import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from detectors.batch import night, nightly
from tests.detectors.nights import World
from vessels.store import tables
from vessels.store.ledger import Ledger

FUNCTIONS: tuple[tuple[Any, str], ...] = (
    (nightly, "discover"),
    (nightly, "take_in"),
    (Ledger, "record"),
    (night, "night_facts"),
    (night, "staging_folder"),
    (night, "write_result"),
    (night, "seal"),
    (night, "swap_in"),
    (night, "point_or_say"),
    (nightly, "keep_up"),
)
"""Where each is looked up, and its name: the boundaries between the steps of a night."""


def run_until(world: World, step: str | None, said: Connection) -> None:
    """Run the job; say each step that is reached, and die at `step` without a further word.

    Steps are "before commit to T" (its files are written, no log names them), "after commit to T", "after F".
    """

    def reach(name: str) -> None:
        said.send(name)
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def marked(work: Callable[..., Any], before: Callable[..., str] | None, after: Callable[..., str]) -> Any:
        def run(*arguments: Any, **options: Any) -> Any:
            if before is not None:
                reach(before(*arguments))
            result = work(*arguments, **options)
            reach(after(*arguments))
            return result

        return run

    for home, name in FUNCTIONS:
        setattr(home, name, marked(getattr(home, name), None, lambda *_, name=name: f"after {name}"))
    tables.commit = marked(  # type: ignore[assignment]
        tables.commit, lambda *a: f"before commit to {a[2]}", lambda *a: f"after commit to {a[2]}"
    )
    status = world.job()
    said.close()
    os._exit(status)
