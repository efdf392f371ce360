"""What rented machines say, and who is believed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from brihaspati import ports
from brihaspati.adapters import keyring, memory
from brihaspati.domain.abuse import Limits
from brihaspati.domain.boot import Boot
from brihaspati.domain.labs import Lab
from brihaspati.domain.sandboxes import Sandbox, Slot
from brihaspati.engine import records
from brihaspati.engine.engine import Engine
from brihaspati.engine.machines import STOLEN, Asked, Beat, Known, Signed, key_of
from brihaspati.engine.problems import Problem
from brihaspati.engine.world import Bounds
from house import House, a_lab

ADDRESS = "203.0.113.7"


class Renter(memory.Provider):
    """Machines with an address, as a cloud tells of them."""

    def _seen(self, machine: memory.Machine) -> ports.MachineSeen:
        return replace(super()._seen(machine), address=ADDRESS)


@dataclass
class Rental:
    """A house that rents, and one student's lab with its machine asked for."""

    house: House = field(default_factory=House)
    lab: Lab = field(default_factory=a_lab)

    def __post_init__(self) -> None:
        self.house.provider = Renter(self.house.clock)
        self.house.provider.rented = True
        self.house.world = replace(
            self.house.world,
            providers={"memory": self.house.provider},
            boot=Boot("https://app.example.org", "ab" * 32),
            verify=keyring.verify,
        )
        self.house.engine = Engine(self.house.world)
        room = self.house.classroom(self.lab)
        person = self.house.student(room)
        self.slot = Slot("demo", "hello", user=person.id)
        engine = self.house.engine
        engine.playing.play(room, engine.classes.lab_in(room, "hello"), engine.member(person.id))
        self.house.run()
        self.key = Ed25519PrivateKey.generate()
        self.machines = engine.machines

    @property
    def sandbox(self) -> Sandbox:
        record = self.house.engine.worker.load(self.slot)
        assert record is not None
        return record.sandbox

    @property
    def label(self) -> str:
        return self.sandbox.machines[-1].label

    def asked(self, **changes: object) -> Asked:
        token = records.boot_token(self.house.world.secrets, self.label)
        public = self.key.public_key().public_bytes_raw()
        said = Asked(self.label, token, self.house.provider.machines[-1].id, ADDRESS, public)
        return replace(said, **changes)  # type: ignore[arg-type]

    def signed(self, text: bytes = b"a request", at: int | None = None) -> Signed:
        at = self.house.clock.now() if at is None else at
        return Signed(self.label, at, self.key.sign(text), text)

    def begun(self) -> Known:
        return self.machines.begin(self.asked())[0]

    def alarms(self) -> list[str]:
        page = self.house.store.query(f"s#{self.sandbox.id}", "alarm#")
        return [item.body["what"] for item in page.items]


@pytest.fixture
def rental() -> Rental:
    return Rental()


def test_an_order_carries_user_data_with_the_one_token_of_its_machine(rental: Rental) -> None:
    order = rental.house.provider.machines[-1].order
    assert rental.asked().token in order.user_data
    assert order.user_data.startswith("#cloud-config\n")


def test_a_machine_boots_is_known_by_its_key_and_becomes_ready_when_it_says_so(
    rental: Rental,
) -> None:
    known, lab = rental.machines.begin(rental.asked())
    assert (known.machine.label, lab.name) == (rental.label, "hello")
    believed = rental.machines.identify(rental.signed())
    assert rental.machines.hear(believed, Beat("starting")).sandbox.phase == "starting"
    ready = rental.machines.hear(believed, Beat("ready", line="$")).sandbox
    assert ready.phase == "ready"
    assert rental.machines.glance(ready.id).line == "$"
    rental.house.run()
    again = rental.machines.identify(rental.signed())
    assert rental.machines.hear(again, Beat("ready")).sandbox.phase == "ready"


def test_the_same_machine_may_ask_again_when_the_answer_was_lost(rental: Rental) -> None:
    assert rental.begun() == rental.begun()
    assert rental.alarms() == []


def test_a_second_spender_of_a_token_is_told_of_and_the_lab_is_ended(rental: Rental) -> None:
    rental.begun()
    thief = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(Problem, match="used before"):
        rental.machines.begin(rental.asked(key=thief))
    assert rental.alarms() == ["token used twice"]
    assert (rental.sandbox.phase, rental.sandbox.reason) == ("failed", STOLEN)
    rental.house.pass_time(10)
    assert rental.house.provider.running() == []


