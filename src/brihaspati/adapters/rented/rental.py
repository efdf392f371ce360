"""`ports.Provider` over a cloud: what is rented is looked up, verified and given back.

A create is one POST. Whatever is not certain is Unclear, and looked up by its label, which carries
the sandbox and the attempt. Gone is what the cloud itself says is not there, and no list shows.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from brihaspati import ports
from brihaspati.adapters.rented.catalogue import Catalogue
from brihaspati.adapters.rented.lists import Lists
from brihaspati.adapters.rented.noticeboard import STRETCH_MS, Noticeboard
from brihaspati.adapters.rented.shapes import Cloud, Image, Machine, Size, Trouble, Wish
from brihaspati.domain import bakery, egress, labs, pace, previews, rentable

log = logging.getLogger(__name__)

USER_DATA_BYTES_MAX = 16 * 1024
LABEL_LENGTH_MAX = 64
# Of the requests of a token: what those who end machines may use, where they are many.
ENDS_SHARE = 0.7
_IMAGES_SECONDS = 60.0
# Said to a student, who cannot help it.
_SAID: dict[str, tuple[ports.RefusalKind, str]] = {
    "sold_out": ("sold_out", "The cloud has no machine of this size left in this region."),
    "quota": ("quota", "The cloud account may not have more machines. Tell your trainer."),
    "rate": ("rate", "The cloud takes no more requests right now."),
    "unsent": ("rate", "The cloud cannot be reached right now."),
    "auth": ("auth", "The cloud refused our account. Tell your trainer."),
    "invalid": ("invalid", "The cloud refused the order"),
    "gone": ("invalid", "The cloud refused the order"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What is rented where. `image` is the cloud's system for labs that say `host`.

    `others`: regions of the account that are another provider's to look after. `home`: networks at
    which the control plane answers on 443.
    """

    env: str
    region: str
    image: str
    name: str = ""
    others: frozenset[str] = frozenset()
    home: tuple[str, ...] = egress.EVERYWHERE
    now: Callable[[], float] = time.monotonic


def tag_of(env: str) -> str:
    """The tag that every machine of an environment has."""
    return f"bh-{env}"


def image_name(env: str, spec: labs.MachineSpec) -> str:
    """The name of a snapshot in which this machine's setup is done; another setup, another name."""
    return f"bh-{env}-image-{bakery.digest(spec)[:12]}"


