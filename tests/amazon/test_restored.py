"""Environments that Lambda restores from one snapshot are nobody's twins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from amazon.classes import CODE, SANDBOX, join, open_rented_class
from amazon.deployed import Deployed

SCRIPT = Path(__file__).parent / "restored.py"
SECONDS_MAX = 120


def lived(function: str, *lives: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """What a function answered in each of its lives, which begin from one and the same process."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), function],
        env={**os.environ, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"},
        input=json.dumps(lives),
        capture_output=True,
        timeout=SECONDS_MAX,
        check=True,
        text=True,
    )
    answers: list[list[dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_students_who_join_in_two_restored_environments_are_two(house: Deployed) -> None:
    open_rented_class()
    events = [
        house.event("POST", "/v1/join", {"code": CODE, "name": name}) for name in ("Asha", "Ben")
    ]
    asha, ben = ([one] for one in events)
    (first,), (second,) = lived("auth", asha, ben)
    assert [first["statusCode"], second["statusCode"]] == [201, 201]
    users = [json.loads(answer["body"])["user"]["id"] for answer in (first, second)]
    assert len(set(users)) == len(users)
    assert first["cookies"] != second["cookies"]


def test_labs_of_two_restored_environments_share_no_name(house: Deployed) -> None:
    open_rented_class()
    plays = [[house.event("PUT", SANDBOX, cookie=join(house, name))] for name in ("Asha", "Ben")]
    answers = [json.loads(life[0]["body"]) for life in lived("api_student", *plays)]
    names = [answer["sandbox"]["id"] for answer in answers]
    assert len(set(names)) == len(names)
