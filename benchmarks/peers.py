"""MovingPandas and neptune-ais on the same traffic: each in an environment of its own, on as many rows as it manages.

``python benchmarks/peers.py --data DIR`` makes the environments (by `pip install` of the packages' names) and the
traffic below DIR, runs each peer as its own process and prints a line of JSON a peer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import run_measured
from port_table import HERE, PORTS
from traffic import generate


@dataclass(frozen=True)
class Peer:
    """Another library: what to install, what to run, and how many rows it manages in a few minutes."""

    name: str
    packages: tuple[str, ...]
    script: str
    job: str
    rows: int


PEERS = (
    Peer(
        "MovingPandas",
        ("movingpandas==0.23.0", "pyarrow"),
        "peer_movingpandas.py",
        "gap split, stops, clip to fences",
        200_000,
    ),
    Peer("neptune-ais", ("neptune-ais==0.1.0", "shapely"), "peer_neptune.py", "port calls", 2_000_000),
)


def folder_name(rows: int) -> str:
    """How a data set's folder is called: 200k, 2m, 20m."""
    return f"{rows // 1_000_000}m" if rows % 1_000_000 == 0 else f"{rows // 1000}k"


def environment(peer: Peer, data: Path) -> Path:
    """The Python of the peer's own environment, made when it is not there yet."""
    home = data / "environments" / peer.name
    python = home / "bin" / "python"
    ready = home / "ready"  # written last: an environment half made is made again
    wanted = " ".join(peer.packages)
    if not ready.is_file() or ready.read_text(encoding="utf-8") != wanted:
        venv.create(home, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages]
        subprocess.run(command, check=True)
        ready.write_text(wanted, encoding="utf-8")
    return python


def run_peer(peer: Peer, data: Path, repeats: int, seed: int = 1) -> list[dict[str, Any]]:
    """The peer's runs: its own account of steps and finds, with whole-process seconds and peak memory."""
    python = environment(peer, data)
    folder = data / folder_name(peer.rows)
    generate(peer.rows, folder, seed)
    runs = []
    for _ in range(repeats):
        ran = run_measured([str(python), str(HERE / peer.script), str(folder), str(PORTS)])
        if ran.status:
            raise RuntimeError(f"{peer.name} ended with {ran.status}:\n{ran.stderr[-2000:]}")
        about = json.loads(ran.stdout.strip().splitlines()[-1])
        runs.append({**about, **ran.figures()})
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder for traffic and environments")
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    for peer in PEERS:
        for ran in run_peer(peer, options.data, options.repeats):
            print(json.dumps({"peer": peer.name, **ran}), flush=True)


if __name__ == "__main__":
    main()
