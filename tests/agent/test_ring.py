from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brihaspati_agent import modes, ring


def test_bytes_are_numbered_from_the_beginning_whatever_is_forgotten() -> None:
    kept = ring.Ring(1000)
    line = b"0123456789\n"
    for _ in range(5000):
        kept.append(line)
    assert kept.end == 55_000
    assert 1000 - len(line) <= kept.end - kept.start <= 1000 + 17_000
    assert kept.start % len(line) == 0, "cut at a line"
    assert kept.since(kept.end - 3, 100) == b"89\n"
    assert kept.since(kept.start, 4) == b"0123"


@given(st.lists(st.binary(max_size=9000), max_size=30))
def test_what_is_kept_is_always_the_end_of_what_was_written(pieces: list[bytes]) -> None:
    kept = ring.Ring(20_000)
    for piece in pieces:
        kept.append(piece)
    whole = b"".join(pieces)
    assert kept.end == len(whole)
    assert kept.since(kept.start, len(whole)) == whole[kept.start :]
    assert kept.end - kept.start <= 20_000 + 16 * 1024


def test_modes_that_fell_out_come_first_in_a_repaint() -> None:
    kept = ring.Ring(10_000)
    kept.append(b"\x1b[?1h\x1b[?2004h\x1b[31;1mred\n")
    kept.append(b"x" * 79 + b"\n")
    while kept.start == 0:
        kept.append((b"y" * 79 + b"\n") * 20)
    picture, _ = kept.repaint(10_000)
    assert picture.startswith(b"\x1bc")
    head = picture[: picture.index(b"y")]
    for wanted in (b"\x1b[?1h", b"\x1b[?2004h", b"31", b"1"):
        assert wanted in head
    assert b"red" not in picture


def test_a_short_repaint_is_the_end_of_the_ring_and_knows_the_modes_before_it() -> None:
    kept = ring.Ring(100_000)
    kept.append(b"\x1b[?1049h" + b"line\n" * 1000 + b"\x1b[4m" + b"last\n" * 400)
    picture, state = kept.repaint(1000)
    assert state.alternate
    assert picture.startswith(b"\x1bc\x1b[?1049h")
    assert picture.endswith(b"last\nlast\n")
    assert len(picture) < 1100
    assert b"\x1b[4m" in picture[:40]


@pytest.mark.parametrize(
    ("data", "wanted", "cut"),
    [
        (b"abc\ndef", 1, 4),
        (b"abc\x1b[31mdef", 1, 3),
        ("aaéé".encode(), 3, 4),
        ("a€€".encode(), 2, 4),
        (b"x\x1b]0;a title\n more\x07rest", 8, 19),
        (b"x\x1bPq#0\nsixel\n\x1b\\rest", 5, 15),
    ],
)
def test_output_is_cut_where_a_reader_can_begin(data: bytes, wanted: int, cut: int) -> None:
    assert ring.safe_cut(bytearray(data), wanted) == cut


@given(st.text(max_size=50), st.integers(min_value=0, max_value=200))
def test_cut_text_and_its_held_tail_never_split_a_character(text: str, place: int) -> None:
    data = text.encode()[:place]
    tail = ring.incomplete_tail(data)
    data[: len(data) - tail].decode()


@given(st.binary(max_size=20))
def test_a_tail_is_held_only_if_it_could_become_a_character(data: bytes) -> None:
    tail = ring.incomplete_tail(data)
    assert 0 <= tail <= 3
    if tail:
        assert re.fullmatch(rb"[\xc2-\xf4][\x80-\xbf]{0,2}", data[-tail:])


