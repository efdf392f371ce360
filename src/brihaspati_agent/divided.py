"""Begins a rented machine's agent: where it is root, it divides in two.

The agent, which talks to browsers, goes on as the user `brihaspati`, with no right but to listen
below port 1024, and cannot gain any. What is root stays as `hands`, and ends when the agent ends.
Each half loads what it needs when they are two: what both have loaded both have in memory, for
whoever looks at an object writes to it.
"""

from __future__ import annotations

import _socket  # as in `hands`
import gc
import os
import pwd
import sys

from brihaspati_agent import descriptors, hands

USER = "brihaspati"
# linux/prctl.h, linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 1, 4, 8, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION_3, _CAP_NET_BIND_SERVICE = 0x20080522, 10


def main(arguments: list[str]) -> int:
    """Divide, where we are root and there is such a user, and live; the exit status.

    Given are `--boot FILE --state FOLDER`.
    """
    descriptors.keep()
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    boot, state = given["--boot"], given["--state"]
    try:
        account = pwd.getpwnam(USER) if os.geteuid() == 0 else None
    except KeyError:
        print(f"there is no user {USER}: all of the agent is root", file=sys.stderr)  # noqa: T201
        account = None
    orders = None
    if account is not None:
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        gc.freeze()  # what is never looked at again stays one copy for both
        child = os.fork()
        if child:
            theirs.close()
            return hands.Hands(ours).serve(child)
        ours.close()
        orders = theirs.detach()
        _hand_over(boot, state, account)
        give_up_root(account)
    import pathlib  # noqa: PLC0415 - of which, as of the next, the root part needs nothing
    import socket  # noqa: PLC0415

    from brihaspati_agent import rented  # noqa: PLC0415

    line = None if orders is None else socket.socket(fileno=orders)
    return rented.main(pathlib.Path(boot), pathlib.Path(state), line)


def give_up_root(account: pwd.struct_passwd) -> None:
    """Be this user for good, with one right, and end with our parent. Raises OSError."""
    import ctypes  # noqa: PLC0415 - as above
    import signal  # noqa: PLC0415

    libc = ctypes.CDLL(None, use_errno=True)

    def must(done: int) -> None:
        if done != 0:
            raise OSError(ctypes.get_errno(), "cannot give up root")

    must(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bits = 1 << _CAP_NET_BIND_SERVICE
    must(libc.capset(head, (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)))
    must(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    # So that openssl, our child, can read the memory files that we give it keys in: for that it
    # must have no right less than we.
    must(libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))
    must(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_NET_BIND_SERVICE, 0, 0))
    must(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0))


def _hand_over(boot: str, state: str, account: pwd.struct_passwd) -> None:
    """Let the agent's user have what only the agent reads and writes."""
    import contextlib  # noqa: PLC0415 - as above
    import pathlib  # noqa: PLC0415

    from brihaspati_agent import dying  # noqa: PLC0415

    kept = pathlib.Path(state)
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    dying.OFF_AT.parent.mkdir(parents=True, exist_ok=True)
    for path in (pathlib.Path(boot), kept, *kept.iterdir(), dying.OFF_AT.parent, dying.OFF_AT):
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
