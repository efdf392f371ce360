"""What an operator does with an account: look before a class, stop everything, bake images."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.adapters.rented import rental
from brihaspati.adapters.rented.rental import Rental
from brihaspati.adapters.rented.shapes import Image, Trouble
from brihaspati.domain import bakery, labs
from brihaspati.domain.pace import RENTED
from brihaspati.domain.preflight import Standing

Say = Callable[[str], None]
Wait = Callable[[float], None]
POLL_SECONDS = 5.0
BAKE_SECONDS_MAX = 1_800
STOP_SECONDS_MAX = 900


class Undone(Exception):  # noqa: N818 - said to a person
    """What could not be brought to its end, and what is left of it."""


def standing(rented: Rental, lab: labs.Lab) -> Standing:
    """What the cloud says about a lab's machine."""
    name, region, spec = rented.name, rented.options.region, lab.machines[0]
    try:
        rented.catalogue.refresh()
        size = rented.catalogue.fit(spec)
        account = rented.cloud.account()
        fit = any(one.name == region and one.fit for one in rented.cloud.regions())
        there = len(rented.sweeper.machines(rental.tag_of(rented.options.env)))
        baked = rented.is_baked(spec) if bakery.can_bake(spec) else None
    except Trouble as trouble:
        return Standing(name, region, fault=f"{name}: {trouble.text}")
    pace = rented.pace()
    return Standing(
        provider=name,
        region=region,
        region_fit=fit,
        size=size.name if size is not None else None,
        price_micros_per_hour=size.micros_per_hour if size is not None else 0,
        machines_max=account.machines_max,
        machines_now=there,
        image_ready=baked,
        windows=pace.windows,
        boot_seconds=pace.boot_seconds,
    )


def stop_all(rented: Rental, say: Say, wait: Wait = time.sleep) -> int:
    """End every machine of the environment and see that they are gone. Raises Undone.

    By tag, whatever the store knows of them: this is for when nothing else can be trusted.
    """
    ended: set[str] = set()
    waited = 0.0
    while waited < STOP_SECONDS_MAX:
        try:
            left = rented.inventory()
            if not left:
                return len(ended)
            for machine in left:
                rented.delete(machine.id)
                if machine.id not in ended:
                    say(f"deleting {machine.label}")
                    ended.add(machine.id)
        except ports.Unclear as unclear:
            say(f"unclear: {unclear}; asking again")
        wait(POLL_SECONDS)
        waited += POLL_SECONDS
    raise Undone(f"some are still there after {STOP_SECONDS_MAX} s; run it again")


@dataclass(frozen=True, slots=True)
class Smoked:
    """What a machine of a real account showed. Seconds since its create was sent."""

    label: str
    size: str
    answered: float
    listed: float
    active: float
    gone: float


def smoke(rented: Rental, label: str, say: Say, wait: Wait = time.sleep) -> Smoked:
    """Rent the smallest machine, see it run, give it back, see it gone. Raises Undone.

    Whatever happens on the way, what has the label is deleted in the end.
    """
    spec = labs.MachineSpec("main")
    order = ports.MachineOrder(label, label.split("-")[2], spec)
    now = rented.options.now
    began = now()
    try:
        size = rented.catalogue.fit(spec)
        made = rented.create(order)
    except (ports.CreateRefused, Trouble) as refused:
        raise Undone(f"{rented.name}: {refused}") from refused  # certainly nothing was made
    except ports.Unclear as unclear:
        _end(rented, label, say, wait)
        raise Undone(f"{rented.name}: {unclear}") from unclear
    try:
        answered = now() - began
        say(f"made {made.id}; the answer took {answered:.1f} s")
        listed = _until(lambda: rented.find(label) is not None, rented, wait) - began
        say(f"listed after {listed:.1f} s")
        active = _until(lambda: _is_active(rented, made.id), rented, wait) - began
        say(f"active after {active:.1f} s")
    finally:
        gone = _end(rented, label, say, wait) - began
    say(f"gone after {gone:.1f} s")
    return Smoked(label, size.name if size is not None else "", answered, listed, active, gone)


def _is_active(rented: Rental, machine_id: str) -> bool:
    machine = rented.sweeper.machine(machine_id)
    return machine is not None and machine.status in ("active", "running")


