"""The parameters of hull links: how far is looked, and how sure a link must be."""

from typing import Final

from pydantic import Field

from vessels.parameters import Parameters


class LinkParameters(Parameters):
    """How far links are looked for, and what settles a hull."""

    max_gap_days: float = Field(
        90.0,
        ge=1,
        le=3650,
        description="Longest silence a link may span. Source: the longest documented silence before a new identity is "
        "some months (Wise Honest 2017, Courageous 2019); beyond it motion and place say nothing.",
    )
    max_overlap_h: float = Field(
        24.0,
        ge=0,
        le=720,
        description="Time an old and a new MMSI under one IMO number may both be heard at one place. Source: class A "
        "and long-range terminals are reprogrammed one after the other.",
    )
    top_speed_kn: float = Field(
        30.0,
        gt=0,
        le=200,
        description="No link needs more speed than this, over a slack of 2 nmi. "
        "Source: the motion model's floor speed.",
    )
    min_reports: int = Field(
        3,
        ge=1,
        le=10_000,
        description="Tracks of fewer reports are linked to nothing. Source: one or two reports may be a damaged "
        "number; as the motion model's min_positions.",
    )
    silent_h: float = Field(
        6.0,
        gt=0,
        le=720,
        description="A track is taken to have ended, or not to have been there before, once it has been silent for so "
        "long, and for three times its own longest interval; less counts against a link. Source: the shortest silence "
        "that is kept.",
    )
    change_share: float = Field(
        1e-3,
        gt=0,
        le=0.5,
        description="Share of identities that end because the hull takes another one, within the span of the data. "
        "Source: judgement, the prior of triage; a few per cent of the world's fleet change flag or name in a year.",
    )
    max_change_share: float = Field(
        0.02,
        gt=0,
        le=0.5,
        description="The share may rise to this where the data themselves show so many changes by links that are "
        "strong without it. Source: judgement; a bound, so that links do not prove each other.",
    )
    strong_probability: float = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="Links this probable settle the hull: its voyages go on under the new identity. Source: backtest, "
        "docs/identity.md.",
    )
    told_probability: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="Links less probable are not kept. Source: judgement; one in twenty is worth no second look.",
    )


DEFAULT_LINKS: Final = LinkParameters()
