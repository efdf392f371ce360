"""Whether roles have what they need: rights granted beside rights used and missed."""

from __future__ import annotations

import fnmatch
import itertools
import json
import urllib.parse
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.account import STACK, Account, Failed


@dataclass(frozen=True, order=True)
class Right:
    """A role, by its name in the template, an action, and a resource that may have stars."""

    role: str
    action: str
    resource: str

    def covers(self, asked: Mapping[str, Any]) -> bool:
        """Whether it is by this right that something was allowed."""
        return (
            role_of(asked["role"]) == self.role
            and asked["action"] == self.action
            and fnmatch.fnmatchcase(asked["resource"], self.resource)
        )


def role_of(name: str) -> str:
    """A role's name in the template: brihaspati-local-AuthRole-5BDF853C70602 is AuthRole."""
    return name.removeprefix(f"{STACK}-").rpartition("-")[0]


def granted(aws: Account) -> list[Right]:
    """What the deployed roles of the stack have."""
    ask, found = aws.services.of("iam"), []
    for role in (one["RoleName"] for one in ask("list_roles")["Roles"]):
        if not role.startswith(STACK):
            continue
        for policy in ask("list_role_policies", RoleName=role)["PolicyNames"]:
            said = ask("get_role_policy", RoleName=role, PolicyName=policy)["PolicyDocument"]
            document = said if isinstance(said, dict) else json.loads(urllib.parse.unquote(said))
            for statement in document["Statement"]:
                pairs = itertools.product(
                    _listed(statement["Action"]), _listed(statement["Resource"])
                )
                found += [Right(role_of(role), *pair) for pair in pairs]
    return sorted(found)


def compare(rights: Iterable[Right], asked: Collection[Mapping[str, Any]]) -> str:
    """What to say of them. Raises Failed for one that was missing.

    That none is too many is seen by tests/amazon/test_permissions.py, with every route.
    """
    refused = [f"{n['role']} {n['action']} {n['resource']}" for n in asked if n["refused"]]
    if refused:
        raise Failed("refused, though the story needed it:\n" + "\n".join(refused))
    rights = list(rights)
    used = [right for right in rights if any(map(right.covers, asked))]
    return f"none was missing; {len(used)} of {len(rights)} that are granted were used"


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
