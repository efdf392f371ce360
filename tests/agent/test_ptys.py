"""A terminal's descriptor is one's own until it is closed, and no longer."""

from __future__ import annotations

import os
import pty
import termios

from brihaspati_agent import ptys


def test_a_closed_terminal_does_not_resize_whoever_has_its_number_now() -> None:
    master, slave = pty.openpty()
    os.close(slave)
    held = ptys.Master(master)
    assert held.hang_up()
    others, seen = pty.openpty()
    if others != master:
        os.dup2(others, master)
    try:
        termios.tcsetwinsize(seen, (24, 80))
        held.resize(132, 50)
        assert termios.tcgetwinsize(seen) == (24, 80)
        assert not held.hang_up()
        os.fstat(master)
    finally:
        for descriptor in {others, seen, master}:
            os.close(descriptor)


def test_a_terminal_has_the_size_it_was_given() -> None:
    master, slave = pty.openpty()
    held = ptys.Master(master)
    held.resize(132, 50)
    assert termios.tcgetwinsize(slave) == (50, 132)
    assert not os.get_blocking(held.fileno())
    held.hang_up()
    os.close(slave)
