"""X-Filter: a JSON object of what items of a list must be."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any

from brihaspati_cloudsim.exchange import Json, Refusal

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "+gt": operator.gt,
    "+gte": operator.ge,
    "+lt": operator.lt,
    "+lte": operator.le,
    "+neq": operator.ne,
    "+contains": lambda seen, wanted: str(wanted).lower() in str(seen).lower(),
}


def read(text: str | None, allowed: set[str]) -> Json:
    """The filter of a request; {} for none.

    Raises:
        Refusal: 400 as the provider words it.
    """
    if not text:
        return {}
    try:
        asked = json.loads(text)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Refusal(400, "Invalid JSON", field="X-Filter")
    _check(asked, allowed)
    return asked


def _check(asked: Json, allowed: set[str]) -> None:
    for name, wanted in asked.items():
        if name in ("+and", "+or"):
            for part in wanted:
                _check(part, allowed)
        elif name not in ("+order", "+order_by") and name not in allowed:
            raise Refusal(400, f"Cannot filter on {name}", field="X-Filter")


def matches(asked: Json, item: Json) -> bool:
    """Whether an item is what is asked for."""
    for name, wanted in asked.items():
        if name == "+and":
            fits = all(matches(part, item) for part in wanted)
        elif name == "+or":
            fits = any(matches(part, item) for part in wanted)
        elif name.startswith("+order"):
            fits = True
        else:
            fits = _is(_value(item, name), wanted)
        if not fits:
            return False
    return True


def _value(item: Any, name: str) -> Any:
    for part in name.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def _is(seen: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return all(
            seen is not None and COMPARISONS[name](seen, value) for name, value in wanted.items()
        )
    if isinstance(seen, list):
        return wanted in seen
    return bool(seen == wanted)


def ordered(asked: Json, items: list[Json]) -> list[Json]:
    """Items in the order that is asked for; else as they are."""
    if "+order_by" not in asked:
        return items
    name, down = asked["+order_by"], asked.get("+order") == "desc"
    return sorted(items, key=lambda item: str(_value(item, name)), reverse=down)
