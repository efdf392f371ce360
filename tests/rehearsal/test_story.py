"""The cloud mode deployed to an emulator of AWS: the first minute of `make cloud-test`."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from packing import build, wheels

from rehearsal import rights, stage, story
from rehearsal.account import Failed
from rehearsal.rights import Right
from tidy import tracked

ASKED = {
    "role": "brihaspati-local-AuthRole-5BDF853C70602",
    "action": "dynamodb:GetItem",
    "resource": "arn:aws:dynamodb:eu-central-1:000000000000:table/brihaspati-local",
    "refused": False,
}
GRANTED = Right("AuthRole", ASKED["action"], ASKED["resource"])  # type: ignore[arg-type]


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_student_joins_plays_types_and_stops_on_the_deployed_functions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if why := stage.missing_here():
        pytest.skip(why)
    try:
        wheels.lambda_python()
    except wheels.CannotPack as missing:
        pytest.skip(str(missing))
    subprocess.run([tracked.ROOT / "scripts/template", "install"], check=True, capture_output=True)
    build.build("x86_64")
    with stage.opened() as on:
        told = story.Story(on)
        try:
            told.play(told.short())
        except Failed as error:
            raise AssertionError(f"{told.step}: {error}\n{on.what_was()}") from error
        refused = [note for note in on.aws.notes("asked") if note["refused"]]
    assert refused == []
    assert capsys.readouterr().out.rstrip().rpartition("remove: ")[2].startswith("removed, nothing")


def test_rights_that_were_used_are_counted() -> None:
    said = rights.compare([GRANTED, replace(GRANTED, action="dynamodb:Scan")], [ASKED])
    assert said == "none was missing; 1 of 2 that are granted were used"


def test_a_right_that_is_missing_is_told() -> None:
    with pytest.raises(Failed, match="refused, though the story needed it:\nbrihaspati-local-Auth"):
        rights.compare([GRANTED], [ASKED | {"refused": True}])


def test_a_right_covers_its_own_role_and_names_with_stars() -> None:
    stars = Right("AuthRole", "logs:PutLogEvents", "arn:aws:logs:a:b:log-group:/c:*")
    asked = ASKED | {"action": "logs:PutLogEvents", "resource": "arn:aws:logs:a:b:log-group:/c:d"}
    assert stars.covers(asked)
    assert not stars.covers(asked | {"role": "brihaspati-local-WarmRole-5BDF"})
    assert not stars.covers(asked | {"resource": "arn:aws:logs:a:b:log-group:/x:d"})
