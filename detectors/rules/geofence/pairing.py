"""One landing and one loading at a berth as a record, and how it is told.

Takes the stays concerned and the counts of others; gives evidence and caveats. What a pairing weighs is left to
`reexport`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detectors.finding import Evidence
from detectors.measures import evidence_of_measures
from detectors.rules.geofence.parameters import GeofenceParameters
from detectors.rules.geofence.ships import Ships
from detectors.rules.geofence.stays import Call, Stay
from detectors.rules.geofence.wording import draught_evidence, draught_gain_m, place, span


@dataclass(frozen=True, slots=True)
class Pairing:
    """One landing and one loading at a berth, and how many others used it meanwhile."""

    origin: Call
    landing: Stay
    loading: Stay
    market: Stay | None
    apart_nmi: float
    n_loadings: int
    """Other loadings at that berth, of ships of that class, within the time before or after."""
    n_landings: int
    """Other landings at that berth within the time before."""
    n_own: int
    """Other loadings of that ship at that port."""

    @property
    def judged_on(self) -> datetime:
        """The moment whose law counts: the arrival at the market, or the loading while there is none."""
        return self.loading.start if self.market is None else self.market.start


def surely(stay: Stay, loaded: bool, parameters: GeofenceParameters) -> bool:
    """Whether the draughts say that cargo was loaded (or landed) there."""
    gain_m = draught_gain_m(stay)
    least = parameters.draught_change_m - 1e-6
    return gain_m is not None and (gain_m >= least if loaded else gain_m <= -least)


def evidence_of_pairing(best: Pairing, group: Sequence[Pairing], weight: float, ships: Ships) -> tuple[Evidence, ...]:
    """The case for the heaviest pairing of a group, and which others there are."""
    origin, landing, loading = best.origin, best.landing, best.loading
    days = (loading.start - landing.last_seen) / timedelta(days=1)
    lander = ships.in_words(landing.mmsi, landing.segment_id, landing.start)
    loader = ships.in_words(loading.mmsi, loading.segment_id, loading.start)
    lines = [
        Evidence("call in the DPRK", f"{lander}: {place(origin.lead)} {span(origin)}, confidence {origin.confidence}"),
        *draught_evidence(origin.lead),
        Evidence("then at a berth", f"{lander}: {place(landing)} {span(landing)}, confidence {landing.confidence}"),
        *draught_evidence(landing),
        Evidence("at that berth", f"{loader}: {place(loading)} {span(loading)}, confidence {loading.confidence}"),
        *draught_evidence(loading),
        Evidence("distance between the two places", f"{best.apart_nmi:.2f}", "another berth", "nmi"),
        Evidence("time from one to the other", f"{days:.1f}", unit="days"),
    ]
    if best.market is None:
        lines.append(Evidence("market", "none reached yet"))
    else:
        lines += [Evidence("then at the market", f"{place(best.market)} {span(best.market)}")]
        lines += draught_evidence(best.market)
    lines += [
        Evidence("other loadings at that berth, before or after", str(best.n_loadings), "many, if it is busy"),
        Evidence("other landings at that berth before", str(best.n_landings), "some, if it is busy"),
        Evidence("other loadings of this ship at that port", str(best.n_own), "some, if she trades there"),
        *(
            Evidence(
                "may be paired also", f"{place(p.landing)} {span(p.landing)} with {place(p.loading)} {span(p.loading)}"
            )
            for p in group[1:]
        ),
        Evidence("flag state of the ship from the DPRK", ships.flag_in_words(origin.lead.mmsi)),
        Evidence("weight of the pairing", f"{weight:.1f}", unit="decibans"),
    ]
    return (*lines, *evidence_of_measures(best.judged_on))


def caveats_of_pairing(pairing: Pairing, parameters: GeofenceParameters) -> tuple[str, ...]:
    """What makes it less sure that one cargo was landed and loaded."""
    caveats = ["no track shows what was landed or loaded, or that it was one cargo; coal also comes by rail"]
    if not surely(pairing.landing, False, parameters):
        caveats.append("the draughts claimed do not say that the first ship landed cargo there")
    if not surely(pairing.loading, True, parameters):
        caveats.append("the draughts claimed do not say that the second ship loaded there")
    if pairing.n_loadings:
        caveats.append(f"{pairing.n_loadings} other cargoes were loaded at that berth about then, or may have been")
    if pairing.n_landings:
        caveats.append(f"{pairing.n_landings} other cargoes were landed at that berth before")
    if pairing.n_own:
        caveats.append("the second ship loads at that port on other voyages too")
    if pairing.landing.zone.zone_id not in parameters.relay_zones:
        caveats.append(f"re-export of DPRK cargo is not documented at {pairing.landing.zone.name}")
    return tuple(caveats)
