"""The parameters of reception: who counts as present, and how far few ships are trusted."""

from typing import Final

from pydantic import Field

from vessels.parameters import Parameters


class ReceptionParameters(Parameters):
    """How reception is counted and learned."""

    bridge_h: float = Field(
        24.0,
        ge=1,
        le=240,
        description="Between two reports no further apart than this a ship is taken to have sailed the great circle, "
        "and counts as present in every hour. Source: judgement; a day at 12 kn is 288 nmi, over which a merchant ship "
        "rarely strays a cell from the straight way.",
    )
    edge_h: float = Field(
        6.0,
        ge=0,
        le=48,
        description="After the last report before a longer silence, and before the first after it, a ship counts as "
        "present for so long, about where it was heard. Source: judgement; so that an outage of days shows.",
    )
    still_kn: float = Field(
        1.0,
        ge=0,
        le=5,
        description="Slower ships lie still and are counted apart: their sets report every 3 minutes, not every 10 s. "
        "Source: ITU-R M.1371-5 (anchored or moored); 1 kn is judgement, above the swing at anchor.",
    )
    independent_h: float = Field(
        3.0,
        ge=1,
        le=48,
        description="So many ship-hours tell as much of a place as one would alone, because hours of one ship are "
        "alike. Source: measured, docs/silences.md.",
    )
    prior_ship_h: float = Field(
        30.0,
        gt=0,
        le=1000,
        description="A cell's own share of heard ship-hours weighs against its surroundings as its ship-hours against "
        "this many. Source: measured, docs/silences.md.",
    )
    hour_prior_ships: float = Field(
        1.0,
        gt=0,
        le=100,
        description="How good an hour was is told from ships expected in it against so many that say what the wider "
        "surroundings say. Source: judgement: with one ship an hour stays uncertain, with a dozen it is clear.",
    )
    region_cells: int = Field(
        6,
        ge=1,
        le=60,
        description="Side, in cells of half a degree, of the regions to which cells and neighbourhoods are shrunk. "
        "Source: judgement; 3 degrees hold the ranges of a few shore stations.",
    )
    neighbourhood_cells: int = Field(
        2,
        ge=1,
        le=60,
        description="Side, in cells of half a degree, of the neighbourhoods in which an hour is judged good or bad "
        "together. Source: judgement; a degree is about the range of one shore station, which may be down alone.",
    )
    well_heard_share: float = Field(
        0.85,
        gt=0,
        lt=1,
        description="Cells in which a greater share of ship-hours is heard are judged together, and the others "
        "together: a satellite missed does not show where shore stations hear. Source: judgement.",
    )
    reach_h: float = Field(
        36.0,
        ge=1,
        le=240,
        description="After so long a ship's place is not known, nor so long before it is heard again: such hours are "
        "not counted. Source: judgement; at 12 kn the ship is anywhere within 432 nmi.",
    )
    slack_nmi: float = Field(
        5.0,
        ge=0,
        le=60,
        description="Added to how far a ship can have come. Source: judgement, a sixth of a cell.",
    )
    usual_speed_kn: float = Field(
        12.0,
        gt=0,
        le=40,
        description="Speed of a ship that was never heard under way. Source: judgement, a merchant ship's.",
    )
    own_prior_h: float = Field(
        24.0,
        gt=0,
        le=1000,
        description="A ship's own record, heard hours over those expected of its neighbours, weighs against so many "
        "hours in which it is as they are. Source: measured, docs/silences.md.",
    )
    frailty: float = Field(
        8.0,
        gt=0,
        le=100,
        description="Shape of the gamma distribution, of mean 1, of how well a set is heard at a time: one in its "
        "spread squared. Source: measured, docs/silences.md.",
    )
    heard_chance: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="A silence is 'heard' (others were, this ship was not) if the chance that nothing is heard of a "
        "ship there is no greater. Source: the usual level.",
    )
    outage_factor: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="An outage is told where fewer than this share of the reports expected in the hours came. "
        "Source: judgement.",
    )
    min_others: float = Field(
        1.5,
        ge=0,
        le=1000,
        description="With fewer other ships about, on average, nothing is told of a silence. Source: judgement: one "
        "other ship cannot tell a station that is down from a ship that is off.",
    )


DEFAULT_RECEPTION: Final = ReceptionParameters()