@pytest.mark.parametrize(
    "wrong", [{"source": "203.0.113.8"}, {"source": "nowhere"}, {"machine_id": "m99"}]
)
def test_a_token_from_elsewhere_is_refused_and_not_spent(
    rental: Rental, wrong: dict[str, str]
) -> None:
    with pytest.raises(Problem, match="another machine"):
        rental.machines.begin(rental.asked(**wrong))
    assert rental.alarms() == ["token used from elsewhere"]
    assert rental.begun().machine.label == rental.label


def test_an_address_is_the_same_however_it_is_written(rental: Rental) -> None:
    assert rental.machines.begin(rental.asked(source=f"::ffff:{ADDRESS}"))


def test_a_guessed_token_opens_nothing(rental: Rental) -> None:
    with pytest.raises(Problem, match="no such machine"):
        rental.machines.begin(rental.asked(token="x" * 43))


def test_a_machine_the_provider_has_not_told_us_of_waits(rental: Rental) -> None:
    record = rental.house.engine.worker.load(rental.slot)
    assert record is not None
    unknown = replace(rental.sandbox.machines[-1], machine_id=None)
    rental.house.engine.worker.save(replace(record, sandbox=rental.sandbox.with_machine(unknown)))
    with pytest.raises(Problem, match="not told us"):
        rental.machines.begin(rental.asked())


def test_two_who_spend_at_once_are_told_apart_by_the_store(rental: Rental) -> None:
    known = rental.begun()
    with pytest.raises(Problem, match="now"):
        rental.machines._spend(known, rental.asked())


def test_a_signature_is_believed_for_a_minute_of_our_clock_and_for_one_key(rental: Rental) -> None:
    with pytest.raises(Problem):
        rental.machines.identify(rental.signed())
    rental.begun()
    now = rental.house.clock.now()
    for wrong in (
        rental.signed(at=now - 61_000),
        rental.signed(at=now + 61_000),
        replace(rental.signed(), text=b"another request"),
        replace(rental.signed(), label=rental.label.replace("-a1-", "-a2-")),
    ):
        with pytest.raises(Problem, match="no such machine"):
            rental.machines.identify(wrong)


def test_what_a_student_types_is_heard_but_not_from_the_future(rental: Rental) -> None:
    known = rental.begun()
    ready = rental.machines.hear(known, Beat("ready"))
    later = rental.house.clock.now() + 3_600_000
    known = Known(ready, known.machine)
    heard = rental.machines.hear(known, Beat("ready", input_at=later)).sandbox
    assert heard.last_input_at == rental.house.clock.now()


def test_typing_where_nothing_is_left_to_do_passes_nothing_on(rental: Rental) -> None:
    rental.machines.hear(rental.begun(), Beat("ready"))
    rental.house.pass_time(10)
    later: list[Callable[[], object]] = []
    machines = Engine(replace(rental.house.world, soon=later.append)).machines
    now = rental.house.clock.now()
    heard = machines.hear(machines.identify(rental.signed()), Beat("ready", input_at=now))
    assert heard.sandbox.last_input_at == now
    assert later == []


def test_who_goes_on_typing_is_written_down_now_and_then_and_at_last(rental: Rental) -> None:
    rental.machines.hear(rental.begun(), Beat("ready"))
    rental.house.run()
    begun, stored = rental.house.clock.now(), set[int]()
    for _ in range(20):  # they type for ten minutes
        rental.house.clock.advance(30)
        typed = rental.house.clock.now() - 5_000
        rental.machines.hear(rental.machines.identify(rental.signed()), Beat("ready", "", typed))
        stored.add(rental.sandbox.last_input_at or 0)
    assert len(stored) <= 4
    rental.house.clock.advance(30)
    rental.machines.hear(rental.machines.identify(rental.signed()), Beat("ready", "", typed))
    assert rental.sandbox.last_input_at == typed > begun


def test_who_typed_since_it_was_written_down_is_not_idle() -> None:
    rental = Rental(lab=a_lab(idle_minutes=6))
    rental.machines.hear(rental.begun(), Beat("ready"))
    for _ in range(40):  # twenty minutes
        rental.house.pass_time(30, step_seconds=30)
        said = Beat("ready", "", rental.house.clock.now() - 1_000)
        rental.machines.hear(rental.machines.identify(rental.signed()), said)
    assert rental.sandbox.phase == "ready"
    shown = rental.house.engine.reading.view(rental.sandbox).idle_at
    left_ms = 6 * 60_000 + 30_000 - 1_000
    assert shown == rental.house.clock.now() + left_ms, "news may be half a minute old"
    rental.house.pass_time(6 * 60, step_seconds=30)
    assert rental.sandbox.phase == "ready", "news of typing may be as old as the last sign of life"
    rental.house.pass_time(60, step_seconds=30)
    assert rental.sandbox.end == "idle"


