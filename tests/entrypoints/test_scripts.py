"""Scripts of labs as the server runs them: through its own agent, beside everything else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
import uvloop

from brihaspati import ports
from brihaspati.entrypoints.server.agents import OUTPUT_BYTES_MAX, HubAgents
from brihaspati.entrypoints.server.aside import Aside
from brihaspati_agent import local, places
from brihaspati_agent.hub import Hub


class Here(local.LocalPlace):
    """This host; whoever runs the tests stands in for root, and for nobody else."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float = 30,
        output_bytes_max: int = 65536,
        user: str | None = None,
    ) -> places.Outcome:
        if user != "root":
            raise places.PlaceError(f"{user} may not look")
        return super().run(
            argv, stdin=stdin, timeout_seconds=timeout_seconds, output_bytes_max=output_bytes_max
        )


class Broken(local.LocalPlace):
    """A machine in which nothing starts any more."""

    def run(self, argv: Sequence[str], **_how: object) -> places.Outcome:
        raise places.PlaceError(f"cannot run {argv[0]}: no such file")


def at(label: str) -> places.Place:
    if label == "gone":
        raise places.NoSuchMachine(label)
    return Broken() if label == "broken" else Here()


@pytest.fixture
def agents() -> Iterator[HubAgents]:
    made, loop = HubAgents(), uvloop.new_event_loop()
    made.serve(Hub(at, lambda: 0), loop)
    yield made
    loop.close()


def test_a_script_says_how_it_ended_and_what_it_printed(agents: HubAgents) -> None:
    outcome = agents.run("here", "echo said; echo not this >&2; exit 3", seconds_max=10)
    assert outcome == ports.ScriptOutcome(3, "said\n")


def test_a_script_reads_nothing_and_is_in_no_process_list(agents: HubAgents) -> None:
    script = 'cat; tr "\\0" " " < /proc/$$/cmdline | grep -c marigold'
    assert agents.run("here", script, seconds_max=10).output == "0\n"


def test_a_script_that_does_not_end_is_ended(agents: HubAgents) -> None:
    assert agents.run("here", "echo begun; sleep 60", seconds_max=0.2).timed_out


def test_output_that_is_no_text_or_without_end_is_cut_and_read_as_well_as_it_goes(
    agents: HubAgents,
) -> None:
    outcome = agents.run("here", "printf '\\377ok'; head -c 1M /dev/zero", seconds_max=10)
    assert outcome.output.startswith("\ufffdok")
    assert len(outcome.output) == OUTPUT_BYTES_MAX


@pytest.mark.parametrize(
    ("label", "why"), [("gone", "its machine is gone."), ("broken", "cannot run bash: no such")]
)
def test_what_cannot_be_reached_says_why(agents: HubAgents, label: str, why: str) -> None:
    with pytest.raises(ports.Unreachable, match=why):
        agents.run(label, "true", seconds_max=1)


def test_before_there_is_an_agent_nothing_can_be_reached() -> None:
    with pytest.raises(ports.Unreachable, match="just starting"):
        HubAgents().run("here", "true", seconds_max=1)


def test_so_many_go_aside_at_once_and_the_others_wait() -> None:
    aside, hold, together = Aside(2), threading.Event(), threading.Barrier(3)
    over = threading.Semaphore(0)
    running: list[int] = []

    def script() -> None:
        running.append(1)
        if len(running) <= 2:
            together.wait(30)
            hold.wait(30)
        running.append(-1)
        over.release()

    for _ in range(4):
        aside(script)
    together.wait(30)
    assert running == [1, 1]
    hold.set()
    for _ in range(4):
        assert over.acquire(timeout=30)
    assert sum(running) == 0


def test_what_fails_aside_is_logged_and_the_next_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    aside, begun, over = Aside(1), threading.Event(), threading.Event()

    def broken() -> None:
        begun.set()
        raise OSError("no disk")

    aside(broken)
    assert begun.wait(30)
    aside(over.set)
    assert over.wait(30)
    assert "not written down" in caplog.text
