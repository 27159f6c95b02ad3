"""The tables of a backtest: their columns, types and meanings, once."""

from typing import Final

import pyarrow as pa

from vessels.schema import TIMESTAMP, Column, Table

_F64, _I64, _TEXT, _BOOL = pa.float64(), pa.int64(), pa.string(), pa.bool_()

BACKTEST: Final = Table(
    "backtest",
    (
        Column("kind", _TEXT, "what was planted"),
        Column("is_lookalike", _BOOL, "lawful: what should not be found"),
        Column("n_asked", _I64, "how many were asked for"),
        Column("n_planted", _I64, "how many could be planted"),
        Column("n_voyages", _I64, "voyages in the planted data, all copies together"),
        Column("n_found", _I64, "plants that a new finding of the kind names, at their time; null for look-alikes"),
        Column("recall", _F64, "share of plants found"),
        Column("recall_low", _F64, "lower end of the recall's 95 % interval (Wilson)"),
        Column("recall_high", _F64, "upper end of it"),
        Column("n_false", _I64, "new findings of the kind that no plant explains"),
        Column("n_false_cases", _I64, "sets of ships that they name: one case may be told of each voyage"),
        Column("n_false_flagged", _I64, "false findings whose voyage has evidence enough to be flagged"),
        Column("n_already_there", _I64, "findings of the kind that the unplanted data have too: true or not, unknown"),
        Column("precision", _F64, "plants found, over plants found and false cases"),
        Column("precision_at_worst", _F64, "the same, had all findings already there been false"),
        Column("false_per_1000_voyages", _F64, "false findings in 1,000 voyages"),
        Column("false_per_1000_voyages_at_worst", _F64, "the same, had all findings already there been false"),
        Column(
            "median_rank",
            _F64,
            "rank of the planted voyages among all of their copy by weight of evidence, median; 1 is first",
        ),
        Column("p90_rank", _F64, "the same, 90th percentile"),
        Column("share_critical", _F64, "share of planted voyages in the band"),
        Column("share_high", _F64, "share of planted voyages in the band"),
        Column("share_medium", _F64, "share of planted voyages in the band"),
        Column("share_low", _F64, "share of planted voyages in the band"),
        Column("share_none", _F64, "share of planted voyages that are not flagged"),
        Column("n_links_planted", _I64, "changes of MMSI planted on one hull"),
        Column("link_recall", _F64, "share of them that are strong hull links"),
        Column("n_links_right", _I64, "strong links of these ships whose two ends are one hull"),
        Column("n_links_wrong", _I64, "strong links of these ships whose two ends are two hulls"),
        Column("link_precision", _F64, "right ones over both"),
        Column("n_drew", _I64, "look-alikes that drew a finding of a kind they resemble"),
        Column("n_serious", _I64, "plants that brought a voyage into the critical or high band"),
    ),
)

PLANTS: Final = Table(
    "backtest_plants",
    (
        Column("plant_id", _TEXT, "hash of kind, seed, ships and time"),
        Column("kind", _TEXT, "what was planted"),
        Column("is_lookalike", _BOOL, "lawful: what should not be found"),
        Column("seed", _I64, "seed of the draws"),
        Column("mmsi", pa.list_(_I64), "every MMSI it concerns, old and new; none where it concerns all"),
        Column("start", TIMESTAMP, "last report before the change, or start of the track or the event"),
        Column("end", TIMESTAMP, "until when it lasts"),
        Column("lat", _F64, "where it began", "degree"),
        Column("lon", _F64, "where it began", "degree"),
        Column("what", _TEXT, "what was done"),
        Column("is_found", _BOOL, "a new finding of the kind (for a look-alike: of one it resembles) names it"),
        Column("finding_ids", pa.list_(_TEXT), "these findings"),
        Column("other_kinds", pa.list_(_TEXT), "kinds of other new findings about it"),
        Column("n_links_planted", _I64, "changes of MMSI planted on one hull"),
        Column("n_links_found", _I64, "those that are strong hull links"),
        Column("voyage_id", _TEXT, "the planted voyage: of its finding, or the one under way when it began"),
        Column(
            "rank", _F64, "its rank among all voyages of its copy by weight of evidence; equal ones share the middle"
        ),
        Column("score", _F64, "its score"),
        Column("band", _TEXT, "its band; none if not flagged"),
        Column("score_before", _F64, "highest score of the ships' voyages at that time in the unplanted data"),
        Column("turned_serious", _BOOL, "it brought a voyage into the critical or high band"),
    ),
)

FALSE: Final = Table(
    "backtest_false",
    (
        Column("what", _TEXT, "finding or link"),
        Column("kind", _TEXT, "kind of finding; hull_link for a strong link of two hulls"),
        Column("id", _TEXT, "id of the finding or link"),
        Column("mmsi", pa.list_(_I64), "every MMSI it names"),
        Column("start", TIMESTAMP, "from when"),
        Column("end", TIMESTAMP, "until when"),
        Column("lookalikes", pa.list_(_TEXT), "look-alikes that drew it"),
    ),
)
"""New findings of planted kinds that no plant explains, and strong links of two hulls: what to look at first."""
