"""The files of a new lab: small, complete, tested. Every part of the format is in it once."""

from __future__ import annotations

import re
from pathlib import Path

from brihaspati.entrypoints.cli.shop import CannotRun

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_LETTERS_MAX = 32

LAB = """\
schema: 1
name: {name}
title: {title}
summary: The student leaves a greeting on a machine, and finds out who they are there.
lifetime_minutes: 30
machines:
  - name: lab
    memory_mb: 128
    requires: [bash, id]
    setup: setup.sh
steps:
  - file: steps/01-greet.md
    minutes: 5
    checks:
      - {{file: checks/01-file.sh, title: The greeting is there, watch: true}}
      - {{file: checks/01-name.sh, title: It has your own name in it, watch: true}}
    solve: solve/01.sh
    hints:
      - A word after `echo` is printed. What stands after `>` is the file it goes into.
      - |
        Press the up arrow to get the command back, and put your name in the place of Asha:

        ```sh type
        echo "Hello from Asha" > ~/hello.txt
        ```
  - file: steps/02-who.md
    minutes: 5
    check: checks/02.sh
    solve: solve/02.sh
    hints:
      - "`id -un` prints nothing but the name."
    quiz:
      - question: What would `echo hi >> ~/hello.txt` do?
        options:
          - {{text: Replace the greeting, why: That is what one `>` does.}}
          - {{text: Add a line to it, right: true}}
        why: Two signs add at the end; what was there stays.
      - question: Which number does `id -u` print for root?
        answers: ["0", zero]
        why: Root is the user with the number 0, whatever it is called.
"""

SETUP = """\
#!/bin/bash
# Runs once, as root, before the lab is ready. Keep it quick.
echo "Be kind to the next visitor." >/etc/motd
"""

GREET = """\
# Leave a greeting

This machine is yours alone, and it is deleted when you stop. Somebody left a line in
[/etc/motd](file:/etc/motd); read it in the terminal:

```sh run
cat /etc/motd
```

Now leave a line of your own. Put your name where it says Asha, then press Enter:

```sh type
echo "Hello from Asha" > ~/hello.txt
```

> [!tip] Look at it
> `cat ~/hello.txt` prints the file.
"""

WHO = """\
# Who are you?

Every program runs as somebody. Ask who you are here:

```sh run
id
```

The first part is a number and, in brackets, a name. Keep the name:

```sh run
id -un > ~/who.txt
```
"""

CHECK_FILE = """\
#!/bin/bash
# Runs as root. Exit 0: done. Exit 1: not yet. What it prints is said to the student.
if [ ! -s /root/hello.txt ]; then
    echo "There is no ~/hello.txt yet. The last block of the page writes it."
    exit 1
fi
echo "Your greeting is there."
"""

CHECK_NAME = """\
#!/bin/bash
if ! grep -q '[^[:space:]]' /root/hello.txt 2>/dev/null; then
    echo "Nothing is written in ~/hello.txt yet."
    exit 1
fi
if grep -q Asha /root/hello.txt; then
    echo "It still says Asha. Put your own name there."
    exit 1
fi
echo "Hello to you too."
"""

CHECK_WHO = """\
#!/bin/bash
if [ "$(cat /root/who.txt 2>/dev/null)" != root ]; then
    echo "~/who.txt does not hold your name on this machine yet. id -un prints it."
    exit 1
fi
echo "You are root: you may do everything here."
"""

SOLVE_GREET = """\
#!/bin/bash
# Does the step for the student, and for `brihaspati lab test`.
echo "Hello from the test" >/root/hello.txt
"""

SOLVE_WHO = """\
#!/bin/bash
id -un >/root/who.txt
"""

FILES = {
    "setup.sh": SETUP,
    "steps/01-greet.md": GREET,
    "steps/02-who.md": WHO,
    "checks/01-file.sh": CHECK_FILE,
    "checks/01-name.sh": CHECK_NAME,
    "checks/02.sh": CHECK_WHO,
    "solve/01.sh": SOLVE_GREET,
    "solve/02.sh": SOLVE_WHO,
}


def make(where: Path, name: str) -> Path:
    """Write the folder of a new lab. Raises CannotRun when the name or the place will not do."""
    if not NAME.fullmatch(name) or len(name) > NAME_LETTERS_MAX:
        raise CannotRun(
            f"{name!r} is no name for a lab; use lower-case letters, digits and single dashes,"
            f" starting with a letter, at most {NAME_LETTERS_MAX}"
        )
    folder = where / name
    if folder.exists():
        raise CannotRun(f"{folder} is there already; choose another name or place")
    title = name.replace("-", " ").capitalize()
    try:
        for path, text in {"lab.yaml": LAB.format(name=name, title=title), **FILES}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    except OSError as error:
        raise CannotRun(f"{folder} cannot be written: {error.strerror}") from error
    return folder
