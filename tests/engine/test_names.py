"""Names of rented machines: made ahead, given to one machine each, taken back for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from brihaspati import ports
from brihaspati.adapters.memory.zones import Zone
from brihaspati.adapters.vault import Vault
from brihaspati.domain import names as rules
from brihaspati.domain.names import Stock
from brihaspati.domain.preflight import Standing
from brihaspati.engine.engine import Engine
from brihaspati.engine.machines import Beat
from brihaspati.engine.names import GONE, NOT_REVOKED, REVOKED, Names
from brihaspati.engine.world import Naming
from brihaspati.ports import names as port
from brihaspati.ports.names import Identity, NotCertified
from engine.test_machines import ADDRESS, Rental

DAY_MS = 24 * 3_600_000
ZONE = "labs.example.org"


@dataclass
class Issuer:
    """Certifies at once, unless it refuses. `revoked` are the chains it was asked to revoke."""

    rental: Rental
    refuses: bool = False
    life_ms: int = 30 * DAY_MS
    asked: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)

    def certify(self, hosts: Sequence[str], zone: port.Zone) -> Mapping[str, Identity]:
        self.asked += hosts
        for host in hosts:
            zone.add(rules.proof_of(host), "TXT", "left behind")
        if self.refuses:
            raise NotCertified("too many certificates already issued")
        until = self.rental.house.clock.now() + self.life_ms
        return {host: Identity(f"chain of {host}", f"key of {host}", until) for host in hosts}

    def revoke(self, chain: str) -> None:
        if self.refuses:
            raise NotCertified("no")
        self.revoked.append(chain)


class Named(Rental):
    """A house whose rented machines have names."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.zone, self.issuer = Zone(ZONE), Issuer(self)
        naming = Naming(self.zone, self.issuer, Vault(b"k" * 32), stock=3)
        self.house.world = replace(self.house.world, naming=naming)
        self.house.engine = Engine(self.house.world)
        self.machines = self.house.engine.machines
        assert self.house.engine.names is not None
        self.names: Names = self.house.engine.names

    def host(self) -> str:
        """The name of its machine, which has just begun."""
        given = self.machines.named(self.begun())
        assert given is not None
        return given.host

    def stop(self) -> None:
        self.house.engine.playing.stop(self.slot, "stopped")
        self.house.run()

    def said(self) -> list[str]:
        """What the scrub record says of names."""
        chain = self.house.engine.scrubbing.chain("demo", self.sandbox.id)
        return [entry.end.how for entry in chain if entry.end.label.startswith("l-")]


@pytest.fixture
def rental() -> Named:
    return Named()


def test_as_many_are_made_ahead_as_are_wanted_and_their_keys_are_not_in_plain(
    rental: Named,
) -> None:
    assert rental.names.fill() == 3
    assert rental.names.fill() == 0
    assert rental.names.stock() == Stock(3, 0)
    assert len(set(rental.issuer.asked)) == 3
    for item in rental.house.store.query("names").items:
        assert "key of" not in str(item.body)


def test_a_machine_gets_one_name_again_and_again_and_the_zone_leads_to_it(rental: Named) -> None:
    rental.names.fill()
    known = rental.begun()
    given = rental.machines.named(known)
    assert given is not None
    assert given.identity is not None
    assert given.identity.key == f"key of {given.host}"
    assert rental.zone.values(f"*.{given.host}") == [("A", ADDRESS)]
    assert rental.machines.named(known) == replace(given, placed=True)
    assert rental.names.stock() == Stock(2, 0)
    door = rental.machines.door(rental.label)
    assert door is not None
    assert (door.address, door.host) == (ADDRESS, given.host)


def test_nobody_is_sent_to_a_name_before_it_is_there_nor_is_its_key_kept_then(
    rental: Named,
) -> None:
    rental.names.fill()
    rental.zone.stumbles = 2
    known = rental.begun()
    rental.machines.named(known)
    assert rental.machines.hear(known, Beat("ready")).sandbox.phase == "starting"
    assert rental.machines.hear(known, Beat("ready")).sandbox.phase == "ready"
    given = rental.machines.named(known)
    assert given is not None
    assert given.identity is None


def test_without_a_name_a_machine_has_its_address(rental: Named) -> None:
    known = rental.begun()
    assert rental.machines.named(known) is None
    assert rental.machines.hear(known, Beat("ready")).sandbox.phase == "ready"
    door = rental.machines.door(rental.label)
    assert door is not None
    assert door.host == ADDRESS


