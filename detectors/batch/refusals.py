"""Refusals: what a record of parameters would not take, as sentences that name the file, the key and the right name.

Takes pydantic's errors, or a name nobody knows; gives one line of plain words for each.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

NEAR_ENOUGH: Final = 0.6
"""Share of matching letters from which a name is offered as what may have been meant (difflib's own default)."""

UNSHOWN: Final = "unshown"
"""Type of a refusal whose value holds a secret and is not repeated."""


def nearest_name(word: str, known: Collection[str]) -> str | None:
    """The known name a mistyped one was probably meant to be, or None.

    >>> nearest_name("watchlst", ["watchlist", "zones"])
    'watchlist'
    """
    by_folded = {name.casefold(): name for name in sorted(known)}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=NEAR_ENOUGH)
    return by_folded[near[0]] if near else None


def unknown_name(word: str, known: Collection[str], what: str) -> str:
    """The sentence that refuses an unknown name and says which was probably meant, or which there are.

    >>> unknown_name("zone", ["zones", "levels"], "key")
    'unknown key; did you mean `zones`?'
    """
    near = nearest_name(word, known)
    if near is not None:
        return f"unknown {what}; did you mean `{near}`?"
    return f"unknown {what}; there are: {', '.join(sorted(known))}" if known else f"unknown {what}; there are none"


def sentences(error: ValidationError, model: type[BaseModel], name: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """One line for each thing a record refused: file, key, rule, what was given, nearest right name."""
    for item in error.errors(include_url=False):
        place = tuple(str(part) for part in item["loc"] if part != "[key]")
        path = (*above, *place)
        where = f"{name}: {_key_text(path)}" if path else name
        if item["type"] == "extra_forbidden":
            owner, key = _owner(model, place)
            what = "parameter" if above else "key" if place[:-1] else "table"
            known = [name for name, field in owner.model_fields.items() if field.repr]  # repr=False: no key of the file
            yield f"{where}: {unknown_name(key, known, what)}"
        else:
            yield f"{where}: {_rule(item)}"


def _owner(model: type[BaseModel], place: tuple[str, ...]) -> tuple[type[BaseModel], str]:
    """The record that holds the last part of a place, and that part."""
    for part in place[:-1]:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            break
        model = field.annotation
    return model, place[-1]


def _key_text(path: tuple[str, ...]) -> str:
    if len(path) == 1:
        return f"[{path[0]}]"
    table, key = path[:-1], path[-1]
    if len(table) > 1 and table[-1].isdecimal():
        table = table[:-1]
    return f"[{'.'.join(table)}] {key}"


_RULES: Final[Mapping[str, str]] = {
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a table",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "mapping_type": "must be a table",
    "model_type": "must be a table",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list",
}


def _rule(item: Any) -> str:
    given = f", not {shown(item['input'])}"
    context = item.get("ctx", {})
    bounds = {
        "greater_than_equal": "at least",
        "less_than_equal": "at most",
        "greater_than": "above",
        "less_than": "below",
    }
    keys = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt", "less_than": "lt"}
    kind = item["type"]
    if kind in bounds:
        return f"must be {bounds[kind]} {context[keys[kind]]:g}{given}"
    if kind == UNSHOWN:
        return str(item["msg"])
    if kind == "literal_error":
        return f"must be one of {context['expected']}{given}"
    if kind == "value_error":
        return f"{context['error']} (it is {shown(item['input'])})"
    if kind in _RULES:
        return _RULES[kind] + given
    message = str(item["msg"])
    return f"{message[:1].lower()}{message[1:]}{given}"


def shown(value: object) -> str:
    """A refused value as it may stand in a message: short, with nothing a terminal would obey."""
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= 60 else text[:57] + "..."