def test_a_failed_setup_and_a_wish_to_stop_end_the_lab_with_words(rental: Rental) -> None:
    known = rental.begun()
    failed = rental.machines.hear(known, Beat("failed", reason="exit 3")).sandbox
    assert (failed.phase, failed.reason) == ("failed", "exit 3")
    other = Rental()
    assert other.machines.stop(other.begun(), "enough").sandbox.reason == "enough"


def test_nobody_speaks_for_a_machine_that_is_not_wanted_any_more(rental: Rental) -> None:
    known = rental.begun()
    assert rental.machines.door(rental.label) is not None
    assert rental.machines.glance("nobody") == ports.Glance()
    rental.house.engine.playing.stop(rental.slot, "stopped")
    with pytest.raises(Problem, match="not wanted"):
        rental.machines.identify(rental.signed())
    assert rental.machines.door("bh-test-nobody-a1-main") is None
    key = records.sandbox_key(rental.slot)
    rental.house.store.transact((ports.Delete(key),))
    with pytest.raises(Problem, match="no such machine"):
        rental.machines.stop(known, "enough")


def test_the_check_ticket_opens_one_terminal_that_answers(rental: Rental) -> None:
    body = rental.machines.check(rental.begun()).partition(".")[0]
    said = base64.urlsafe_b64decode(body + "==")
    assert b'"may":["terminal"]' in said
    assert b'"check"' in said


def test_keys_are_32_bytes_in_base64() -> None:
    assert key_of(base64.b64encode(bytes(32)).decode()) == bytes(32)
    assert key_of(base64.b64encode(bytes(31)).decode()) is None
    assert key_of("!") is None


def test_a_machine_s_own_firewall_lets_out_what_its_lab_says(rental: Rental) -> None:
    known, lab = rental.machines.begin(rental.asked())
    said = rental.machines.walls(known, lab)
    assert said.index("tcp dport 443 accept") < said.rindex("reject")


def test_a_machine_without_names_about_has_its_address(rental: Rental) -> None:
    assert rental.machines.named(rental.begun()) is None


BUSY = Beat("ready", busy_seconds=1_800)


def _ready(rental: Rental) -> Known:
    known = rental.begun()
    rental.machines.hear(known, Beat("ready"))
    rental.house.run()
    return rental.machines.identify(rental.signed())


def test_a_suspect_machine_is_told_of_once_and_its_lab_goes_on(rental: Rental) -> None:
    known = _ready(rental)
    rental.house.clock.advance(1_800)
    for _ in range(2):
        assert rental.machines.hear(known, BUSY).sandbox.phase == "ready"
    assert rental.alarms() == ["suspect"]
    said = rental.machines.glance(rental.sandbox.id).suspect
    assert said is not None
    assert "mining" in said
    calm = replace(BUSY, input_at=rental.house.clock.now())
    rental.machines.hear(known, calm)
    assert rental.machines.glance(rental.sandbox.id).suspect is None


def test_a_suspect_lab_is_ended_where_that_is_set() -> None:
    rental = Rental()
    known = _ready(rental)
    rental.machines.world = replace(rental.house.world, bounds=Bounds(abuse=Limits(ends=True)))
    rental.house.clock.advance(1_800)
    rental.machines.hear(known, BUSY)
    assert rental.sandbox.phase == "failed"
    assert "mining" in (rental.sandbox.reason or "")


def test_a_machine_that_fails_is_told_of_with_its_reason(rental: Rental) -> None:
    rental.machines.hear(rental.begun(), Beat("failed", "No certificate could be had."))
    (alarm,) = rental.house.engine.alarms.all()
    assert (alarm.what, alarm.text) == ("machine failed", "No certificate could be had.")
    assert alarm.sandbox == rental.sandbox.id
    assert rental.house.engine.alarms.all(since=alarm.at + 1) == []


def test_a_machine_that_falls_silent_is_told_of_once(rental: Rental) -> None:
    known = _ready(rental)
    for _ in range(4):
        rental.house.pass_time(60)
        rental.machines.hear(known, Beat("ready"))
    assert rental.alarms() == []
    rental.house.pass_time(8 * 60)
    assert rental.alarms() == ["machine silent"]
