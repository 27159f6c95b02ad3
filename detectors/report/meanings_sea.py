"""What the findings about places, silences, meetings and positions say and do not say, in plain sentences.

The sentences follow the rules in `detectors.rules` and `detectors.learned`; whoever changes a rule reads them again.
"""

from typing import Final

from detectors.report.meaning import Meaning

SEA: Final[tuple[Meaning, ...]] = (
    Meaning(
        kind="watched_port_call",
        title="Call at a watched port",
        says="The ship stopped, or fell silent, inside the fence of a port under watch. At ports under high watch (by "
        "default the DPRK's) that weighs much; at those under elevated watch (such as Nakhodka or Dalian) little, "
        "because most callers there are ordinary.",
        does_not_say="What she carried, or that anything was loaded or landed. A call in plain sight is lawful for "
        "many.",
        innocent="Relief cargo, Russian coal through Rajin and the DPRK's own coastal trade call there. A fence wider "
        "than its port also takes in ships that only stopped nearby.",
        check="Satellite pictures of the berth on those days; the list of the last ten ports that the ship must show "
        "at the next one; cargo papers and the port agent.",
    ),
    Meaning(
        kind="watched_zone_presence",
        title="Time in watched waters without a call",
        says="The ship was inside waters under high watch and no call was seen; or a cargo ship or tanker lay slow "
        "for hours in an area where cargo is known to change ships.",
        does_not_say="That she called anywhere, met anyone or moved cargo.",
        innocent="Passing through, fishing, shelter from weather, waiting for orders, engine trouble. Disturbed "
        "satellite positioning can put a ship into waters that she never entered.",
        check="How long she stayed, how slow she was, and whether her draught differs afterwards; radar or optical "
        "satellite pictures of the place.",
    ),
    Meaning(
        kind="relay_voyage",
        title="DPRK port, relay port, market",
        says="One hull called at a port of the DPRK, within three weeks at Nakhodka, Vostochny or Kholmsk, and within "
        "six more at a port of South Korea, Japan, China, Taiwan or Viet Nam. While the last call may still come, it "
        "is told weakly.",
        does_not_say="That the cargo of the first port is that of the last, or what it was: AIS does not see cargo. "
        "Calls before 5 August 2017 fell under no ban on coal, and weigh less.",
        innocent="A ship that serves the DPRK from Russia may land cargo there and load a Russian one on the way "
        "back. Russian coal may pass through Rajin where the UN committee was told of it.",
        check="Her draughts at the three ports against bills of lading, certificates of origin and the relay port's "
        "records of what was landed and loaded.",
    ),
    Meaning(
        kind="false_destination",
        title="Another destination declared than reached",
        says="A destination that was typed in for this leg names another country than the watched port at which the "
        "ship called.",
        does_not_say="That the text was meant to mislead. It is free text, typed by hand, and may have been read "
        "wrongly.",
        innocent="Orders change under way, and nobody retypes the field. Codes are shortened, mistyped or out of date.",
        check="When the text was typed, and whether the declared port was reached later; the notice of arrival that "
        "the declared port did or did not get; the ship's orders.",
    ),
    Meaning(
        kind="hidden_call_feasible",
        title="A silence that left time for a call",
        says="In a silence there was time to sail by water to a port under high watch, to stay six hours, and to "
        "reappear where and when the ship did. The evidence weighs what speaks for a call and against it.",
        does_not_say="That she called, or went there at all. Nearly any ship that is silent for a week could have "
        "called somewhere.",
        innocent="A set that failed, poor reception, a berth or yard where sets are off, waiting out of earshot.",
        check="Other providers' data and satellite AIS for the hours of the silence; radar pictures of the port "
        "named; draught and cargo papers before and after; the ship's log.",
    ),
    Meaning(
        kind="reexport_pairing",
        title="One berth, two ships",
        says="A ship from the DPRK lay at a berth of Nakhodka, Kholmsk or another Russian port and did not leave "
        "deeper; within six weeks another ship of the same trade loaded at that very berth and went to a market, or "
        "may still. It is told on the voyages of both.",
        does_not_say="That it was the same cargo, or that anyone aboard the second ship knew of the first. Sharing "
        "only the port is never told.",
        innocent="Coal and oil also come to these berths by rail and from other ships; whoever loads there next looks "
        "the same.",
        check="Berth, stock and rail records of the terminal; certificates of origin; pictures of the heaps from "
        "above; who else loaded there, as listed in the evidence.",
    ),
    Meaning(
        kind="unusual_voyage",
        title="Voyage unlike others of its class",
        says="Taken together, the voyage's speed, stops, route, reporting, draught, hours and nearness to watched "
        "waters are such that at most 3 in 1,000 ordinary voyages of ships of that class and length are as odd.",
        does_not_say="That anything is wrong. Odd is not wrong, and what is usual depends on the baseline: the "
        "packaged one comes from invented ships.",
        innocent="Sea trials, surveys, pilotage, long waits, ice, weather. Poor reception looks like silence, and a "
        "false type or size compares the ship with the wrong class.",
        check="The bars of the explanation: which measure is unusual, and whether weather, orders or reception "
        "account for it. Learn a baseline from your own traffic before leaning on it.",
    ),
    Meaning(
        kind="dark_gap",
        title="Not heard where others were",
        says="The ship was not heard for six hours or more at a place and time where other ships were, and where a "
        "ship on the air would hardly have been missed by chance.",
        does_not_say="That the set was switched off by anyone, or what was done meanwhile. Most ships with a silence "
        "have done nothing.",
        innocent="A set or aerial that fails or is worked on, a blackout on board, a master who fears pirates; or the "
        "ship sailed beyond earshot while those around her stayed.",
        check="Another provider's data; long-range tracking (LRIT), which the flag state holds; radar satellites; "
        "inspectors' notes on the AIS set; the master.",
    ),
    Meaning(
        kind="rendezvous",
        title="Two ships close together at sea",
        says="Two ships that by type or size can carry cargo lay slow, within a few hundred metres of each other, for "
        "two hours or more outside harbours. Place, ties to the DPRK, draughts and habit are weighed.",
        does_not_say="That they touched, or that anything passed between them.",
        innocent="Bunkers, stores, crew changes, lightering, a tow, help to a ship in trouble, two at anchor in the "
        "same roads. Oil changes ships lawfully at sea every day.",
        check="Both draughts before and after; satellite pictures of the hours; both ships' oil record books. A "
        "transfer of oil cargo between tankers in a state's waters or economic zone is notified to it beforehand "
        "(MARPOL Annex I, chapter 8).",
    ),
    Meaning(
        kind="dark_rendezvous",
        title="Alone at sea where a silent ship could have come",
        says="A cargo ship or tanker lay slow and alone, far from the coast, for four hours or more; and ships that "
        "were not heard then had the time to come, stay two hours and go on to where they were heard next. Those that "
        "stand out are named; often none is.",
        does_not_say="That another ship was there at all.",
        innocent="Waiting for orders or a berth, repairs, tank cleaning, weather; and the silent ship may have been "
        "silent for a reason of her own, anywhere else.",
        check="Radar satellite pictures of the place and hours: one echo or two; draughts of both ships; other "
        "providers' data on the silent one.",
    ),
    Meaning(
        kind="loitering",
        title="Slow or adrift at sea",
        says="A cargo ship or tanker was slow for eight hours or more, well off the coast and where few others wait; "
        "or for an hour or more she moved slowly, and not where her bow pointed.",
        does_not_say="Why. Alone it never flags a voyage; it counts beside what else is found.",
        innocent="Waiting for orders or a berth, repairs, tank cleaning, bad weather, a strong current: that is most "
        "of it.",
        check="Her next calls and draughts, weather reports, the status she sent, and whether others waited there at "
        "other times.",
    ),
    Meaning(
        kind="position_jump",
        title="Positions out of reach",
        says="The ship was heard where she cannot have sailed to; or stayed on one point while she said that she "
        "moved; or sent a speed that her positions belie.",
        does_not_say="That anybody falsified a position. Sets fail far more often than anyone tampers with them.",
        innocent="A failing receiver, damaged messages, a wrong clock, a second ship with the same number, and "
        "jamming or disturbed satellite positioning, which then befalls other ships nearby too.",
        check="Whether others jumped in the same hours; which station heard the far positions, and whether it can "
        "hear so far; another provider's data.",
    ),
    Meaning(
        kind="position_on_land",
        title="A way over land",
        says="The ship's positions lead straight over land from sea to sea, or a jump leads inland, where next to "
        "nobody else is ever heard.",
        does_not_say="Where the ship was, or that anyone made the positions up.",
        innocent="Rivers, canals and harbours that a coarse coast line lacks; feeds that fill a silence with a "
        "straight line; failing receivers and jamming.",
        check="A chart or a recent picture from above; then the raw messages, and the station that heard them.",
    ),
    Meaning(
        kind="drawn_track",
        title="A track too regular, or sent twice",
        says="For hours or days the positions go round the same way within metres, move more evenly than engine, helm "
        "and sea allow, or repeat positions that were sent before.",
        does_not_say="Where the ship really was, or who made the track.",
        innocent="Patrols, trials, ferries and ships that wait under an autopilot; feeds that fill in positions, or "
        "deliver rows again with other times.",
        check="Another provider's data with the station and time of reception; a satellite picture of where the track "
        "says she was.",
    ),
    Meaning(
        kind="listed_vessel",
        title="A number of your watch list",
        says="The ship sent an IMO number or MMSI that your watch list holds, or a listed call sign together with the "
        "name listed beside it.",
        does_not_say="That she is the listed ship, that the list is right or current, or that anything was amiss on "
        "this voyage. A name alone never matches.",
        innocent="An MMSI given to another ship after a change of flag; a number mistyped into another ship's set; an "
        "entry that has been lifted since.",
        check="The list's current entry and its date; size, type and history of the ship in IMO GISIS or Equasis.",
    ),
)
"""Findings of all detectors but `identity`."""
