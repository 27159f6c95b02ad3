"""What one kind of finding says, for people who are no programmers: the record, and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """One kind of finding in plain sentences.

    `says` is what the data show, `does_not_say` what a reader may take it for, `innocent` the usual lawful or harmless
    explanations, `check` where to look for more.
    """

    kind: str
    title: str
    says: str
    does_not_say: str
    innocent: str
    check: str