def _until(done: Callable[[], bool], rented: Rental, wait: Wait) -> float:
    """Ask until it is so. Raises Undone."""
    for _ in range(int(STOP_SECONDS_MAX / POLL_SECONDS)):
        try:
            if done():
                return rented.options.now()
        except (ports.Unclear, Trouble):
            pass  # asked again
        wait(POLL_SECONDS)
    raise Undone(f"not after {STOP_SECONDS_MAX} s")


def _end(rented: Rental, label: str, say: Say, wait: Wait) -> float:
    """See that nothing of this label is left, also what came late."""

    def gone() -> bool:
        found = rented.find(label)
        if found is not None:
            rented.delete(found.id)
        return found is None and all(one.label != label for one in rented.inventory())

    wait((RENTED.lookup_grace_ms or 0) / 1000)  # a machine of an unclear create may be listed late
    at = _until(gone, rented, wait)
    say("deleted, and neither a look nor a list shows it")
    return at


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to bake: `user_data` runs the setup and then powers the machine off.

    `label` is a machine's label like any other: whoever sweeps deletes a builder left behind.
    """

    label: str
    spec: labs.MachineSpec
    user_data: str
    regions: tuple[str, ...]


def bake(rented: Rental, recipe: Recipe, say: Say, wait: Wait = time.sleep) -> Image:
    """A snapshot with the setup done, in every region; old ones of the lab go. Raises Undone."""
    name = rental.image_name(rented.options.env, recipe.spec)
    try:
        ready = _named(rented, name)
        if ready is None:
            _build(rented, recipe, name, say, wait)
        _until(lambda: (one := _named(rented, name)) is not None and one.ready, rented, wait)
        ready = _named(rented, name)
        assert ready is not None
        if set(recipe.regions) - ready.regions:
            say(f"copying to {', '.join(sorted(set(recipe.regions) - ready.regions))}")
            rented.cloud.transfer(ready, recipe.regions)
            _until(lambda: _is_in(rented, name, recipe.regions), rented, wait)
    except (ports.CreateRefused, ports.Unclear, Trouble) as error:
        raise Undone(f"{rented.name}: {error}") from error
    return ready


def retire(rented: Rental, keep: Sequence[labs.MachineSpec], say: Say) -> int:
    """Delete our snapshots that no lab asks for any more. Raises Undone."""
    wanted = {rental.image_name(rented.options.env, spec) for spec in keep}
    mine = f"{rental.tag_of(rented.options.env)}-image-"
    count = 0
    try:
        for image in rented.cloud.images():
            if image.name.startswith(mine) and image.name not in wanted:
                say(f"deleting the old image {image.name}")
                rented.cloud.delete_image(image.id)
                count += 1
    except Trouble as trouble:
        raise Undone(f"{rented.name}: {trouble.text}") from trouble
    return count


def _build(rented: Rental, recipe: Recipe, name: str, say: Say, wait: Wait) -> None:
    sandbox = recipe.label.split("-")[2]
    order = ports.MachineOrder(
        recipe.label, sandbox, recipe.spec, egress="full", user_data=recipe.user_data
    )
    try:
        made = rented.create(order)
        say(f"made the builder {made.id}; waiting until its setup is done")
        try:
            _until(lambda: _is_off(rented, made.id), rented, wait)
        except Undone as undone:
            raise Undone(
                f"the setup of {recipe.spec.name} did not end well on the builder ({undone});"
                " brihaspati lab test runs it here"
            ) from undone
        rented.cloud.snapshot(made.id, name)
        say(f"taking the snapshot {name}")
        _until(lambda: (one := _named(rented, name)) is not None and one.ready, rented, wait)
    finally:
        _end(rented, recipe.label, say, wait)


def _is_off(rented: Rental, machine_id: str) -> bool:
    machine = rented.sweeper.machine(machine_id)
    if machine is None:
        raise Undone("the builder is gone")
    return machine.status in ("off", "offline", "stopped")


def _named(rented: Rental, name: str) -> Image | None:
    return next((one for one in rented.cloud.images() if one.name == name), None)


def _is_in(rented: Rental, name: str, regions: Sequence[str]) -> bool:
    found = _named(rented, name)
    return found is not None and set(regions) <= found.regions
