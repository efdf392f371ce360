"""What of a rented machine's agent is root: it has a process begin for each order, and waits.

It takes orders over a socket that only the agent has, and ends when the agent ends. It knows no
more than that: what an order needs is loaded by the process that obeys it, and gone with it. For as
long as the lab lives this is a process of its own, so what it imports is the lab's memory.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` and `socket` are made of, less
import _socket  # the enumerations around them, which are a megabyte
import os
import sys

_OWN_SIGNALS = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGCHLD)
_DESCRIPTOR_BYTES = 4
_ROOM = _socket.CMSG_LEN(_DESCRIPTOR_BYTES)


class Hands:
    """Has done what the agent asks. Each order comes with a connection of its own."""

    def __init__(self, line: _socket.socket) -> None:
        self._line = line
        self._begun: dict[int, int] = {}

    def serve(self, agent: int) -> int:
        """Until the agent, a child of ours, ends; its exit status."""
        for number in (_signal.SIGTERM, _signal.SIGINT):
            _signal.signal(number, lambda *_: os.kill(agent, _signal.SIGTERM))
        _signal.signal(_signal.SIGCHLD, lambda *_: self._reap())
        while True:
            asked, found, _, _ = self._line.recvmsg(1, _ROOM, _socket.MSG_CMSG_CLOEXEC)
            if not asked:
                return os.waitstatus_to_exitcode(os.waitpid(agent, 0)[1])
            for _, _, data in found:  # none: we had no number free; whoever asks hears nothing
                if len(data) == _DESCRIPTOR_BYTES:
                    line = int.from_bytes(data, sys.byteorder)
                    self._begin(line)
                    os.close(line)

    def _begin(self, line: int) -> None:
        try:
            child = os.fork()
        except OSError:  # no room for another process: whoever asks hears nothing, others go on
            return
        if child == 0:
            self._obey(line)
        try:  # only what is in here is reaped, so until then its number cannot be another's
            self._begun[child] = os.pidfd_open(child)
        except OSError:  # no number free: as above
            os.kill(child, _signal.SIGKILL)
            os.waitpid(child, 0)

    def _obey(self, line: int) -> None:
        """As a process of its own, which ends here; a terminal's becomes the terminal's program."""
        try:
            for number in _OWN_SIGNALS:
                _signal.signal(number, _signal.SIG_DFL)
            self._line.close()
            from brihaspati_agent import obeying  # noqa: PLC0415 - see above

            obeying.obey(line, self._begun)
        except BaseException:  # noqa: BLE001 - what is above us is another process's
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        finally:
            os._exit(0)

    def _reap(self) -> None:
        for child in list(self._begun):
            try:
                if os.waitpid(child, os.WNOHANG)[0]:
                    os.close(self._begun.pop(child))
            except ChildProcessError:  # another ended meanwhile: this was called within itself
                continue
