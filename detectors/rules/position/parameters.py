"""Every number the position rules go by, with its meaning, bounds and source; the rules take the record whole."""

from pydantic import Field

from vessels.parameters import Parameters


class PositionThresholds(Parameters):
    """Parameters of the `position` detector."""

    min_strength: float = Field(
        0.05, ge=0.0, le=1.0, description="Weaker findings are not made. Source: judgement; under a deciban each."
    )
    jump_from_nmi: float = Field(
        5.0,
        gt=0.0,
        le=100.0,
        description="A jump no farther than this weighs nothing. Source: GNSS interference throws positions by miles; "
        "the error of a bad fix is less.",
    )
    jump_full_nmi: float = Field(
        100.0,
        gt=0.0,
        le=5000.0,
        description="A jump as far as this weighs in full. Source: judgement; no receiver's drift leads so far, and a "
        "false place to hide a port call behind lies about as far away.",
    )
    glitch_reports: int = Field(
        3,
        ge=1,
        le=100,
        description="Away and back with fewer reports is a glitch. Source: measured, docs/positions.md: of 45 real "
        "ships that jumped in 25 minutes 40 sent one or two such reports.",
    )
    glitch_h: float = Field(
        1.0,
        ge=0.0,
        le=48.0,
        description="And so is one over in less time. Source: judgement; a set finds itself again in minutes.",
    )
    leap_full_h: float = Field(
        6.0,
        gt=0.0,
        le=48.0,
        description="A leap over a longer silence weighs half, because its speed is a mean of what nobody heard. "
        "Source: judgement; a quarter of a day.",
    )
    sustained_h: float = Field(
        24.0,
        gt=1.0,
        le=240.0,
        description="Away and back for this long, with a report in every four hours or so, weighs in full. Source: "
        "judgement; a faulty set is seen to within a watch or two, false tracks went on for days (Courageous, 2019).",
    )
    noisy_jumps: int = Field(
        4,
        ge=2,
        le=1000,
        description="A track with as many jumps has a faulty set. Source: measured, docs/positions.md: a fishing boat "
        "with a faulty set made 4 and 8 speeds that her positions belie; other real tracks made 1 or 2.",
    )
    straight_nmi: float = Field(
        15.0,
        gt=0.0,
        le=500.0,
        description="A way over land from sea to sea is looked at from this length. Source: judgement; longer than "
        "the necks of land that canals cut, but for a few.",
    )
    straight_share: float = Field(
        0.95,
        gt=0.0,
        le=1.0,
        description="And if it is as straight: great circle over way. Source: rivers bend; a channel with a sinuosity "
        "under 1.05 is called straight (Leopold and Wolman 1957), and few stay so for miles.",
    )
    land_others: int = Field(
        1,
        ge=0,
        le=1000,
        description="Where more other ships are heard at the same places, it is a waterway. Source: judgement; a "
        "second ship with a false track just there is rarer than a river that the land polygons lack.",
    )
    land_jump_h: float = Field(
        6.0,
        ge=0.0,
        le=240.0,
        description="A jump within this time before or after leads there, or away. Source: judgement; as merge_h of "
        "runs on land.",
    )
    laps_full_h: float = Field(
        120.0,
        gt=0.0,
        le=2400.0,
        description="Laps for this long weigh in full, for a day half. Source: documented drawn tracks went on for "
        "days to weeks (Courageous, 2019); ships that wait steam round for a day or two.",
    )
    constant_full_h: float = Field(
        48.0,
        gt=0.0,
        le=2400.0,
        description="Constant motion for this long weighs in full. Source: judgement; weather changes in less.",
    )
    even_ratio: float = Field(
        5.0,
        gt=1.0,
        le=1000.0,
        description="Departures from even motion usual for the ship, over those found, that weigh in full. Source: "
        "measured, docs/positions.md: tens of metres in real tracks, two in drawn ones.",
    )
    replay_full_h: float = Field(
        12.0, gt=0.0, le=2400.0, description="A replay of this length weighs in full. Source: judgement; half a day."
    )
    late_h: float = Field(
        24.0,
        ge=0.0,
        le=2400.0,
        description="A replay under the ship's own number within this time may be a feed delivered late. Source: "
        "judgement; providers complete a day on the next.",
    )
