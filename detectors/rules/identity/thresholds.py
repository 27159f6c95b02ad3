"""The parameters of the identity rules, one record for all of them."""

from pydantic import Field

from vessels.parameters import Parameters


class Thresholds(Parameters):
    """What the identity rules count as settled, near, far, long and large."""

    min_reports: int = Field(
        3,
        ge=1,
        le=1000,
        description="reports that must carry a claim before it counts as settled. Source: a damaged message is one "
        "report; static data are sent every 6 minutes (ITU-R M.1371-5), so three are a quarter of an hour",
    )
    min_settled_h: float = Field(
        1.0,
        ge=0.0,
        le=720.0,
        description="time a claim must last before a change from or to it counts. Source: ten static messages; "
        "typing errors put right at once last minutes",
    )
    max_returns: int = Field(
        1,
        ge=0,
        le=100,
        description="times a former value may come back before the claims count as two senders or providers taking "
        "turns, not as changes. Source: a borrowed identity is worn once and laid down (cases of 2019 to 2022)",
    )
    together_h: float = Field(
        24.0,
        ge=0.0,
        le=720.0,
        description="fields that change within this time change together. Source: name and call sign of a class B "
        "set arrive in separate messages, and crews type fields one after another within a watch or a day",
    )
    watched_days: float = Field(
        30.0,
        ge=0.0,
        le=365.0,
        description="a change this near in time to a stay in a zone of high watch counts as made around it. Source: "
        "Song Phyong 7 and Kum Un San 3 changed within days; a laden voyage from Nampo to Viet Nam takes a fortnight",
    )
    elevated_days: float = Field(
        3.0,
        ge=0.0,
        le=90.0,
        description="the same for zones of elevated watch, where most callers are ordinary. Source: Kum Un San 3 "
        "changed its painted name three days before a transfer",
    )
    unseen_h: float = Field(
        24.0,
        ge=0.5,
        le=720.0,
        description="a change during a longer silence happened nobody knows where. Source: a day is enough to enter "
        "and leave a port unheard",
    )
    under_way_kn: float = Field(
        2.0,
        ge=0.5,
        le=10.0,
        description="speed along the track from which a ship counts as under way. Source: above drift in a tidal "
        "stream at anchor, below steerage way of a laden coaster",
    )
    merchant_length_m: float = Field(
        50.0,
        ge=10.0,
        le=400.0,
        description="length from which a ship is taken to need class A. Source: SOLAS V/19 asks it of 300 GT on "
        "international voyages, about 45 to 50 m",
    )
    min_invalid_reports: int = Field(
        10,
        ge=1,
        le=10_000,
        description="reports of an IMO number that fails its check digit before it counts. Source: an hour of static "
        "messages, so that a typing error put right at once stays out",
    )
    min_imo_claim_h: float = Field(
        24.0,
        ge=0.0,
        le=8760.0,
        description="time an IMO number must have been claimed before its absence is a drop. Source: a day holds both "
        "static messages and every provider's batch",
    )
    min_dropped_h: float = Field(
        3.0,
        ge=0.0,
        le=8760.0,
        description="time full statements must lack the number. Source: thirty static messages",
    )
    fleet_drop_share: float = Field(
        0.2,
        gt=0.0,
        le=1.0,
        description="share of ships that lose their IMO number from which the source is to blame. Source: a provider "
        "without the field changes every ship at once",
    )
    length_tolerance_share: float = Field(
        0.10,
        ge=0.0,
        le=1.0,
        description="change of length that re-entering antenna distances explains. Source: length is the sum of two "
        "distances typed to the metre; settled lengths of one hull differ by a few per cent",
    )
    length_tolerance_m: float = Field(
        10.0, ge=0.0, le=100.0, description="the same in metres. Source: rounding up and overhangs on small ships"
    )
    beam_tolerance_share: float = Field(
        0.25, ge=0.0, le=1.0, description="change of beam that re-entering explains. Source: typed to the metre"
    )
    beam_tolerance_m: float = Field(
        4.0, ge=0.0, le=30.0, description="the same in metres. Source: two typed distances, each off by up to 2 m"
    )
    max_speed_kn: float = Field(
        40.0,
        ge=10.0,
        le=100.0,
        description="no ship with an IMO number covers more than this. Source: fast ferries; cargo ships reach 25 kn",
    )
    position_slack_nmi: float = Field(
        5.0,
        ge=0.0,
        le=50.0,
        description="distance that clocks, coarse long-range reports and typing of positions explain. Source: message "
        "27 is coarse to 0.1 nmi, a receiver's clock may be minutes off",
    )
    handover_overlap_h: float = Field(
        24.0,
        ge=0.0,
        le=720.0,
        description="time an old and a new MMSI may both be heard while a ship changes flag. Source: class A and "
        "long-range terminals are reprogrammed one after the other",
    )
    hopping_days: float = Field(
        365.0,
        ge=1.0,
        le=3650.0,
        description="two changes of flag within this time count as hopping. Source: OFAC, State and Coast Guard "
        "advisory of 14 May 2020 names flag hopping; ordinary sales lie years apart",
    )
    min_alternations: int = Field(
        3,
        ge=1,
        le=10_000,
        description="times reports must change between simultaneous tracks. Source: once or twice is a jump",
    )
    min_separation_nmi: float = Field(
        10.0,
        ge=0.1,
        le=1000.0,
        description="distance between simultaneous tracks of one MMSI. Source: twice the position slack",
    )
    max_sharers: int = Field(
        10,
        ge=2,
        le=1000,
        description="an IMO number under more MMSI than this, or an MMSI of more hulls, was typed to fill the field: "
        "its changes are another ship's word. Source: even the most copied identity is worn by a handful of hulls",
    )
    max_bearers: int = Field(
        3,
        ge=2,
        le=10,
        description="of more hulls than this under one number none is named its true bearer. Source: a number that "
        "many wear is a filler or a copied form, and equal priors over many say little",
    )
    min_bearer_probability: float = Field(
        0.8,
        ge=0.5,
        le=0.99,
        description="probability from which one of several claimants is named the true bearer. Source: four to one; "
        "below it a victim would be blamed too often. To be refitted by a backtest",
    )
    min_link_probability: float = Field(
        0.2,
        ge=0.05,
        le=1.0,
        description="a possible link between two identities is told from this probability on. Source: judgement; one "
        "in five is worth a line beside a voyage that has other findings, and weighs little",
    )
    laundered_days: float = Field(
        60.0,
        ge=0.0,
        le=365.0,
        description="a changed hull's later voyages count in full while they begin within this of its call in a zone "
        "of high watch under the earlier identity. Source: judgement; a cargo is landed and the next loaded within two "
        "months, the relays of 2017 took two to six weeks a leg",
    )
    exchange_days: float = Field(
        7.0,
        ge=0.0,
        le=90.0,
        description="two hulls that take each other's MMSI within this time exchange identities. Source: judgement; "
        "both sets are reprogrammed at one meeting or on one voyage",
    )
    revival_silence_days: float = Field(
        7.0,
        ge=1.0,
        le=3650.0,
        description="an identity unheard for longer has fallen silent. Source: judgement; longer than port stays and "
        "short trips out of reach; sea crossings last longer, so that silence alone says nothing",
    )
    revival_speed_kn: float = Field(
        25.0,
        ge=10.0,
        le=60.0,
        description="no ship makes more good in a straight line over days. Source: design speed of the fastest "
        "container ships; others do 10 to 16 kn",
    )
    conversion_days: float = Field(
        30.0,
        ge=0.0,
        le=3650.0,
        description="silence from which a yard may have lengthened or converted the hull. Source: that takes one "
        "to three months in dock",
    )
    revival_link_probability: float = Field(
        0.5,
        ge=0.05,
        le=1.0,
        description="hull link from which it counts that the old hull went on, or the new one came, under another "
        "number. Source: likelier than not",
    )
    near_listed_share: float = Field(
        1e-3,
        ge=1e-6,
        le=0.1,
        description="share of the ships heard that are taken to be listed ships under altered claims, before any "
        "likeness is looked at. Source: as the prior of triage, one voyage in a thousand deserves a second look",
    )
