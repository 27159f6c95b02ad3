"""The `position` detector: its card, and the order in which its rules look at a scene."""

from collections.abc import Sequence
from typing import ClassVar

from detectors.contract import Scene
from detectors.finding import Finding
from detectors.rules.geofence.ships import Ships
from detectors.rules.position.drawn import drawn_tracks
from detectors.rules.position.events import Teller, read_events
from detectors.rules.position.jumps import position_jumps
from detectors.rules.position.on_land import positions_on_land
from detectors.rules.position.parameters import PositionThresholds


class Position(PositionThresholds):
    """Positions that no ship can have had, or hardly.

    Claims
        position_jump: heard where she cannot have sailed to, away and back or for good; a position held for hours
        while she says she moves; a speed that her positions belie. At most 0.3, because sets fail; more where she
        sailed on off her way for a day and came back.
        position_on_land: a straight way over land from sea to sea, or a jump that leads inland, where next to nobody
        else is ever heard.
        drawn_track: the same way round and round for days within metres and at one speed; motion more even than engine,
        helm and sea allow; positions sent before, to the last digit, or her own earlier path within metres at one lag.

    Reads
        odd positions, identity spells.

    Misses
        Tracks drawn with a ship's own irregularity; a copy moved or turned, or of another ship's path at other
        instants; even motion heard less than once an hour; either, rounded to 1/10,000 degree; shifts of a few miles;
        jumps hidden in silences of two days.

    Known mistakes
        A receiver that fails looks like a simple falsification. Interference with satellite positioning moves many
        ships at once; where only one is heard there, it looks like hers. Patrols, trials and ships waiting under track
        control go round as drawn laps do. A lone ship on a straight canal that the land polygons lack crosses land.

    Strengths are graded in the rules, beside the reason: a painted track of days 1, a jump 0.3 at most, or 0.75 where
    she sailed on there for a day, a glitch of one or two reports none, what befell others nearby a quarter or less.
    """

    name: ClassVar[str] = "position"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = ("position_jump", "position_on_land", "drawn_track")

    def detect(self, scene: Scene) -> Sequence[Finding]:
        """The findings, rule by rule, each in order of ship and time."""
        history = scene.history
        events = read_events(history.position_events, self.land_others)
        teller = Teller(Ships(history.identities, [event.mmsi for event in events]), (self.name, self.version))
        return [
            *position_jumps(events, teller, self),
            *positions_on_land(events, teller, self),
            *drawn_tracks(events, teller, self),
        ]
