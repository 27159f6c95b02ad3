"""The ports that benchmark traffic sails between: read from the project's port table, East Asia only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely.geometry import shape

HERE = Path(__file__).resolve().parent
PORTS = HERE.parent / "vessels" / "data" / "ports.geojson"

# Taiwan to Sakhalin: a port table entry outside this box gets no traffic.
WEST, SOUTH, EAST, NORTH = 117.0, 21.0, 145.5, 51.0


@dataclass(frozen=True)
class Port:
    """One port of the table: what masters type as destination, and the fence they lie inside."""

    zone_id: str
    country: str
    destination: str
    fence: shapely.Polygon


def read_ports(path: Path = PORTS) -> list[Port]:
    """The ports inside the box, in the order of their ids."""
    ports = []
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        about = feature["properties"]
        fence = shape(feature["geometry"])
        x, y = fence.centroid.x, fence.centroid.y
        if about["kind"] == "port" and WEST < x < EAST and SOUTH < y < NORTH:
            codes = about.get("unlocode") or [about["name"].upper()]
            ports.append(Port(about["zone_id"], about["country"], str(codes[0])[:20], fence))
    return sorted(ports, key=lambda port: port.zone_id)
