"""Named scenes, told in words a trainer can read: `UPDATE_STORIES=1` writes them anew."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from brihaspati.simulation import mutants
from brihaspati.simulation.cloud import HOUR
from simulation.scene import Scene

FOLDER = Path(__file__).parent / "stories"
Story = Callable[[], Scene]
STORIES: dict[str, Story] = {}


def story(tell: Story) -> Story:
    """Keep a story under its name; its first line is the title, the rest is for the reader."""
    STORIES[tell.__name__.replace("_", "-")] = tell
    return tell


@story
def a_student_plays_works_and_stops() -> Scene:
    """A good day.

    Asha plays, works, takes ten minutes more, and stops. What is to be done is always written
    down before it is done: the alarm that ends the lab is older than its machine.
    """
    scene = Scene("good day")
    asha = scene.student("Asha")
    asha.plays()
    scene.wait(minutes=5)
    asha.types()
    scene.wait(minutes=20)
    asha.extends()
    scene.wait(minutes=10)
    asha.stops()
    return scene


@story
def the_answer_to_a_create_is_lost() -> Scene:
    """The cloud makes the machine, and its answer is lost.

    Asking again would make a second one. The server looks for the first by its label instead,
    and adopts it.
    """
    scene = Scene("answer lost")
    asha = scene.student("Asha")
    scene.fate.send("create times out, machine made")
    asha.plays()
    scene.wait(minutes=10)
    asha.stops()
    return scene


@story
def sold_out_at_first() -> Scene:
    """The cloud has no machine left, twice.

    A refusal is clear: nothing was made, so another attempt, under a label of its own, is safe.
    """
    scene = Scene("sold out")
    asha = scene.student("Asha")
    scene.fate.send("sold out", times=2)
    asha.plays()
    scene.wait(minutes=10)
    asha.stops()
    return scene


@story
def the_laptop_closes_and_two_hours_pass() -> Scene:
    """Asha closes the laptop and goes; nobody presses Stop.

    The alarm ends the lab when its time is up. Two hours later Asha reads why, and plays again.
    """
    scene = Scene("laptop")
    asha = scene.student("Asha")
    asha.plays()
    scene.wait(minutes=5)
    asha.types()
    asha.does("closes the laptop")
    scene.wait(minutes=120)
    asha.does("opens the laptop")
    asha.looks()
    asha.plays()
    scene.wait(minutes=1)
    asha.stops()
    return scene


@story
def the_server_dies_between_saving_and_creating() -> Scene:
    """The attempt is saved, the server dies before it asks for the machine.

    The next server cannot know whether it was asked for. It never asks under the same label
    again: it looks, finds nothing four times, and makes another attempt.
    """
    scene = Scene("dies")
    asha = scene.student("Asha")
    scene.when("starting", lambda: scene.fate.send("process killed"))
    asha.plays()
    scene.wait(minutes=10)
    asha.stops()
    return scene


@story
def deletes_lie_for_an_hour() -> Scene:
    """For an hour the cloud says "deleted", and deletes nothing.

    Nobody believes it: the look-up and the inventory still show the machine, so it is asked
    again, with growing pauses, and counted until it is really gone.
    """
    scene = Scene("lies")
    asha = scene.student("Asha")
    asha.plays()
    scene.wait(minutes=10)
    scene.fate.send_for("delete lies", HOUR)
    asha.stops()
    scene.wait(minutes=61)
    return scene


@story
def the_trainer_stops_the_class() -> Scene:
    """Prof. Iyer ends the labs of three students at once.

    Chen's is only just starting, and nobody knows yet what comes of it. The machine that the cloud
    then makes is not wanted any more, and goes at once.
    """
    scene = Scene("stop all")
    asha, ben, chen = (scene.student(name) for name in ("Asha", "Ben", "Chen"))
    asha.plays()
    ben.plays()
    scene.wait(minutes=10)
    chen.plays()
    scene.after(scene.trainer_stops_all, seconds=0.6)
    scene.wait(minutes=1)
    chen.looks()
    return scene


@story
def the_class_ends() -> Scene:
    """A class of thirty minutes: labs end with it, whatever time they had left."""
    scene = Scene("class ends", closes_after=30)
    asha, ben = scene.student("Asha"), scene.student("Ben")
    asha.plays()
    scene.wait(minutes=27)
    ben.plays()
    scene.wait(minutes=5)
    ben.looks()
    return scene


@story
def a_stray_goes_and_a_stranger_stays() -> Scene:
    """Two machines that no lab knows: m1 bears our mark, m2 is somebody else's.

    A machine with our mark must be seen twice before it is deleted: at the first sight it might
    belong to a lab that is being saved just now. What is not ours is never touched.
    """
    scene = Scene("stray")
    scene.cloud.make("bh-sim-nobodysplace-a1-main")
    scene.cloud.make("bh-prod-elsewhere-a1-main", stranger=True)
    scene.wait(minutes=5)
    stranger = scene.cloud.boxes["m2"]
    scene.narrator.say(f"{stranger.id} {'runs still' if stranger.ended_at is None else 'is gone'}")
    return scene


@story
def a_double_click_on_two_devices() -> Scene:
    """Asha presses Play on the laptop and, in the same moment, on the phone.

    Both have read that there is no lab yet. Only one of the two writes is taken; the other device
    then finds the lab that there is.
    """
    scene = Scene("two devices")
    asha = scene.student("Asha")
    scene.meanwhile(lambda: asha.plays("phone"))
    asha.plays("laptop")
    scene.wait(minutes=10)
    asha.stops()
    return scene


@story
def two_claim_the_last_warm_lab() -> Scene:
    """One lab is kept warm, and two students press Play in the same moment.

    One of them gets it without waiting, the other a fresh one: it is never given to both.
    """
    scene = Scene("warm", pool=1, closes_after=15)
    asha, ben = scene.student("Asha"), scene.student("Ben")
    scene.wait(minutes=3)
    scene.meanwhile(ben.plays)
    asha.plays()
    scene.wait(minutes=5)
    asha.stops()
    ben.stops()
    return scene


@story
def an_operator_deletes_a_machine_by_hand() -> Scene:
    """Somebody tidies up at the cloud's own pages, and takes Asha's machine away.

    The sweep misses it in the inventory, looks it up to be sure, and tells Asha why.
    """
    scene = Scene("operator")
    asha = scene.student("Asha")
    asha.plays()
    scene.wait(minutes=10)
    scene.operator_deletes("m1")
    scene.wait(minutes=2)
    asha.looks()
    asha.plays()
    scene.wait(minutes=5)
    asha.stops()
    return scene


@story
def messages_come_twice_and_late() -> Scene:
    """Messages are repeated, and the one that matters comes hours late.

    A message says only "look": whoever looks twice, or late, does nothing twice. Where it comes
    too late, the sweep has looked before: what is to be done is in the store, not in messages.
    """
    scene = Scene("messages")
    asha = scene.student("Asha")
    scene.shows_messages = True
    scene.fate.send("message repeated", times=3)
    asha.plays()
    scene.wait(minutes=5)
    scene.fate.send("message hours late")
    scene.fate.send("message repeated")
    asha.stops()
    scene.wait(minutes=190)
    return scene


def told(name: str) -> str:
    """A story as its file has it: title and remark, then what really happened."""
    tell = STORIES[name]
    title, _, remark = textwrap.dedent(f"    {tell.__doc__ or ''}").strip().partition("\n")
    head = [title, *(line.rstrip() for line in remark.strip().splitlines())]
    return "\n".join([*head, "", *tell().close()]) + "\n"


@pytest.mark.parametrize("name", STORIES)
def test_a_story_happens_as_it_is_told(name: str) -> None:
    path, now = FOLDER / f"{name}.txt", told(name)
    if os.environ.get("UPDATE_STORIES"):
        path.write_text(now)
    assert path.read_text() == now
    assert now.endswith("every promise was kept, and every chain of the scrub record holds\n")


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ("deletes are trusted", "deletes-lie-for-an-hour"),
        ("unclear creates are repeated", "the-answer-to-a-create-is-lost"),
        ("claims not checked", "two-claim-the-last-warm-lab"),
        ("no sweep", "messages-come-twice-and-late"),
    ],
)
def test_a_broken_engine_tells_another_story(broken: str, name: str) -> None:
    [mutant] = [m for m in mutants.MUTANTS if m.name == broken]
    with mutant():
        assert told(name) != (FOLDER / f"{name}.txt").read_text()


def test_every_story_on_paper_is_still_told() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(STORIES)