@pytest.mark.parametrize(
    "said",
    [
        b"\x1b[?1049h",
        b"\x1b[?47h",
        b"\x1b[?1h",
        b"\x1b[?25l",
        b"\x1b[?1000h\x1b[?1006h",
        b"\x1b[4h",
        b"\x1b=",
        b"\x1b(0",
        b"\x0e",
        b"\x1b[3;20r",
        b"\x1b[2 q",
        b"\x1b[>4;2m",
        b"\x1b[1m",
        b"\x1b[38;5;200m",
        b"\x1b[48;2;1;2;3m",
        b"\x1b]0;title\x07",
    ],
)
def test_every_mode_a_program_sets_is_said_again(said: bytes) -> None:
    state = modes.Modes()
    state.read(b"before" + said + b"after")
    assert said in state.prefix()
    again = modes.Modes()
    again.read(state.prefix())
    assert again.prefix() == state.prefix()


@pytest.mark.parametrize(
    "undone",
    [
        b"\x1b[1;31;44m\x1b[m",
        b"\x1b[1;31;44m\x1b[0m",
        b"\x1b[1m\x1b[22m",
        b"\x1b[38;5;3m\x1b[39m",
        b"\x0e\x0f",
        b"\x1b[2;4r\x1b[r",
        b"\x1b[?1h\x1b[31m\x1b(0\x1bc",
    ],
)
def test_what_was_undone_is_not_said_again(undone: bytes) -> None:
    state = modes.Modes()
    state.read(undone)
    assert state.prefix() == b"\x1bc"


def test_a_mode_switched_off_stays_off() -> None:
    state = modes.Modes()
    state.read(b"\x1b[?25l\x1b[?25h\x1b[?1049h\x1b[?1049l")
    assert not state.alternate
    assert b"\x1b[?25h" in state.prefix()
    assert b"\x1b[?1049h" not in state.prefix()


@pytest.mark.parametrize(
    "query",
    [
        b"\x1b[c",
        b"\x1b[>c",
        b"\x1b[6n",
        b"\x1b[?6n",
        b"\x1b]10;?\x07",
        b"\x1b]11;?\x1b\\",
        b"\x1b[18t",
        b"\x1bP+q544e\x1b\\",
        b"\x1b[>q",
        b"\x1b[?2026$p",
        b"\x1b[?u",
    ],
)
def test_old_questions_to_the_terminal_are_not_asked_again(query: bytes) -> None:
    assert modes.without_queries(b"a" + query + b"b\x1b[31mc") == b"ab\x1b[31mc"


@pytest.mark.parametrize(
    "reply",
    [
        b"\x1b[?1;2c",
        b"\x1b[>0;276;0c",
        b"\x1b[12;40R",
        b"\x1b[0n",
        b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
        b"\x1b]10;rgb:ff/ff/ff\x07\x1b[?1;2c",
        b"\x1b[?2026;2$y",
        b"\x1bP1$r0m\x1b\\",
    ],
)
def test_a_terminals_own_answers_are_known(reply: bytes) -> None:
    assert modes.is_reply(reply)
    assert not modes.is_reply(reply + b"x")


@pytest.mark.parametrize(
    "keys", [b"a", b"\x1b", b"\x1b[A", b"\x1bOP", b"\x1b[200~x\x1b[201~", b"\r"]
)
def test_keys_are_not_taken_for_answers(keys: bytes) -> None:
    assert not modes.is_reply(keys)


@given(st.binary(max_size=400))
def test_no_output_upsets_the_reader_of_modes(data: bytes) -> None:
    state = modes.Modes()
    state.read(data.replace(b"x", b"\x1b[").replace(b"y", b"\x1b]"))
    state.prefix()
    modes.without_queries(data)


@given(
    st.lists(st.sampled_from([b"\x1b[", b"?", b"1", b";", b":", b"h", b"m", b"38", b"5", b"!p"]))
)
def test_no_control_sequence_upsets_the_reader_of_modes(pieces: list[bytes]) -> None:
    state = modes.Modes()
    state.read(b"".join(pieces))
    state.prefix()


def test_a_program_cannot_make_the_list_of_modes_grow_for_ever() -> None:
    state = modes.Modes()
    state.read(b"".join(b"\x1b[?%dh" % number for number in range(10_000)))
    assert len(state.prefix()) < 1000
