"""Every number the geofence rules go by, with its meaning, bounds and source; the rules take the record whole."""

from typing import Literal

from pydantic import Field

from vessels.parameters import Parameters


class GeofenceParameters(Parameters):
    """Parameters of the `geofence` detector."""

    merge_gap_h: float = Field(
        12.0,
        ge=0.0,
        le=168.0,
        description="Stays in neighbouring fences that follow each other within this time are one call. Source: "
        "judgement; a ship waits for a berth, a tide or a pilot about half a day between roads and quay.",
    )
    neighbour_nmi: float = Field(
        3.0,
        ge=0.0,
        le=20.0,
        description="Fences of one state this near to each other are one place. Source: ports table: Nakhodka, Vostok "
        "Bay and Vostochny lie 0.1 to 0.2 nmi apart; the next fences of different ports lie over 5 nmi apart.",
    )
    min_presence_h: float = Field(
        0.5,
        ge=0.0,
        le=48.0,
        description="A presence in high-watch waters shorter than this, and no deeper than min_presence_depth_nmi, is "
        "a clip of the fence's edge. Source: judgement; at 12 kn it is a chord of 6 nmi.",
    )
    min_presence_depth_nmi: float = Field(
        2.0,
        ge=0.0,
        le=50.0,
        description="A shorter presence counts if its mean position lies this deep within the fence. Source: "
        "judgement; twice the 1 km to which half of the fences are known, and far over the error of a GNSS fix.",
    )
    belt_slow_h: float = Field(
        8.0,
        ge=1.0,
        le=240.0,
        description="Slow hours that make a stay in an elevated ship-to-ship belt worth a line. Source: Miller et al. "
        "2018, Identifying Global Patterns of Transshipment Behavior (Front. Mar. Sci.): under 2 kn for 8 h.",
    )
    belt_slow_tied_h: float = Field(
        2.0,
        ge=0.5,
        le=240.0,
        description="The same for a ship with the high-watch state's flag or a stay in its waters in the same history. "
        "Source: Global Fishing Watch's encounter: 2 h under 2 kn.",
    )
    relay_zones: tuple[str, ...] = Field(
        ("RU_NAKHODKA", "RU_NAKHODKA_VOSTOK_BAY", "RU_VOSTOCHNY", "RU_KHOLMSK"),
        description="Zone ids where a cargo may be given a new origin. Source: UN Panel of Experts 2018 (Kholmsk) and "
        "press of January 2018 (Nakhodka; its Livadiya quay lies in Vostok Bay); Vostochny shares the bay. Vladivostok "
        "and Nevelsk are left out: no discharge and reload is documented there.",
    )
    relay_origins: tuple[str, ...] = Field(
        ("KP",),
        description="States whose high-watch ports a relay begins at, ISO 3166. Source: UNSCR 2371 (2017).",
    )
    market_countries: tuple[str, ...] = Field(
        ("KR", "JP", "CN", "TW", "VN"),
        description="States where the relayed cargo is sold, ISO 3166. Source: documented cases: Incheon and Pohang "
        "(2017-10), Japan (press of 2018-01); China and Viet Nam as buyers of DPRK coal; Taiwan as its shippers' base.",
    )
    max_relay_leg_days: float = Field(
        21.0,
        ge=1.0,
        le=120.0,
        description="Longest time from the DPRK port to the relay port. Source: geography: Nampo to Kholmsk round "
        "Korea is about 1,500 nmi, 8 days at 8 kn; two weeks for waiting.",
    )
    max_market_leg_days: float = Field(
        42.0,
        ge=1.0,
        le=180.0,
        description="Longest time from the relay port to the market. Source: Kholmsk cases of 2017: 2 to 6 weeks.",
    )
    berth_nmi: float = Field(
        0.25,
        ge=0.05,
        le=5.0,
        description="Two ships lay at one berth if the places where they lay longest are this near. Source: judgement; "
        "two lengths of the bulk carriers that use such quays.",
    )
    max_reload_days: float = Field(
        42.0,
        ge=1.0,
        le=180.0,
        description="Longest time from one ship's landing a cargo at a berth to another's loading it there. Source: "
        "Kholmsk cases of 2017: 2 to 6 weeks.",
    )
    draught_change_m: float = Field(
        0.5,
        ge=0.1,
        le=10.0,
        description="Change of the draught claimed that counts as loading or discharging. Source: judgement; the AIS "
        "field has steps of 0.1 m, and ballast and trim alter it by a few of them.",
    )
    fresh_lead_h: float = Field(
        48.0,
        ge=0.0,
        le=240.0,
        description="A destination set up to this long before departure is meant for the coming leg. Source: IMO "
        "A.1106(29): voyage data are entered before the voyage; the length is a judgement.",
    )
    min_declared_h: float = Field(
        6.0,
        ge=0.0,
        le=72.0,
        description="A destination must have stood this long under way (or half of a shorter leg) before arrival: a "
        "later one may be the next leg's. Source: A.1106(29): changes are entered when they occur; judgement.",
    )
    near_nmi: float = Field(
        30.0,
        ge=0.0,
        le=200.0,
        description="A port declared this near to the one called at is half a contradiction. Source: geography: "
        "Dandong's roads and the Yalu's DPRK bank are neighbours.",
    )
    onward_days: float = Field(
        10.0,
        ge=0.0,
        le=60.0,
        description="If the declared port is reached within this time after, the call was one on the way. Source: "
        "judgement; about the longest passage between the ports of the region (Vladivostok to Hai Phong, 2,300 nmi).",
    )
    hidden_levels: tuple[Literal["high", "elevated"], ...] = Field(
        ("high",),
        description="Watch levels of the ports, roads and approaches at which a hidden call is looked for. Source: "
        "judgement; a call at an elevated port is ordinary, so that one that could have been made says nothing.",
    )
    hidden_stay_h: float = Field(
        6.0,
        ge=0.5,
        le=240.0,
        description="A silence must leave time for a stay of this length. Source: UNCTAD and MarineTraffic 2018: the "
        "countries' median times in port run from 0.23 days (5.5 h) to 6.5 days.",
    )
    hidden_cargo_stay_h: float = Field(
        24.0,
        ge=0.5,
        le=480.0,
        description="A stay that leaves time for a whole cargo; shorter ones count less. Source: UNCTAD and "
        "MarineTraffic 2018: median time in port of all ships 23.5 h.",
    )
    hidden_long_stay_days: float = Field(
        10.0,
        ge=1.0,
        le=365.0,
        description="Silences that leave longer than this count less, the longer the less: she may have been anywhere. "
        "Source: judgement, over the slowest median of UNCTAD 2018 (6.5 days; bulk carriers 2.05).",
    )
    hidden_speed_margin: float = Field(
        1.1,
        ge=0.5,
        le=2.0,
        description="The ship may sail so many times her usual speed, but never faster than she was seen to. Source: "
        "judgement; service speed is about nine tenths of the highest.",
    )
    hidden_default_kn: float = Field(
        10.0,
        ge=1.0,
        le=40.0,
        description="Speed of a ship that has shown none. Source: judgement; coasters and small tankers of the region "
        "make 9 to 12 kn.",
    )
    hidden_near_nmi: float = Field(
        150.0,
        ge=5.0,
        le=2000.0,
        description="A detour of this length (each way) speaks neither for nor against a call; nearer ones for it. "
        "Source: judgement; half a day's sail at 12 kn.",
    )
    hidden_sea_area_nmi: float = Field(
        40.0,
        ge=1.0,
        le=500.0,
        description="Ships that passed so near to where she fell silent are the ones she is compared with. Source: "
        "judgement; about the usual reach of a shore station.",
    )
    hidden_habit_factor: float = Field(
        1.5,
        ge=1.0,
        le=20.0,
        description="A silence shorter than so many times the ship's longest other one is her habit. Source: "
        "judgement.",
    )
    hidden_habit_cap_h: float = Field(
        36.0,
        ge=1.0,
        le=1000.0,
        description="No other silence longer than this is a habit of reporting: it is one more to explain. Source: "
        "judgement; ships that only satellites hear are heard several times a day (exactEarth 2021).",
    )
    hidden_put_nmi: float = Field(
        1.0,
        ge=0.0,
        le=20.0,
        description="A ship that lay still before and after, no further apart than this, is taken to have stayed. "
        "Source: judgement; the swing of an anchored ship and a shift of berth are less.",
    )
    hidden_told_h: float = Field(
        24.0,
        ge=0.0,
        le=480.0,
        description="Silences within this time of a call at a watched port that was seen are not told: the call is. "
        "Source: judgement; a day to clear the roads.",
    )
    hidden_least_db: float = Field(
        -4.0,
        ge=-30.0,
        le=30.0,
        description="Calls that weigh less are not told; those that weigh little are, at next to no strength. Source: "
        "measured: of calls planted into two made-up fleets nine in ten weigh more, at under one false finding in "
        "1,000 voyages.",
    )
