"""Every number the rule on silences goes by, with its meaning, bounds and source."""

from pydantic import Field

from vessels.parameters import Parameters


class DarkParameters(Parameters):
    """Parameters of the `dark` detector."""

    min_silence_h: float = Field(
        6.0,
        ge=1.0,
        le=240.0,
        description="Shorter silences are not told. Source: judgement: half of the 12 h of Global Fishing Watch (Welch "
        "et al. 2022, Science Advances 8: eabq2109), for reception is weighed besides and short silences count little.",
    )
    min_heard_h: float = Field(
        3.0,
        ge=0.0,
        le=240.0,
        description="A ship there would have been heard in at least so many of the hours, as expected. Source: "
        "judgement; half of the shortest silence told, and as many hours as tell what one alone would.",
    )
    max_chance_unheard: float = Field(
        0.03,
        ge=0.0,
        le=1.0,
        description="A silence that a ship on the air leaves more often than this is not told. Source: measured (two "
        "made-up fleets): above it lie 3 of 53 silences planted and found, and most of the false ones, for a ship more "
        "or less about brings silences over any line near which many lie.",
    )
    full_heard_h: float = Field(
        24.0,
        ge=1.0,
        le=1000.0,
        description="Expected hours heard from which a silence counts in full; fewer count by their square root. "
        "Source: measured: only hours within a day or so of either end tell where she was, so that silences of days "
        "have 15 to 45 (made-up fleet, other seed).",
    )
    habit_factor: float = Field(
        2.0,
        ge=1.0,
        le=20.0,
        description="A silence counts in full if it lasts so many times the ship's longest other silence. Source: "
        "judgement.",
    )
    habit_cap_h: float = Field(
        36.0,
        ge=1.0,
        le=1000.0,
        description="No other silence longer than this is a habit of reporting: it is one more to explain. Source: "
        "judgement; ships that only satellites hear are heard several times a day (fixtures, exactEarth 2021).",
    )
    put_nmi: float = Field(
        1.0,
        ge=0.0,
        le=20.0,
        description="A ship that lay still before and after, no further apart than this, is taken to have stayed. "
        "Source: judgement; the swing of an anchored ship and a shift of berth are less.",
    )
    still_kn: float = Field(
        1.0,
        ge=0.0,
        le=5.0,
        description="Slower ships lie still. Source: as the reception's: above the swing at anchor.",
    )
    sailed_on_share: float = Field(
        0.5,
        ge=0.0,
        le=2.0,
        description="A ship that made good this part of her usual speed over the silence is taken to have sailed on. "
        "Source: judgement; ships whose sets failed on passage made 0.6 to 1.0 (made-up fleet, other seed).",
    )
    near_watched_nmi: float = Field(
        150.0,
        ge=0.0,
        le=1000.0,
        description="A silence that begins or ends this near to a port under high watch counts more. Source: "
        "judgement; half a day's sail at 12 kn.",
    )
    near_belt_nmi: float = Field(
        30.0,
        ge=0.0,
        le=500.0,
        description="The same for a ship-to-ship belt under watch. Source: judgement; the belts' edges are known no "
        "better than this.",
    )
    draught_change_m: float = Field(
        0.5,
        ge=0.1,
        le=10.0,
        description="Change of the draught claimed that counts as loading or discharging. Source: judgement, as the "
        "geofence's: ballast and trim alter it by a few tenths.",
    )
