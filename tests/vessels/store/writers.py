"""What other processes do to a store while a test looks on or kills them; each says what it has done."""

from multiprocessing.connection import Connection

from tests.vessels.store.stocked import FIRST_DAY, day_of_positions, new_store, old_store


def append(folder: str, first: int, last: int, said: Connection) -> None:
    """Append inputs one by one, each in a transaction of its own."""
    positions = old_store(folder).positions
    for i in range(first, last):
        positions.append(day_of_positions(FIRST_DAY + i % 7, source=i, n_ships=40), transactions=[f"t{i}"])
        said.send(i)


def put_together(folder: str, said: Connection) -> None:
    """Put all files together, again and again."""
    positions = old_store(folder).positions
    said.send(0)
    while True:
        said.send(positions.rewrite(positions.files()))


def make(folder: str, said: Connection) -> None:
    """Make a store."""
    said.send(0)
    new_store(folder)
