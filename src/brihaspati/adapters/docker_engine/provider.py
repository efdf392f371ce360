"""The provider `docker`: machines are containers, named by their label, so none is made twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from brihaspati import ports
from brihaspati.adapters.docker_engine import commands, engine, images, networks, options
from brihaspati.adapters.docker_engine import place as places_here
from brihaspati.domain import firstboot, labs
from brihaspati_agent import places

_DELETE_SECONDS_MAX = 15
_RETRY_SECONDS = 0.1
# Runtimes whose network is this kernel's, so that its namespace can be entered.
_KERNEL_RUNTIMES = (None, "runc", "crun", "io.containerd.runc.v2")


class DockerEngine:
    """ports.Provider over the Docker API; safe to share between threads."""

    name = "docker"
    rented = False

    def __init__(self, choice: options.Options) -> None:
        self._options = choice
        self._line = engine.Engine(choice.address)
        self._images = images.Images(self._line, choice.host_image)
        self._networks = networks.Networks(self._line, choice)
        self._lock = threading.Lock()
        self._ready: set[str] = set()

    @property
    def isolation(self) -> str:
        """What stands between a lab and this host, for an operator to read."""
        return options.isolation(self._options)

    def unavailable(self) -> str | None:
        """Why this provider cannot work now, and what to do; None if it can."""
        try:
            info = self._line.api.info()
        except engine.FAULTS as error:
            if engine.never_sent(error):
                return f"no engine answers at {self._options.address}: start it, or set DOCKER_HOST"
            return f"the engine at {self._options.address} said: {engine.text_of(error)}"
        runtime = self._options.runtime
        if runtime and runtime not in (info.get("Runtimes") or {runtime: None}):
            return f"the engine does not know the runtime {runtime}: install and configure it"
        return None

    def close(self) -> None:
        """Let go of the engine; machines go on."""
        self._line.close()

    # --- ports.Provider -------------------------------------------------------------------------
    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:  # noqa: ARG002
        """Our own host costs nothing."""
        return 0

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Pull or import an image. Raises CreateRefused("image")."""
        self._images.prepare(image, progress)

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make, start and set up one container. Raises CreateRefused or Unclear."""
        image = self._images.name_of(order.spec.image)
        self._check(order)
        with self._seat(order) as seat:
            identity = self._make(order, image, seat)
        try:
            self._begin(order, identity)
            if firstboot.needed(order.spec):
                self._boot(order, identity)
            with self._lock:
                self._ready.add(identity)
            found = self._inspect(identity)
        except ports.CreateRefused:
            self.delete(identity)
            raise
        if found is None or not found.usable:
            self.delete(identity)
            raise ports.CreateRefused("host", "the machine ended as soon as it was started")
        return found

    def find(self, label: str) -> ports.MachineSeen | None:
        """The container of this name, if it is ours. Raises Unclear."""
        found = self._inspect(label)
        return found if found is not None and found.label == label else None

    def inventory(self) -> list[ports.MachineSeen]:
        """Every container with our mark. Raises Unclear."""
        mark = f"{options.MARK_ENV}={self._options.env}"
        with engine.asking("list machines"):
            items = self._line.api.containers(all=True, filters={"label": [mark]})
        return [self._listed(item) for item in items if _label_of(item.get("Labels"))]

    def delete(self, machine_id: str) -> None:
        """Remove a container of ours and see that it is gone. Raises Unclear."""
        ends = time.monotonic() + _DELETE_SECONDS_MAX
        while (found := self._raw(machine_id)) is not None:
            if not self._is_ours(found):
                return
            problem = self._remove(found["Id"])
            if problem is None:
                continue
            if time.monotonic() > ends:
                raise ports.Unclear(f"delete {machine_id[:12]}: {problem}")
            time.sleep(_RETRY_SECONDS)
        with self._lock:
            self._ready.discard(machine_id)
        with engine.asking("remove networks"):
            self._networks.tidy()

    # --- for the agent --------------------------------------------------------------------------
    def place(self, label: str) -> places.Place:
        """The running machine of this label. Raises NoSuchMachine or PlaceError."""
        try:
            found = self._raw(label)
        except ports.Unclear as error:
            raise places.PlaceError(str(error)) from error
        if found is None or not self._is_ours(found) or not found["State"]["Running"]:
            raise places.NoSuchMachine(label)
        user = found["Config"]["Labels"].get(options.MARK_USER) or "root"
        enterable = self._line.local and self._options.runtime in _KERNEL_RUNTIMES
        return places_here.Place(self._line, found["Id"], user, enterable=enterable)

    # --- the steps of a create ------------------------------------------------------------------
    def _check(self, order: ports.MachineOrder) -> None:
        if order.egress == "allow" and not self._options.network:
            raise ports.CreateRefused(
                "invalid",
                "this lab asks for a list of allowed addresses, which a container engine cannot "
                "hold it to without a network prepared by the operator",
            )
        if order.peers and order.spec.name not in dict(order.peers):
            raise ports.CreateRefused("invalid", f"{order.spec.name} is not among its own peers")
        try:
            _ = self._line.api
        except engine.FAULTS as error:
            raise ports.CreateRefused("host", f"no engine: {engine.text_of(error)}") from error

    @contextlib.contextmanager
    def _seat(self, order: ports.MachineOrder) -> Iterator[networks.Seat | None]:
        """A place on the sandbox's network, held until the container has joined it."""
        own = order.egress == "full" and not self._options.network
        if not order.peers and not own:
            yield None
            return
        if not order.peers:
            order = _alone(order)
        try:
            seat = self._networks.seat(order)
        except LookupError as error:
            raise ports.CreateRefused("host", str(error)) from error
        except engine.FAULTS as error:
            # A network costs nothing, and the next delete removes it if nobody came to use it.
            raise ports.CreateRefused("host", f"network: {engine.text_of(error)}") from error
        try:
            yield seat
        finally:
            self._networks.release(seat.network)

    def _make(self, order: ports.MachineOrder, image: str, seat: networks.Seat | None) -> str:
        api = self._line.api
        settings = options.host_settings(self._options, order)
        network: dict[str, Any] | None = None
        if seat is not None:
            settings |= {"network_mode": seat.network, "extra_hosts": seat.hosts}
            joins = {"IPAMConfig": {"IPv4Address": seat.address}}
            network = {"EndpointsConfig": {seat.network: joins}}
            if order.egress == "none":
                settings["dns"] = ["127.0.0.1"]  # an engine's own resolver would ask for the lab
        elif order.egress != "none" and self._options.network:
            settings["network_mode"] = self._options.network
        else:
            settings["network_mode"] = "none"
        marks = options.marks(self._options, order, boots=firstboot.needed(order.spec))
        if seat is not None:
            marks[options.MARK_NETWORK] = seat.network
        try:
            made = api.create_container(
                image,
                entrypoint=["/bin/sh", "-c", options.WAIT_FOR_THE_END],
                name=order.label,
                hostname=order.spec.name,
                user="0",
                environment=dict(order.spec.environment),
                labels=marks,
                host_config=api.create_host_config(**settings),
                networking_config=network,
            )
        except engine.FAULTS as error:
            raise _not_made(order, error) from error
        return str(made["Id"])

    def _begin(self, order: ports.MachineOrder, identity: str) -> None:
        api = self._line.api
        try:
            if order.peers and order.egress != "none" and self._options.network:
                api.connect_container_to_network(identity, self._options.network)
            api.start(identity)
        except engine.FAULTS as error:
            if engine.status_of(error) is None:
                raise ports.Unclear(f"start {order.label}: {engine.text_of(error)}") from error
            text = engine.text_of(error)
            kind: ports.RefusalKind = "image" if "/bin/sh" in text else "host"
            raise ports.CreateRefused(kind, f"cannot start {order.spec.image}: {text}") from error

    def _boot(self, order: ports.MachineOrder, identity: str) -> None:
        spec = order.spec
        job = commands.Job(
            ["/bin/sh", "-s"], "root", firstboot.script(spec), float(spec.setup_seconds_max), 4096
        )
        try:
            outcome = commands.run(self._line, identity, job)
        except (places.PlaceError, places.NoSuchMachine) as error:
            raise ports.CreateRefused("setup", f"setup of {spec.name}: {error}") from error
        said = (outcome.output + outcome.error).decode(errors="replace").strip()[-500:]
        if outcome.timed_out:
            most = spec.setup_seconds_max
            raise ports.CreateRefused("setup", f"setup of {spec.name} took longer than {most} s")
        if outcome.code == firstboot.FAILED_FILES:
            raise ports.CreateRefused("setup", f"files of {spec.name} could not be placed: {said}")
        if outcome.code != 0:
            raise ports.CreateRefused("setup", f"setup of {spec.name} failed: {said}")

    # --- looking --------------------------------------------------------------------------------
    def _raw(self, identity: str) -> dict[str, Any] | None:
        with engine.asking(f"look up {identity[:40]}"):
            try:
                return dict(self._line.api.inspect_container(identity))
            except engine.FAULTS as error:
                if engine.status_of(error) == 404:
                    return None
                raise

    def _is_ours(self, found: Mapping[str, Any]) -> bool:
        marks = found["Config"]["Labels"] or {}
        ours = marks.get(options.MARK_ENV) == self._options.env
        return ours and bool(_label_of(marks))

    def _inspect(self, identity: str) -> ports.MachineSeen | None:
        found = self._raw(identity)
        if found is None or not self._is_ours(found):
            return None
        marks = found["Config"]["Labels"]
        return ports.MachineSeen(
            label=_label_of(marks),
            id=found["Id"],
            usable=bool(found["State"]["Running"]) and self._is_ready(found["Id"], marks),
            created_at=_moment(found["Created"]),
            address=_address(found),
        )

    def _listed(self, item: Mapping[str, Any]) -> ports.MachineSeen:
        running = item.get("State") == "running"
        return ports.MachineSeen(
            label=_label_of(item["Labels"]),
            id=item["Id"],
            usable=running and self._is_ready(item["Id"], item["Labels"]),
            created_at=int(item["Created"]) * 1000,
            address=_address(item),
        )

    def _is_ready(self, identity: str, marks: Mapping[str, str]) -> bool:
        """Whether files and setup are done; after a restart of ours, the machine itself knows."""
        if not marks.get(options.MARK_BOOT):
            return True
        with self._lock:
            if identity in self._ready:
                return True
        job = commands.Job(["test", "-e", firstboot.READY], "root", timeout_seconds=5)
        try:
            ready = commands.run(self._line, identity, job).code == 0
        except (places.PlaceError, places.NoSuchMachine):
            return False
        if ready:
            with self._lock:
                self._ready.add(identity)
        return ready

    def _remove(self, identity: str) -> str | None:
        """Ask for the end; None when the engine agreed, else its words. Raises Unclear."""
        try:
            self._line.api.remove_container(identity, force=True, v=True)
        except engine.FAULTS as error:
            status = engine.status_of(error)
            if status == 404:
                return None
            if status is None:
                raise ports.Unclear(f"delete: {engine.text_of(error)}") from error
            return engine.text_of(error)
        return None


