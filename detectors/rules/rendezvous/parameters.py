"""Every threshold the rules of meetings go by, with its meaning, bounds and source; the rules take the record whole.

What each reason weighs, in decibans, stands beside the rule that uses it.
"""

from pydantic import Field

from vessels.parameters import Parameters


class CarrierParameters(Parameters):
    """Which ships carry what is transferred, and which only say that they do not; and where others usually lie."""

    min_carrier_m: float = Field(
        40.0,
        ge=0.0,
        le=150.0,
        description="Shorter ships are no carriers, whatever type they claim: bunker boats, barges, launches. Source: "
        "SOLAS V/19: class A sets from 300 GT, about 40 m; the smallest DPRK tankers of the cases are 60 m.",
    )
    service_length_m: float = Field(
        80.0,
        ge=30.0,
        le=300.0,
        description="A ship that claims to fish, tow, tend or sail for pleasure and is longer than this is taken for "
        "a carrier. Source: the documented cases' rule: type 30 and over 80 m; factory trawlers stay a caveat.",
    )
    service_draught_m: float = Field(
        8.0,
        ge=3.0,
        le=20.0,
        description="The same by draught. Source: the documented cases' rule: type 30 and a draught of 8 to 10 m.",
    )
    draught_change_m: float = Field(
        0.3,
        ge=0.1,
        le=10.0,
        description="Change of the draught claimed that counts as cargo moved. Source: the AIS field has steps of "
        "0.1 m; the 600 t that Lighthouse Winmore gave of her 14,000 t move such a hull by about 0.3 m.",
    )
    usual_ships: float = Field(
        6.0,
        ge=1.0,
        le=1000.0,
        description="Where more other ships than this ever lay slow in the data, it is a usual place, and each "
        "doubling says less of any of them. Source: judgement; an anchorage has more in a week.",
    )
    near_port_nmi: float = Field(
        5.4,
        ge=0.0,
        le=50.0,
        description="Nearer to a fence of a port, anchorage or approach than this is its roads. Source: Global Fishing "
        "Watch leaves out encounters within 10 km of an anchorage.",
    )
    tied_flags: tuple[str, ...] = Field(
        ("KP",),
        description="States, ISO 3166, whose flag alone is a tie. Source: UNSCR 2375 (2017), paragraph 11, bans "
        "transfers with ships of the DPRK's flag; a zone under high watch does not tie every ship of its coast.",
    )
    tie_days: float = Field(
        90.0,
        ge=1.0,
        le=3650.0,
        description="A call or stay in high-watch waters this long before or after is a tie to them. Source: "
        "judgement; Mercury's oil was off Nampo after four days, Shundlli's after two weeks; silences last months.",
    )
    tie_stay_h: float = Field(
        2.0,
        ge=0.0,
        le=240.0,
        description="A stay in high-watch waters without a call ties if it lasted this long. Source: Global Fishing "
        "Watch's encounter: 2 h; a ship on passage may clip a fence.",
    )
    onward_days: float = Field(
        30.0,
        ge=1.0,
        le=120.0,
        description="A port declared that is reached within this time after was meant. Source: judgement; waiting for "
        "a berth takes weeks at coal ports.",
    )
    detour_nmi: float = Field(
        60.0,
        ge=0.0,
        le=2000.0,
        description="A declared port not yet reached does not fit if the place lies this much off the way to it, and "
        "more than a third of that way. Source: judgement; five hours' steaming.",
    )


class RendezvousParameters(CarrierParameters):
    """Parameters of the `rendezvous` detector."""

    min_meeting_h: float = Field(
        2.0,
        ge=0.5,
        le=48.0,
        description="Shorter meetings are passed over. Source: Global Fishing Watch's encounter: 2 h; documented "
        "transfers took 2 to 12 h.",
    )
    transfer_max_h: float = Field(
        12.0,
        ge=2.0,
        le=240.0,
        description="Up to this a meeting has the length of a transfer; each doubling beyond weighs less. Source: "
        "documented transfers took 2 to 12 h.",
    )
    alongside_m: float = Field(
        250.0,
        ge=20.0,
        le=2000.0,
        description="Median distance up to which two sets may be on ships that lie alongside; half of both lengths if "
        "that is known and less. Source: geometry: sets stand at the stern, some near the bow, of hulls to 250 m.",
    )
    tow_h: float = Field(
        3.0,
        ge=0.5,
        le=48.0,
        description="Two that go side by side under way for longer are a tow, a convoy or two sets on one ship. "
        "Source: judgement; the run-in before a transfer under way takes an hour or two.",
    )
    offshore_nmi: float = Field(
        12.0,
        ge=0.0,
        le=200.0,
        description="Nearer to the shore a meeting weighs less: roads, bunkers, pilots. Source: UNCLOS: the "
        "territorial sea; all documented transfers but those in roads lay beyond.",
    )
    usual_partners: float = Field(
        3.0,
        ge=1.0,
        le=100.0,
        description="A ship that met more others than this lives by it: bunker tanker, tender, collecting reefer. "
        "Source: judgement.",
    )
    min_heard_share: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="If both were heard in a smaller share of the time, the meeting itself is less sure. Source: "
        "judgement; half the time reckoned between reports.",
    )
    night_share: float = Field(
        0.75,
        ge=0.0,
        le=1.0,
        description="A share of the time between 18 and 6 h local solar time from which a meeting was by night. "
        "Source: judgement; Wan Heng 11 met by night, and half of all hours are.",
    )
    min_loitering_h: float = Field(
        4.0,
        ge=1.0,
        le=96.0,
        description="A ship alone must lie slow this long to have met one that was not heard. Source: documented "
        "transfers of 2 h and more, with an approach before and letting go after.",
    )
    long_loitering_h: float = Field(
        24.0,
        ge=4.0,
        le=240.0,
        description="From here on waiting explains a stop better, and each doubling weighs less. Source: twice the "
        "longest documented transfer.",
    )
    min_stay_h: float = Field(
        2.0,
        ge=0.5,
        le=48.0,
        description="The silent ship must have been able to be there this long. Source: as min_meeting_h.",
    )
    lone_shore_nmi: float = Field(
        10.0,
        ge=0.0,
        le=200.0,
        description="A lone ship nearer to the shore than this is passed over. Source: UNCLOS: the territorial sea of "
        "12 nmi, less the two miles that a ship adrift is set in a tide.",
    )
    lone_offshore_nmi: float = Field(
        20.0,
        ge=0.0,
        le=200.0,
        description="A lone ship nearer to the shore than this weighs less. Source: Global Fishing Watch's loitering: "
        "20 nmi from shore.",
    )
    unknown_speed_kn: float = Field(
        12.0,
        ge=4.0,
        le=30.0,
        description="Speed of a silent ship that has shown none. Source: small tankers and coasters make 9 to 13 kn.",
    )
    max_gap_days: float = Field(
        45.0,
        ge=1.0,
        le=400.0,
        description="A silence longer than this is passed over: she could have been anywhere. Source: the cases' "
        "gaps around a transfer (Koti) are of one to two months.",
    )
    min_named_share: float = Field(
        0.25,
        ge=0.01,
        le=1.0,
        description="A silent ship is named if she carries this share of the weight of all that could have been "
        "there. Source: judgement: no more than four can, and of fifty alike none.",
    )
