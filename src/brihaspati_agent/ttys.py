"""What Linux can do with a pty's master beyond reading and writing."""

from __future__ import annotations

import fcntl
import os
import termios

_TIOCGPTPEER = 0x5441


def flush_for_interrupt(master: int) -> bool:
    """Drop input that the program has not read, as the kernel does when it sees an interrupt.

    False, and nothing dropped, where an interrupt character is only a character (a program in raw
    mode), where the program asked for its input to be kept, or where this is no pty.
    """
    try:
        flags = termios.tcgetattr(master)[3]
        if not flags & termios.ISIG or flags & termios.NOFLSH:
            return False
        peer = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, termios.error):
        return False
    try:
        termios.tcflush(master, termios.TCOFLUSH)
        termios.tcflush(peer, termios.TCIFLUSH)
    except (OSError, termios.error):
        return False
    finally:
        os.close(peer)
    return True
