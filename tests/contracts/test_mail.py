"""What every carrier of letters keeps."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters import mailbox, memory
from contracts import engines
from emulators import amazon_stand

TEXT = "नमस्ते Ada,\n\nopen https://example.org/sign-in#" + "a" * 200 + "\n"


@pytest.fixture(params=["memory", "mailbox", "ses"])
def mail(request: pytest.FixtureRequest, stand: engines.Stand, tmp_path: Path) -> ports.Mail:
    if request.param == "memory":
        return memory.Mail()
    if request.param == "ses":
        return amazon_stand.Sent(stand.address(stand.amazon))
    return mailbox.Mailbox(tmp_path / "mail", memory.ManualClock())


def _letters(mail: ports.Mail, tmp_path: Path) -> list[tuple[str, str, str]]:
    if isinstance(mail, amazon_stand.Sent):
        return mail.letters()
    if isinstance(mail, memory.Mail):
        return [(letter.to, letter.subject, letter.text) for letter in mail.letters]
    found = []
    for path in sorted((tmp_path / "mail").iterdir()):
        letter = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert path.stat().st_mode & 0o777 == 0o600
        body = letter.get_content().replace("\r\n", "\n")
        found.append((str(letter["To"]), str(letter["Subject"]), body))
    return found


def test_a_letter_arrives_whole(mail: ports.Mail, tmp_path: Path) -> None:
    mail.send("ada@example.org", "Your class: 😀 नमस्ते", TEXT)
    assert _letters(mail, tmp_path) == [("ada@example.org", "Your class: 😀 नमस्ते", TEXT)]


def test_two_letters_of_one_moment_both_arrive(mail: ports.Mail, tmp_path: Path) -> None:
    mail.send("a@example.org", "one", "1\n")
    mail.send("b@example.org", "two", "2\n")
    assert {to for to, _, _ in _letters(mail, tmp_path)} == {"a@example.org", "b@example.org"}


@pytest.mark.parametrize(
    ("to", "subject"),
    [("a@example.org\nBcc: all@example.org", "x"), ("a@example.org", "x\r\nBcc: all@example.org")],
)
def test_no_header_can_be_smuggled_in(
    mail: ports.Mail, tmp_path: Path, to: str, subject: str
) -> None:
    with pytest.raises(ValueError, match=r"line breaks|linefeed|newline|CR|LF"):
        mail.send(to, subject, "text")
    assert not (tmp_path / "mail").exists() or _letters(mail, tmp_path) == []
