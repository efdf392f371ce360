"""A world whose servers are real: the world decides, the pool runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from brihaspati_cloudsim import ports
from brihaspati_cloudsim.machines.layers import setting
from brihaspati_cloudsim.machines.machine import Reach
from brihaspati_cloudsim.machines.pool import Pool
from brihaspati_cloudsim.servers import Server
from brihaspati_cloudsim.world import World


class _Reach(Reach):
    """What the account says of a server's ports and keys."""

    def __init__(self, world: World) -> None:
        self.world = world

    def inbound(self, server: Server) -> list[int]:
        with self.world.lock:
            return ports.inbound(self.world.accounts[server.provider], server)

    def outbound(self, server: Server, port: int) -> bool:
        with self.world.lock:
            return ports.outbound(self.world.accounts[server.provider], server, port)

    def keys(self, server: Server) -> list[str]:
        with self.world.lock:
            kept = self.world.accounts[server.provider].keys
            return [kept[number]["public_key"] for number in server.key_ids if number in kept]

    def switched(self, server: Server, to: str) -> None:
        with self.world.lock:
            account = self.world.accounts[server.provider]
            account.power(server, on=to != "off", again=to != "off")


@contextlib.contextmanager
def bodies(world: World, kind: str) -> Iterator[Pool | None]:
    """Give a world's servers bodies until the block ends: `none`, `light` or `cloud-init`.

    Raises:
        CannotRunMachines: this host cannot, with what to do about it.
    """
    if kind == "none":
        yield None
        return
    pool = Pool(setting(kind), _Reach(world))
    try:
        for account in world.accounts.values():
            account.bodies = pool
        yield pool
    finally:
        pool.close()
