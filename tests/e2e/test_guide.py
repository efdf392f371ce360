"""The guide beside the terminal: run a step, checks, hints, questions, the editor, help."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from brihaspati.entrypoints.cli.fresh import FreshServer
from browsing import Faults, join, opened, play, press_run, screen, tab, turn_to, type_line

SIGN = "echo '2026  Kiran' >> /srv/observatory/visitors.txt"


@pytest.fixture(scope="module")
def page(server: FreshServer, chromium: Browser) -> Iterator[Page]:
    """One student, through this file's tests in their order: each is a little further."""
    faults = Faults()
    with opened(chromium, faults) as context:
        page = join(context, server, "Kiran Rao")
        play(page)
        yield page
        assert faults == []


def checks(page: Page) -> Locator:
    return page.get_by_role("region", name="Check your work")


def test_a_command_runs_in_the_terminal_and_says_that_it_was_sent(page: Page) -> None:
    press_run(page, 0)
    expect(page.get_by_role("group", name="Command").nth(0)).to_contain_text("Ran")
    press_run(page, 1)
    type_line(page, "pwd | tr a-z A-Z")
    expect(screen(page)).to_contain_text("/SRV/OBSERVATORY")


def test_a_check_that_fails_says_what_is_missing(page: Page) -> None:
    expect(checks(page)).to_contain_text("0 of 1 passed")
    page.get_by_role("navigation", name="Steps").get_by_role("button", name="Check").click()
    expect(checks(page)).to_contain_text("Not yet")


def test_a_hint_is_shown_when_asked_for(page: Page) -> None:
    page.get_by_role("button", name="Show hint 1 of 2").click()
    help_of_step = page.get_by_role("region", name="Help with this step")
    expect(help_of_step).to_contain_text("Where are you?")
    expect(page.get_by_role("button", name="Show hint 2 of 2")).to_be_visible()


def test_a_question_may_be_answered_until_it_is_right(page: Page) -> None:
    page.get_by_role("radio", name="The old names, and Mira below them").click()
    page.get_by_role("button", name="Answer").click()
    guide = page.get_by_role("region", name="Guide")
    expect(guide.get_by_text("Not quite. Try again.")).to_be_visible()
    expect(guide.get_by_text("That is what >> does.")).to_be_visible()
    page.get_by_role("radio", name="Mira alone").click()
    page.get_by_role("button", name="Answer").click()
    expect(guide.get_by_text("That is right.")).to_be_visible()
    expect(page.get_by_role("button", name="Answer")).to_be_hidden()


def test_a_check_that_watches_passes_by_itself_and_is_kept_after_a_reload(page: Page) -> None:
    type_line(page, SIGN)
    expect(checks(page)).to_contain_text("All checks passed")
    page.reload()
    expect(checks(page)).to_contain_text("1 of 1 passed")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", level=2, name="Read", exact=True)).to_be_visible()


def test_the_solution_does_a_step_and_says_so(page: Page) -> None:
    for number in (1, 2, 3):
        page.get_by_role("button", name=f"Show hint {number} of 3").click()
    page.get_by_role("button", name="Do it for me").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Do it for me").click()
    expect(checks(page)).to_contain_text("Done for you")


def test_a_file_is_changed_in_the_editor_and_saved(page: Page) -> None:
    type_line(page, "echo one > ~/poem.txt; echo wr''itten")
    expect(screen(page)).to_contain_text("written")
    tab(page, "Editor")
    page.get_by_role("treeitem", name="poem.txt").click()
    text = page.get_by_role("textbox", name="poem.txt")
    expect(text).to_contain_text("one")
    text.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("two, from the editor")
    expect(page.get_by_role("status").filter(has_text="Unsaved")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    tab(page, "main")
    type_line(page, "tail -n 1 ~/poem.txt | tr a-z A-Z")
    expect(screen(page)).to_contain_text("TWO, FROM THE EDITOR")


def test_a_link_in_the_guide_opens_a_file(page: Page) -> None:
    type_line(page, "mkdir -p ~/bin; echo '# moons' > ~/bin/moons; echo m''ade")
    expect(screen(page)).to_contain_text("made")
    turn_to(page, "Leave a tool behind")
    page.get_by_role("button", name="Show hint 1 of 3").click()
    page.get_by_role("link", name="~/bin/moons").first.click()
    expect(page.get_by_role("tab", name="Editor")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("textbox", name="/root/bin/moons")).to_be_visible()


def test_a_raised_hand_stays_up_until_it_is_lowered(page: Page) -> None:
    page.get_by_role("button", name="Help").click()
    with page.expect_response(re.compile("/hand$")):  # or the page is left before it has asked
        page.get_by_role("button", name="Raise my hand").click()
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("button", name="Hand raised").click()
    page.get_by_role("button", name="Lower my hand").click()
    expect(page.get_by_role("button", name="Hand raised")).to_be_hidden()


def test_the_class_page_tells_how_far_it_went(page: Page) -> None:
    page.get_by_role("link", name="Back to the class").click()
    card = page.get_by_role("listitem").filter(has_text="Find your way in the shell")
    expect(card).to_contain_text("2")
    expect(page.get_by_role("button", name="Resume lab")).to_be_visible()
