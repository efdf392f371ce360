"""Why a request cannot be done: a kind the entry points know, and words for the person."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "not_found",
    "not_signed_in",
    "not_allowed",
    "bad_field",
    "class_closed",
    "class_full",
    "name_taken",
    "not_expected",
    "changed_meanwhile",
    "too_many_sandboxes",
    "budget_spent",
    "no_machines",
    "not_ready",
    "link_spent",
    "busy",
    "store_full",
]


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """A request that cannot be done. `field` names the input at fault, `fix` what to do."""

    def __init__(
        self, kind: Kind, title: str, fix: str | None = None, *, field: str | None = None
    ) -> None:
        super().__init__(title)
        self.kind = kind
        self.title = title
        self.fix = fix
        self.field = field
