"""Where browsers see the ports of a rented machine that has an address and no names below one.

Each published port is shown on a port of the address, which makes an origin of its own.
"""

from __future__ import annotations

from brihaspati.domain.labs import MachineSpec

# Many networks that let little out let this one out, as another port of HTTPS.
FIRST = 8443


def ports_of_address(spec: MachineSpec) -> dict[int, int]:
    """The port of the address for each published port, which are never among them."""
    published = sorted(port.port for port in spec.ports)
    free = (
        number for number in range(FIRST, FIRST + 2 * len(published)) if number not in published
    )
    return dict(zip(published, free, strict=False))