def _not_made(order: ports.MachineOrder, error: BaseException) -> Exception:
    """What a failed POST means: certainly nothing, or something to look up."""
    status, text = engine.status_of(error), engine.text_of(error)
    if status == 409:
        return ports.Unclear(f"{order.label} exists already")
    if status == 404 and "network" not in text:
        image = order.spec.image
        return ports.CreateRefused("image", f"the image {image} is not on this host: fetch it")
    if status in {400, 404}:
        kind: ports.RefusalKind = "host" if "runtime" in text or "network" in text else "invalid"
        return ports.CreateRefused(kind, f"the engine refused: {text}")
    if engine.never_sent(error):
        return ports.CreateRefused("host", f"no engine: {text}")
    return ports.Unclear(f"create {order.label}: {text}")


def _alone(order: ports.MachineOrder) -> ports.MachineOrder:
    """The order as one that has itself for company: a network of its own."""
    return ports.MachineOrder(
        order.label,
        order.sandbox,
        order.spec,
        order.egress,
        order.egress_allow,
        ((order.spec.name, ""),),
        order.deadline_at,
    )


def _label_of(marks: Mapping[str, str] | None) -> str:
    return (marks or {}).get(options.MARK_LABEL, "")


def _address(found: Mapping[str, Any]) -> str | None:
    nets = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return next((net["IPAddress"] for net in nets.values() if net.get("IPAddress")), None)


def _moment(text: str) -> ports.Moment:
    """An RFC 3339 time, in the whole seconds that an engine's list of containers has."""
    whole = re.sub(r"\.\d+", "", text).replace("Z", "+00:00")
    return int(dt.datetime.fromisoformat(whole).timestamp()) * 1000