class Rental:
    """A provider of rented machines. Only an agent's report makes one usable, not the cloud."""

    rented = True

    def __init__(self, cloud: Cloud, sweeper: Cloud, options: Options) -> None:
        """`cloud` makes machines; `sweeper` lists and deletes them, maybe by another token."""
        self.name = options.name or cloud.name
        self.cloud = cloud
        self.sweeper = sweeper
        self.options = options
        self._tag = tag_of(options.env)
        self._ours = re.compile(rf"bh-{re.escape(options.env)}-[a-z0-9]+-a[0-9]+-[a-z0-9-]+")
        self.catalogue = Catalogue(lambda: cloud.sizes(options.region), options.now)
        self._lists = Lists(self._fetch, options.now, sweeper.hurried)
        self._lock = threading.Lock()
        self._doomed: dict[str, str] = {}  # label to id, of what we were told to delete
        self._gone: set[str] = set()  # ids that the cloud said are not there, after our delete
        self._images: tuple[float, list[Image]] = (float("-inf"), [])

    def share(self, store: ports.Store, clock: ports.Clock) -> None:
        """From now on others ask by the same token: have one list for all, in the store."""
        self._lists.board = Noticeboard(store, clock, self.name)

    def pace(self) -> pace.Pace:
        """How to treat this cloud."""
        windows = self.cloud.windows(alone=self.sweeper is not self.cloud)
        usual = pace.RENTED if self._lists.board is None else pace.RENTED_BY_MANY
        return replace(usual, windows=windows)

    # --- money and images ------------------------------------------------------------------------
    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:
        """What the size costs that is ordered for this machine. Raises Unclear, CreateRefused."""
        try:
            return self._size(spec).micros_per_hour
        except Trouble as trouble:
            raise ports.Unclear(trouble.text) from trouble

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Make sure that the cloud has the image. Raises CreateRefused (image)."""
        try:
            self.catalogue.refresh()
            if self.cloud.system(self._system(image)) is None:
                raise ports.CreateRefused("image", f"{self.name} has no image {image!r}")
        except Trouble as trouble:
            raise ports.CreateRefused("image", f"{self.name}: {trouble.text}") from trouble
        progress(image, 1.0)

    def _system(self, image: str) -> str:
        """The cloud's own name for an image of a lab."""
        found = rentable.system(image, self.cloud.name, self.options.image)
        if found is not None:
            return found
        raise ports.CreateRefused(
            "image", f"Rented machines run {self.options.image}; a lab asks for {image!r}."
        )

    def _size(self, spec: labs.MachineSpec) -> Size:
        size = self.catalogue.fit(spec)
        if size is None:
            raise ports.CreateRefused(
                "invalid", f"{self.name} has no machine as large as the lab asks for"
            )
        return size

    def baked(self) -> list[Image]:
        """Our snapshots, read at most once a minute. Raises Trouble."""
        with self._lock:
            at, found = self._images
            if self.options.now() - at >= _IMAGES_SECONDS:
                found = [i for i in self.cloud.images() if i.name.startswith(f"{self._tag}-image-")]
                self._images = (self.options.now(), found)
            return found

    def is_baked(self, spec: labs.MachineSpec) -> bool:
        """Whether a snapshot with this machine's setup done is in the region. Raises Trouble."""
        return self._snapshot(spec) is not None

    def _snapshot(self, spec: labs.MachineSpec) -> Image | None:
        if not bakery.can_bake(spec):
            return None
        wanted = image_name(self.options.env, spec)
        ready = (one for one in self.baked() if one.name == wanted and one.ready)
        return next((one for one in ready if self._is_here(one)), None)

    def _image(self, spec: labs.MachineSpec) -> str:
        """The snapshot with the setup done, if it is in the region; else the plain system."""
        system = self._system(spec.image)
        try:
            snapshot = self._snapshot(spec)
        except Trouble as trouble:
            log.warning("snapshots unread", extra={"provider": self.name, "reason": trouble.text})
            return system
        return snapshot.id if snapshot is not None else system

    def _is_here(self, image: Image) -> bool:
        return not image.regions or self.options.region in image.regions

    # --- create ----------------------------------------------------------------------------------
    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make one machine, behind its firewall from birth. Raises CreateRefused or Unclear."""
        try:
            wish = self._wish(order)  # all that has no effect on a bill comes before
        except Trouble as trouble:
            raise _refused(trouble) from trouble
        self._lists.touch(order.label)
        try:
            made = self.cloud.create(wish)
        except Trouble as trouble:
            if trouble.kind in _SAID:
                raise _refused(trouble) from trouble
            raise ports.Unclear(trouble.text) from trouble
        finally:
            self._lists.touch(order.label)
        return _seen(made)

    def _wish(self, order: ports.MachineOrder) -> Wish:
        if not self._ours.fullmatch(order.label) or len(order.label) > LABEL_LENGTH_MAX:
            raise Trouble("invalid", f"{order.label} cannot be a name there")
        if order.peers:
            raise Trouble("invalid", "a lab of several machines cannot be rented yet")
        data = order.user_data
        if len(data.encode()) > USER_DATA_BYTES_MAX:
            raise Trouble("invalid", "the user data is longer than 16 KiB")
        shown = previews.ports_of_address(order.spec).values()
        rules = egress.rules(order.egress, order.egress_allow, self.options.home, shown)
        return Wish(
            label=order.label,
            region=self.options.region,
            size=self._size(order.spec).name,
            image=self._image(order.spec),
            tags=(self._tag,),
            walls=self.cloud.walls(f"{self._tag}-fw-{rules.name}", self._tag, rules),
            user_data=data,
        )

    # --- look ------------------------------------------------------------------------------------
    def find(self, label: str) -> ports.MachineSeen | None:
        """The machine of a label: the oldest, should a cloud show two. Raises Unclear."""
        try:
            doomed = self._doomed.get(label)
            if doomed is not None and doomed not in self._gone:
                if self._lists.board is not None:
                    raise Trouble("rate", "its end was asked for just now")  # no request for that
                there = self.sweeper.machine(doomed)
                if there is not None and there.label == label:
                    return _seen(there)
                self._gone.add(doomed)
                return None  # who wants to be sure asks for the inventory, too
            found = self._lists.of(label)
        except Trouble as trouble:
            raise ports.Unclear(trouble.text) from trouble
        alive = [machine for machine in found if machine.id not in self._gone]
        return _seen(min(alive, key=lambda m: int(m.id))) if alive else None

    def inventory(self) -> list[ports.MachineSeen]:
        """Every machine with our tag and a name as we give. Raises Unclear."""
        try:
            found = self._lists.all()
        except Trouble as trouble:
            raise ports.Unclear(trouble.text) from trouble
        try:
            self.catalogue.refresh()
        except Trouble as trouble:
            log.warning("sizes unread", extra={"provider": self.name, "reason": trouble.text})
        return [_seen(machine) for machine in found]

    def _fetch(self) -> list[Machine]:
        found = [m for m in self.sweeper.machines(self._tag) if self._is_ours(m)]
        # What was gone and is shown again is not gone.
        self._gone.difference_update(machine.id for machine in found)
        return found

    def _is_ours(self, machine: Machine) -> bool:
        if machine.region in self.options.others:
            return False
        return self._ours.fullmatch(machine.label) is not None

    # --- delete ----------------------------------------------------------------------------------
    def delete(self, machine_id: str) -> None:
        """Ask for the end of a machine, and of others of its label. Raises Unclear."""
        if not machine_id.isdigit():
            return  # no cloud of ours has such an id
        try:
            for one, label in self._family(machine_id):
                self._end(one, label)
        except Trouble as trouble:
            raise ports.Unclear(trouble.text) from trouble

    def _family(self, machine_id: str) -> list[tuple[str, str]]:
        """A machine's id and label, and those of others with the same label; none of a stranger."""
        known = {machine.id: machine.label for machine in self._known()}
        label = known.get(machine_id)
        if label is None:
            self._wait_our_turn()
            there = self.sweeper.machine(machine_id)
            if there is None:
                self._gone.add(machine_id)
                return []
            if not self._is_ours(there):
                return []
            label = there.label
        twins = [one for one, name in known.items() if name == label and one != machine_id]
        return [(one, label) for one in (machine_id, *twins)]

    def _known(self) -> Sequence[Machine]:
        """What a list has shown lately, if that takes no request of ours."""
        if self._lists.board is None:
            return self._lists.last()
        try:
            return self._lists.all()
        except Trouble:
            if not self._lists.last():
                raise
            return self._lists.last()

    def _wait_our_turn(self) -> None:
        """Leave room for lists, without which no end is believed. Raises Trouble (rate)."""
        board = self._lists.board
        windows = self.cloud.windows(alone=True)
        if board is None or not windows:
            return
        shortest = min(windows, key=lambda window: window.seconds)
        a_minute = shortest.count * 60 / shortest.seconds
        most = max(1, round(a_minute * ENDS_SHARE * STRETCH_MS / 60_000))
        try:
            wait = board.seconds_until_request(most)
        except ports.Busy as busy:
            raise Trouble("rate", f"the board cannot be read: {busy}") from busy
        if wait:
            raise Trouble("rate", "others end machines just now", retry_after_seconds=wait)

    def _end(self, machine_id: str, label: str) -> None:
        if machine_id in self._gone:
            return
        self._doomed[label] = machine_id
        was_there = True
        self._wait_our_turn()
        try:
            was_there = self.sweeper.delete(machine_id)
        finally:
            if was_there:
                self._lists.touch(label)
        if not was_there:
            self._gone.add(machine_id)


def _refused(trouble: Trouble) -> ports.CreateRefused:
    kind, said = _SAID.get(trouble.kind, ("rate", "The cloud is busy."))
    if kind == "invalid":
        said = f"{said}: {trouble.text}."
    log.warning("refused", extra={"kind": trouble.kind, "reason": trouble.text})
    return ports.CreateRefused(kind, said, retry_after_seconds=trouble.retry_after_seconds)


def _seen(machine: Machine) -> ports.MachineSeen:
    return ports.MachineSeen(
        machine.label,
        machine.id,
        usable=False,
        created_at=machine.created_at,
        address=machine.address,
    )
