"""What a server says on the terminal it was started in."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from brihaspati.entrypoints.server.local import LocalServer


def greeting(server: LocalServer) -> str:
    """Where it is, how a class joins, how a trainer signs in, how it ends."""
    code = server.parts.code
    return (
        f"\n  Brihaspati is ready:  {server.address}\n"
        f"  Join code:            {code}   ({server.address}/join/{code})\n"
        f"  Trainers and admins:  {_command()} sign-in\n"
        f"  Ctrl-C stops the server; labs end two minutes later unless it comes back.\n"
    )


def _command() -> str:
    """How whoever started us would start us again."""
    given = Path(sys.argv[0])
    if given.name != "brihaspati" or shutil.which("brihaspati") == str(given.absolute()):
        return "brihaspati"
    return os.path.relpath(given)