@pytest.mark.parametrize("refuses", [False, True])
def test_when_the_lab_ends_its_name_is_taken_out_seen_gone_and_on_record(
    rental: Named, *, refuses: bool
) -> None:
    rental.names.fill()
    host = rental.host()
    rental.names.sweep()
    assert rules.below(host) in rental.zone.records
    rental.stop()
    rental.issuer.refuses = refuses
    rental.zone.stumbles = 2
    rental.names.sweep()
    assert rental.said() == []
    for _ in range(3):
        rental.names.sweep()
    assert rental.said() == [f"{GONE}; {NOT_REVOKED if refuses else REVOKED}"]
    assert rental.issuer.revoked == ([] if refuses else [f"chain of {host}"])
    for _ in range(2):
        rental.names.sweep_zone()  # what the issuer left
    assert [h for h in rental.zone.records if host in h] == []
    assert rental.names.of(rental.sandbox.id, rental.label) is None


def test_a_name_is_never_given_twice(rental: Named) -> None:
    rental.names.fill()
    host = rental.host()
    rental.stop()
    rental.names.sweep()
    rental.names.fill()
    left = [i.key.sort.partition("#")[2] for i in rental.house.store.query("names").items]
    assert host not in left
    assert len(set(rental.issuer.asked)) == len(rental.issuer.asked) == 4


def test_an_issuer_that_refuses_is_asked_again_later_and_nothing_of_it_stays(
    rental: Named,
) -> None:
    rental.issuer.refuses = True
    assert rental.names.fill() == 0
    asked = len(rental.issuer.asked)
    assert rental.names.stock() == Stock(0, 0)
    assert rental.zone.records == {}
    rental.issuer.refuses = False
    assert rental.names.fill() == 0
    assert len(rental.issuer.asked) == asked
    rental.house.clock.advance(60)
    assert rental.names.fill() == 3


def test_a_process_that_died_over_its_orders_leaves_none(rental: Named) -> None:
    def die(hosts: Sequence[str], zone: port.Zone) -> Mapping[str, Identity]:
        zone.add(rules.proof_of(hosts[0]), "TXT", "left behind")
        raise KeyboardInterrupt

    rental.issuer.certify = die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        rental.names.fill()
    assert rental.names.stock() == Stock(0, 3)
    rental.names.sweep()
    assert rental.names.stock() == Stock(0, 3)
    rental.house.clock.advance(3_601)
    rental.names.sweep()
    assert rental.names.stock() == Stock(0, 0)
    assert rental.zone.records == {}


def test_a_certificate_that_ends_too_soon_is_given_to_nobody(rental: Named) -> None:
    rental.names.fill()
    rental.house.clock.advance(29 * 24 * 3600)
    assert rental.names.stock() == Stock(0, 0)
    rental.names.sweep()
    assert rental.names.fill() == 3


def test_who_wants_no_stock_any_more_has_none_left_and_labs_keep_their_names(
    rental: Named,
) -> None:
    rental.names.fill()
    host = rental.host()
    rental.names.naming = replace(rental.names.naming, stock=0)
    rental.names.sweep()
    assert rental.names.stock() == Stock(0, 0)
    assert rental.names.fill() == 0
    assert rules.below(host) in rental.zone.records


def test_strays_of_the_zone_are_taken_out_and_what_is_not_ours_stays(rental: Named) -> None:
    rental.names.fill()
    host = rental.host()
    stray = rules.new_host(ZONE, rental.house.world.env, "a" * rules.LENGTH)
    anothers = rules.new_host(ZONE, "staging", "a" * rules.LENGTH)
    others = [f"www.{ZONE}", f"l-short.{ZONE}", f"x.{stray}", rules.below(anothers)]
    for name in (stray, f"*.{stray}", rules.proof_of(stray), *others):
        rental.zone.add(name, "A", "192.0.2.1")
    rental.names.sweep_zone()
    assert rules.below(stray) in rental.zone.hosts()  # once seen, it may yet be written down
    rental.names.sweep_zone()
    known = set(rental.zone.hosts()) - set(others)
    assert set(others) <= set(rental.zone.hosts())
    assert not any(stray in name for name in known)
    assert rules.below(host) in known
    rental.zone.stumbles = 1
    rental.names.sweep_zone()


def test_after_a_restore_no_key_is_given_twice_whose_name_the_zone_shows(rental: Named) -> None:
    rental.names.fill()
    (backup, *others) = rental.house.store.query("names", "ready#").items
    given = backup.key.sort.partition("#")[2]
    rental.names._one_ready = lambda: backup  # type: ignore[method-assign]
    assert rental.host() == given
    rental.house.store.transact([ports.Put(backup.key, backup.body, expect=0)])
    item = rental.house.store.get(ports.Key("names", f"given#{given}"))
    assert item is not None
    rental.house.store.transact([ports.Delete(item.key)])
    rental.names.sweep_zone()
    left = rental.house.store.query("names", "ready#").items
    assert {item.key for item in left} == {item.key for item in others}


