"""One rented server, whatever the provider: its moments, its price, its fate."""

from __future__ import annotations

from dataclasses import dataclass, field

from brihaspati_cloudsim.agenda import HOUR, MINUTE

MICROS = 1_000_000
CENT_MICROS = 10_000


@dataclass(slots=True)
class Server:
    """Moments are milliseconds since the epoch.

    It is billed from `created_at` to `gone_at`, unless it `vanished`. Lists know it from
    `listed_at`, and nobody knows it until `hidden_until` (a zombie). `stranger`: somebody else's.
    """

    id: int
    provider: str
    name: str
    region: str
    size: str
    image: str
    address: str
    created_at: int
    listed_at: int
    active_at: int
    price_micros_per_hour: int
    price_micros_per_month: int
    tags: list[str] = field(default_factory=list)
    user_data: str | None = None
    boots_at: int | None = None
    key_ids: list[int] = field(default_factory=list)
    firewall_id: int | None = None
    booted: bool = True
    powered: bool = True
    busy_until: int = 0
    busy_with: str = ""
    deleting_since_at: int | None = None
    gone_at: int | None = None
    hidden_until: int = 0
    vanished: bool = False
    stranger: bool = False
    networked: bool = True
    snapshot_ids: list[int] = field(default_factory=list)
    note: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Unique over both providers."""
        return f"{self.provider}-{self.id}"

    def is_there(self, now: int) -> bool:
        """Whether a look at its id finds it."""
        return (self.gone_at is None or now < self.gone_at) and now >= self.hidden_until

    def is_listed(self, now: int) -> bool:
        """Whether a list shows it."""
        return self.is_there(now) and now >= self.listed_at

    def is_billed(self, now: int) -> bool:
        """Whether it costs money now."""
        return not self.vanished and (self.gone_at is None or now < self.gone_at)

    def used_ms(self, now: int) -> int:
        """How long it has been paid for."""
        return 0 if self.vanished else min(now, self.gone_at or now) - self.created_at


def cost_micros(server: Server, now: int) -> int:
    """What a server has cost until now, in millionths of a dollar.

    DigitalOcean bills seconds, at least 60 and at least a cent. Linode bills started hours. Both
    stop at the month's price.
    """
    used_ms = server.used_ms(now)
    if server.vanished:
        return 0
    if server.provider == "digitalocean":
        seconds_ms = max(used_ms, MINUTE)
        cost = max(CENT_MICROS, seconds_ms * server.price_micros_per_hour // HOUR)
    else:
        cost = max(1, -(-used_ms // HOUR)) * server.price_micros_per_hour
    return min(cost, server.price_micros_per_month)
