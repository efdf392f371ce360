"""One private network for the machines of a sandbox: fixed addresses, names in /etc/hosts."""

from __future__ import annotations

import ipaddress
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker.types

from brihaspati import ports
from brihaspati.adapters.docker_engine import engine, options

# Room for 29 machines in each of a /16's 2,048 networks. An engine's own choice of addresses ends
# after about thirty networks.
_PREFIX = 27
_FIRST_HOST = 2
_TRIES = 20
# The host takes no address on a private network, so a lab finds nothing of the host there. Engines
# know one or the other of these and ignore the rest.
_HOST_STAYS_OUT = {
    "com.docker.network.bridge.inhibit_ipv4": "true",
    "com.docker.network.bridge.gateway_mode_ipv4": "isolated",
}


@dataclass(frozen=True, slots=True)
class Seat:
    """A machine's place on the private network; `hosts` maps each name there to an address."""

    network: str
    address: str
    hosts: dict[str, str]


class Networks:
    """The private networks of one deployment. They go with the last of their machines."""

    def __init__(self, line: engine.Engine, choice: options.Options) -> None:
        self._line = line
        self._options = choice
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}

    def seat(self, order: ports.MachineOrder) -> Seat:
        """The order's place on its network, which is made if need be; `release` it afterwards.

        Raises one of engine.FAULTS, or LookupError when no addresses are left.
        """
        name = options.network_name(order)
        with self._lock:
            known = [net for net in self._ours() if net["Name"] == name]
            subnet = _subnet(known[0]) if known else self._make(name, order)
            self._held[name] = self._held.get(name, 0) + 1
        hosts = {
            peer: str(subnet[_FIRST_HOST + place]) for place, (peer, _) in enumerate(order.peers)
        }
        return Seat(name, hosts[order.spec.name], hosts)

    def release(self, name: str) -> None:
        """The machine has joined, or will not: the network may go when nobody uses it."""
        with self._lock:
            left = self._held.get(name, 1) - 1
            self._held[name] = left
            if left <= 0:
                del self._held[name]

    def tidy(self) -> None:
        """Remove our networks that no machine uses. Raises one of engine.FAULTS."""
        api = self._line.api
        with self._lock:
            ours = self._ours()
            if not ours:
                return
            mark = f"{options.MARK_ENV}={self._options.env}"
            machines = api.containers(all=True, filters={"label": [mark]})
            used = {item["Labels"].get(options.MARK_NETWORK, "") for item in machines}
            for net in ours:
                if net["Name"] not in used and net["Name"] not in self._held:
                    self._remove(net["Id"])

    def _remove(self, identity: str) -> None:
        try:
            self._line.api.remove_network(identity)
        except engine.FAULTS as error:
            # Someone else removed it, or a foreign container sits on it: not ours to end.
            if engine.status_of(error) not in {403, 404, 409}:
                raise

    def _ours(self) -> list[dict[str, Any]]:
        mark = f"{options.MARK_ENV}={self._options.env}"
        return list(self._line.api.networks(filters={"label": [mark]}))

    def _make(self, name: str, order: ports.MachineOrder) -> ipaddress.IPv4Network:
        api = self._line.api
        inside = not (order.egress == "full" and not self._options.network)
        problem: BaseException | None = None
        for subnet in itertools.islice(self._free(), _TRIES):
            try:
                api.create_network(
                    name,
                    driver="bridge",
                    internal=inside,
                    check_duplicate=True,
                    options=_HOST_STAYS_OUT if inside else None,
                    labels={**self._options.labels, options.MARK_ENV: self._options.env},
                    ipam=docker.types.IPAMConfig(
                        pool_configs=[docker.types.IPAMPool(subnet=str(subnet))]
                    ),
                )
            except engine.FAULTS as error:
                # Addresses of somebody else's network or route: try the next ones.
                words = engine.text_of(error).lower()
                if not any(word in words for word in ("overlap", "already used", "in use")):
                    raise
                problem = error
            else:
                return subnet
        raise LookupError(f"no free addresses in {self._options.private_pool}") from problem

    def _free(self) -> Iterator[ipaddress.IPv4Network]:
        """Subnets of the pool that no network of the engine has."""
        taken = [net for item in self._line.api.networks() for net in _subnets(item)]
        pool = ipaddress.IPv4Network(self._options.private_pool)
        for subnet in pool.subnets(new_prefix=max(_PREFIX, pool.prefixlen)):
            if not any(subnet.overlaps(other) for other in taken):
                yield subnet


def _subnets(network: dict[str, Any]) -> list[ipaddress.IPv4Network]:
    configs = (network.get("IPAM") or {}).get("Config") or []
    nets = [ipaddress.ip_network(item["Subnet"]) for item in configs if item.get("Subnet")]
    return [net for net in nets if isinstance(net, ipaddress.IPv4Network)]


def _subnet(network: dict[str, Any]) -> ipaddress.IPv4Network:
    found = _subnets(network)
    if not found:
        raise LookupError(f"network {network['Name']} has no addresses")
    return found[0]