def test_a_class_is_told_whether_there_are_names_enough(rental: Named) -> None:
    asked = {"memory": lambda _: Standing("memory", region="fra1", size="small")}
    engine = Engine(replace(rental.house.world, standings=asked))
    rental.names.fill()
    (looked,) = engine.preflight.look(engine.classes.get("demo"))
    states = {found.name: found.state for found in looked.findings}
    assert states["certificates"] == "few_names"


def test_what_is_sealed_for_one_name_opens_for_no_other() -> None:
    vault = Vault(b"k" * 32)
    sealed = vault.seal("a key", "one")
    assert vault.open(sealed, "one") == "a key"
    with pytest.raises(ValueError, match="two"):
        vault.open(sealed, "two")
    with pytest.raises(ValueError, match="one"):
        Vault(b"x" * 32).open(sealed, "one")


def test_a_crowd_of_machines_takes_different_names(rental: Named) -> None:
    rental.names.fill()
    known, real, taken = rental.begun(), rental.house.store.transact, list[ports.Key]()

    def slower(writes: Sequence[ports.Write]) -> tuple[int, ...]:
        if not taken:  # another machine was quicker
            taken.append(writes[0].key)
            real([ports.Delete(writes[0].key)])
        return real(writes)

    rental.house.store.transact = slower  # type: ignore[method-assign]
    assert rental.machines.named(known) is not None
    assert rental.names.stock() == Stock(1, 0)


def test_a_store_that_always_has_somebody_quicker_says_so(rental: Named) -> None:
    rental.names.fill()
    known = rental.begun()

    def conflict(writes: Sequence[ports.Write]) -> tuple[int, ...]:
        raise ports.Conflict(dict.fromkeys(range(len(writes))))

    rental.house.store.transact = conflict  # type: ignore[method-assign]
    with pytest.raises(ports.Busy):
        rental.machines.named(known)


def test_two_that_place_a_name_at_once_do_no_harm(rental: Named) -> None:
    rental.names.fill()
    rental.zone.stumbles = 1
    mine, real = rental.host(), rental.zone.add

    def meanwhile(host: str, kind: port.Kind, value: str, *, new: bool = False) -> None:
        rental.zone.add = real  # type: ignore[method-assign]
        real(host, kind, value, new=new)
        assert rental.names.place(mine)

    rental.zone.add = meanwhile  # type: ignore[method-assign]
    assert rental.names.place(mine)
    assert rental.zone.values(rules.below(mine)) == [("A", ADDRESS)]
    for _ in range(2):
        rental.names.arrived(rental.sandbox.id, rental.label)


def test_a_zone_that_shows_what_it_has_deleted_is_looked_at_again(rental: Named) -> None:
    rental.names.fill()
    host, real = rental.host(), rental.zone.remove
    rental.stop()
    rental.zone.remove = lambda host: None  # type: ignore[method-assign]  # noqa: ARG005
    rental.names.sweep()
    rental.house.clock.advance(29 * 24 * 3600)
    rental.names.sweep()
    assert rental.said() == []
    left = len(rental.house.store.query("names").items)
    rental.zone.remove = real  # type: ignore[method-assign]
    rental.names.sweep()
    for _ in range(2):
        rental.names.sweep_zone()
    assert left == 3
    assert rental.house.store.query("names").items == ()
    assert [h for h in rental.zone.records if host in h] == []


def test_a_name_ends_though_its_student_has_pressed_play_again(rental: Named) -> None:
    rental.names.fill()
    rental.host()
    before = rental.sandbox.id
    rental.stop()
    rental.house.pass_time(60, 10)
    engine, room = rental.house.engine, rental.house.engine.classes.get("demo")
    assert rental.slot.user is not None
    member = engine.member(rental.slot.user)
    engine.playing.play(room, engine.classes.lab_in(room, "hello"), member)
    assert rental.sandbox.id != before
    rental.names.sweep()
    ends = [e.end.how for e in engine.scrubbing.chain("demo", before)]
    assert ends[-1] == f"{GONE}; {REVOKED}"


def test_a_stray_that_cannot_be_taken_out_now_is_so_later(rental: Named) -> None:
    env, real = rental.house.world.env, rental.zone.remove
    stray = rules.new_host(ZONE, env, "a" * rules.LENGTH)
    rental.zone.add(stray, "A", "192.0.2.1")

    def stumble(host: str) -> None:
        raise ports.Unclear(f"no answer about {host}")

    rental.zone.remove = stumble  # type: ignore[method-assign]
    rental.names.sweep_zone()
    rental.names.sweep_zone()
    assert rental.zone.hosts() == [stray]
    rental.zone.remove = real  # type: ignore[method-assign]
    rental.names.sweep_zone()
    assert rental.zone.hosts() == []
