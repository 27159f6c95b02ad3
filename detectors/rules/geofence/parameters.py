"""Every number the geofence rules go by, with its meaning, bounds and source; the rules take the record whole."""

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
