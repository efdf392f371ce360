"""A trainer and two students: see where they are, look over a shoulder, speak, stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from brihaspati import wiring
from brihaspati.entrypoints.cli.fresh import fresh_server
from browsing import LAB_ENDS, Faults, join, opened, play, screen, sign_in_trainer, type_line


@dataclass(frozen=True)
class Room:
    trainer: Page
    asha: Page
    bela: Page


@pytest.fixture(scope="module")
def room(chromium: Browser) -> Iterator[Room]:
    """One class through this file's tests in their order."""
    faults = Faults()
    with (
        fresh_server(wiring.open_shop({}), seats=20, pool=0) as server,
        opened(chromium, faults) as here,
        opened(chromium, faults) as one,
        opened(chromium, faults) as other,
    ):
        asha, bela = join(one, server, "Asha Rao"), join(other, server, "Bela Sen")
        play(asha)
        play(bela)
        yield Room(sign_in_trainer(here, server), asha, bela)
        assert faults.beyond(LAB_ENDS) == []


def test_the_board_shows_who_works_and_who_is_done_with_what(room: Room) -> None:
    students = room.trainer.get_by_role("list", name="Students", exact=True)
    expect(students.get_by_role("checkbox")).to_have_count(2)
    type_line(room.asha, "echo Asha >> /srv/observatory/visitors.txt")
    room.asha.get_by_role("radio", name="Mira alone").click()
    room.asha.get_by_role("button", name="Answer").click()
    ashas = students.get_by_role("listitem").filter(has_text="Asha Rao")
    expect(ashas.get_by_label("1 of 7 steps done")).to_be_visible()
    belas = students.get_by_role("listitem").filter(has_text="Bela Sen")
    expect(belas.get_by_label("0 of 7 steps done")).to_be_visible()


def test_a_raised_hand_comes_first(room: Room) -> None:
    room.bela.get_by_role("button", name="Help").click()
    room.bela.get_by_role("textbox", name="What is it about?").fill("Where is the book?")
    room.bela.get_by_role("button", name="Raise my hand").click()
    queue = room.trainer.get_by_role("region", name="Needs you")
    expect(queue.get_by_role("button")).to_have_count(1)
    expect(queue).to_contain_text("Bela Sen")
    room.bela.keyboard.press("Escape")


def test_a_trainer_looks_over_a_shoulder_and_types_along_which_the_student_sees(room: Room) -> None:
    queue = room.trainer.get_by_role("region", name="Needs you")
    queue.get_by_role("button", name="Bela Sen").click()
    type_line(room.bela, "echo seen-$((6*7))")
    expect(screen(room.trainer)).to_contain_text("seen-42")
    expect(room.bela.get_by_text("Prof Iyer is watching")).to_be_visible()
    room.trainer.get_by_role("button", name="Take over").click()
    expect(room.bela.get_by_text("Prof Iyer is typing with you")).to_be_visible()
    type_line(room.trainer, "echo help-$((5*5))")
    expect(screen(room.bela)).to_contain_text("help-25")
    room.bela.get_by_role("button", name="One more shell").click()
    type_line(room.bela, "echo more-$((6*8))")
    room.trainer.get_by_role("button", name="main 2").click()
    expect(screen(room.trainer)).to_contain_text("more-48")
    expect(room.bela.get_by_text("Prof Iyer is watching")).to_be_visible()
    room.trainer.get_by_role("button", name="Lower hand").click()
    room.trainer.get_by_role("button", name="Close").click()
    expect(room.trainer.get_by_text("Nobody is waiting for you.")).to_be_visible()


def test_what_the_trainer_says_is_on_every_lab_page(room: Room) -> None:
    room.trainer.get_by_role("button", name="Broadcast").click()
    room.trainer.get_by_role("textbox", name="Message").fill("We compare notes at 11:15.")
    room.trainer.get_by_role("button", name="Send").click()
    expect(room.trainer.get_by_text("Sent to 2 students.", exact=True)).to_be_visible()
    for page in (room.asha, room.bela):
        words = page.get_by_role("complementary", name="Message of the trainer")
        expect(words).to_contain_text("We compare notes at 11:15.")


def test_stop_all_can_be_undone_and_else_stops_all(room: Room) -> None:
    def stop_all() -> None:
        room.trainer.get_by_role("button", name="Stop all").click()
        room.trainer.get_by_role("button", name="Stop 2 labs").click()

    stop_all()
    room.trainer.get_by_role("button", name="Undo").click()
    type_line(room.asha, "echo still-$((2*3))")
    expect(screen(room.asha)).to_contain_text("still-6")
    stop_all()
    for page in (room.asha, room.bela):
        expect(page.get_by_role("heading", name="Lab ended")).to_be_visible()
