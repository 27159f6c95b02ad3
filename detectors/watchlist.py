"""Watch lists: the user's own file of vessels to look out for, read and looked up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListedVessel:
    """One entry of a watch list: whatever numbers and names it gives. Text is cleaned as AIS text is."""

    entry_id: str
    caption: str
    imo: int | None
    mmsi: frozenset[int]
    names: frozenset[str]
    call_signs: frozenset[str]
    datasets: str
    url: str


@dataclass(frozen=True, slots=True)
class WatchList:
    """The entries of a watch list, with the digest and name of the file they came from."""

    entries: tuple[ListedVessel, ...] = ()
    name: str = ""
