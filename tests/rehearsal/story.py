"""The story of a class, told to the deployed API step by step."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from brihaspati.adapters import ssm
from brihaspati.domain import warmth
from brihaspati.engine.records import Person
from brihaspati.entrypoints.http import sessions
from rehearsal import account, rights, stage
from rehearsal.account import Failed
from rehearsal.people import Browser, Seat, until
from rehearsal.stage import Stage

RENTED_SECONDS_MAX = 120
READY_SECONDS_MAX = 150
GONE_SECONDS_MAX = 120
# Its minute, the jitter of its alarm, and some for a busy machine.
EXPIRY_SECONDS_MAX = 60 + 20 + 100
# Two sweeps must see a stray.
STRAY_SECONDS_MAX = 200
STRAY = "bh-local-nobodysown1-a1-lab"
# A message is looked at only with 20 s left, so a killed function had a little more than that.
KILLED_SECONDS = 21
# What the cloud does meanwhile: it makes the machine, and answers too late.
SLOW = {"kind": "slow", "operation": "droplets_create", "seconds": 19.0}
SLOWER = {"kind": "slow", "operation": "firewalls_list", "seconds": 6.0}

# The last call of functions before a class that begins soon comes after so long.
SOON_MS = 10_000
WARM_SECONDS_MAX = 60
SEATS = 20

ADMIN = Person("rehearsal-admin", "Admin", "admin")

Step = tuple[str, Callable[[], str]]


@dataclass
class Story:
    """Each step does something, sees what must follow, and returns what to say of it."""

    on: Stage
    step: str = "begin"
    code: str = ""
    room: str = ""
    before: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.asha, self.ravi, self.mei = (
            Seat(Browser(stage.PORTAL, name), lab=lab)
            for name, lab in (("Asha", "hello"), ("Ravi", "brief"), ("Mei", "hello"))
        )
        self.trainer = Browser(stage.PORTAL, "Trainer")

    def short(self) -> Sequence[Step]:
        """What takes a minute."""
        return (
            ("deploy", self.deploy),
            ("health", self.health),
            ("seed", self.seed),
            ("join", self.join),
            ("Play", self.press_play),
            ("ready", self.ready),
            ("terminal", self.terminal),
            ("check", self.check),
            ("extend", self.extend),
            ("stop", self.stop),
            ("remove", self.remove),
        )

    def whole(self) -> Sequence[Step]:
        """All of it. What takes its time goes on while something else is told."""
        *begin, stop, remove = self.short()
        return (
            ("a deployment fails half way", self.half_way),
            *begin[:2],
            ("a key is missing", self.keyless),
            *begin[2:4],
            ("a stray is planted, the sweep rests", self.plant),
            ("a class is made that begins soon", self.make_class),
            ("Ravi plays a lab of one minute", self.play_brief),
            *begin[4:],
            ("the trainer", self.teach),
            ("warmth by schedule", self.warmth),
            stop,
            ("a function is killed half way", self.killed),
            ("expiry by schedule", self.expiry),
            ("second deploy", self.deploy_again),
            ("the sweep finds the stray", self.swept),
            ("permissions", self.permissions),
            remove,
        )

    def play(self, steps: Sequence[Step]) -> None:
        """Tell these steps. Raises Failed, and whatever else a step may meet."""
        for name, act in steps:
            self.step, begun = name, time.monotonic()
            found, now = act(), time.monotonic()
            took = f"({now - begun:.1f} s)"
            sys.stdout.write(f"{now - self.on.begun:6.1f} s  {name}: {found} {took}\n")
            sys.stdout.flush()

    # --- a class begins --------------------------------------------------------------------------
    def deploy(self) -> str:
        """From nothing to an API."""
        self.before = self.on.aws.there()
        token = self.on.tokens["digitalocean"]
        self.on.aws.put_parameters({"digitalocean-token": token, "digitalocean-sweep-token": token})
        self.on.deploy()
        return f"{len(self.on.aws.resources())} resources of the true serverless.yml"

    def half_way(self) -> str:
        """The name of the table is taken: what was made is taken back, and the next one works."""
        there = self.on.aws.there()
        with self.on.aws.name_taken():
            try:
                self.on.deploy()
            except Failed as error:
                said = str(error)
            else:
                raise Failed("it was deployed over a table of somebody else's")
        if account.STACK not in said:
            raise Failed(f"it does not say what was in its way: {said}")
        self.on.aws.osls(self.on.environment, "remove")  # as the guide says
        if left := self.on.aws.there() - there:
            raise Failed(f"left behind: {sorted(left)}")
        return "the name of the table was taken; what was made meanwhile is gone again"

    def keyless(self) -> str:
        """The key of sessions is not there yet: it is said, and nothing has to be deployed anew."""
        name = f"{account.PARAMETERS}/{ssm.MAC_NAME}"
        ssm_ = self.on.aws.services.of("ssm")
        kept = ssm_("get_parameter", Name=name, WithDecryption=True)["Parameter"]["Value"]
        ssm_("delete_parameter", Name=name)
        who = Browser(stage.PORTAL, cookie=f"{sessions.cookie_name(secure=True)}={'a' * 40}.b")
        status, said = who.ask("GET", "/v1/session")
        log = self.on.aws.notes("ran")[-1]["log"]
        if status < 500 or name not in log:
            raise Failed(f"answered {status} {said}; the log does not name {name}: {log}")
        ssm_("put_parameter", Name=name, Value=kept, Type="SecureString")
        status, said = who.ask("GET", "/v1/session")
        if status >= 500:
            raise Failed(f"with its key it answered {status}: {said}")
        return f"the log names {name}, and how to make it; once it is there it is found"

    def health(self) -> str:
        """The first request that is answered."""
        said = Browser(stage.PORTAL, "anybody").did("GET", "/v1/health")
        return f"{said['status']}, version {said['version']}, answered from the zip"

    def seed(self) -> str:
        """An operator's commands: labs, a class, and links that sign people in."""
        say = self.on.brihaspati
        say("lab", "publish", "labs/hello")
        made = say("class", "create", "--title", "Shells", "--lab", "hello", "--budget", "50")
        self.room = made["id"]
        for seat in (self.asha, self.ravi, self.mei):
            seat.class_id = self.room
        engine, brief = self.on.engine(), stage.lab(name="brief", lifetime_minutes=1)
        engine.classes.publish(brief)
        pins = ((brief.name, brief.version),)
        engine.classes.change(self.room, lambda r: replace(r, labs=r.labs + pins, pool=0))
        link = say("sign-in", "--role", "instructor", "--class", self.room)["url"]
        self.trainer.did("POST", "/v1/sign-in", {"token": link.partition("#")[2]})
        admin = Browser(stage.PORTAL, "Admin")
        token, _ = engine.classes.invite(engine.classes.ensure_person(ADMIN))
        admin.did("POST", "/v1/sign-in", {"token": token})
        (seen,) = admin.did("GET", "/v1/classes")["classes"]
        self.code = made["join_code"]
        return f"lab hello, class {seen['title']}, its trainer and an admin signed in"

    def join(self) -> str:
        """Students with a code."""
        for seat in (self.asha, self.ravi, self.mei):
            seat.who.join(self.code)
        found = self.asha.who.did("GET", f"/v1/classes/{self.room}")
        other = {"code": self.code, "name": "Asha"}
        status, _ = Browser(stage.PORTAL).ask("POST", "/v1/join", other)
        if status != 409:
            raise Failed(f"a second Asha was answered {status}")
        return f"Asha, Ravi, Mei see {found['title']} and {len(found['labs'])} labs; one Asha only"

    def press_play(self) -> str:
        """A machine is rented."""
        self.asha.play()
        mine = self.asha.sandbox()["id"]
        labels = until(
            lambda: [n for n in self.on.labels() if mine in n], "a machine is rented", 60
        )
        return f"{labels[0]} is rented"

    def ready(self) -> str:
        """Its agent says so."""
        found = self.asha.until("ready", READY_SECONDS_MAX)
        took = (found["ready_at"] - found["asked_at"]) / 1000
        return f"its agent answers {took:.1f} s after Play"

    def terminal(self) -> str:
        """A shell on the rented machine."""
        url = self.asha.typed("echo $((6*7)) $(id -un)", b"42 root")
        return f"a shell at {url.partition('/v1')[0]} answered"

    def check(self) -> str:
        """A step is done in the shell, and found done by its check."""
        self.asha.typed("echo 2026 Asha >>/srv/observatory/visitors.txt; echo $((6*8))", b"48")
        step = f"/v1/classes/{self.room}/labs/hello/steps/01-look-around/check"
        self.asha.who.did("POST", step, {})
        until(self._verdict, "the check has a verdict", READY_SECONDS_MAX)
        return "done in the shell, found done by its script on the machine"

    def _verdict(self) -> bool:
        first = self.asha.who.did("GET", self.asha.path)["progress"]["steps"][0]
        return bool(first["verdicts"]) and all(one["ok"] for one in first["verdicts"])

    def extend(self) -> str:
        """More time."""
        found = self.asha.sandbox()
        left = {"extensions_left": found["extensions_left"]}
        longer = self.asha.who.did("POST", f"{self.asha.path}/extend", left)["sandbox"]
        more = (longer["deadline_at"] - found["deadline_at"]) / 60_000
        if more != 15:
            raise Failed(f"{more} minutes more, not 15")
        return f"{more:.0f} minutes more"

    def stop(self) -> str:
        """And given back."""
        (mine,) = [m["id"] for m in [self.asha.sandbox()]]
        self.asha.stop()
        self.asha.until("gone", GONE_SECONDS_MAX)
        if left := [label for label in self.on.labels() if mine in label]:
            raise Failed(f"still there, and paid for: {left}")
        return "gone, and the cloud has no machine of it"

    # --- meanwhile -------------------------------------------------------------------------------
    def plant(self) -> str:
        """A machine of ours that nobody asked for."""
        self.on.aws.sweeping(on=False)
        with self.on.world.lock:
            self.on.world.add_stranger("digitalocean", STRAY, ["bh-local"])
        return STRAY

    def play_brief(self) -> str:
        """The cloud refuses the first create, so another is tried; how it ends is told later."""
        self.on.world.faults.add("sold_out", operation="droplets_create")
        self.ravi.play()
        return "sold out at first; its end comes by itself"

    def make_class(self) -> str:
        """Its functions are to be woken by a schedule, which is told of later."""
        opens_at = round(time.time() * 1000) + warmth.CALLS_MS["late"] + SOON_MS
        draft = {
            "key": "w" * 20,
            "title": "Next class",
            "labs": ["hello"],
            "opens_at": opens_at,
            "closes_at": opens_at + 3_600_000,
            "seats": SEATS,
        }
        made = self.trainer.did("POST", "/v1/classes", draft)
        # Its warm labs would be there when the story looks for what is left.
        self.on.engine().classes.change(made["id"], lambda room: replace(room, pool=0))
        return f"{SEATS} students may join it"

    def warmth(self) -> str:
        """Functions were woken for a class that begins."""
        until(self._calls, "a schedule calls the function warm", WARM_SECONDS_MAX)
        woken = sum(json.loads(n["answer"])["environments"] for n in self._calls())
        if woken < SEATS // warmth.STUDENTS_EACH:
            raise Failed(f"too little is warm: {self._calls()}")
        return f"{woken} environments of each function that students meet"

    def _calls(self) -> list[Any]:
        return [n for n in self.on.aws.notes("ran") if n["function"].endswith("-warm")]

    def teach(self) -> str:
        """What trainers do."""
        room, ask = f"/v1/classes/{self.room}", self.trainer.did
        shown = ask("GET", f"{room}/board")
        words = {"key": "k" * 20, "text": "Five minutes."}
        sent = ask("POST", f"{room}/messages", words)["id"]
        heard = self.mei.who.did("GET", room)["messages"]
        ask("DELETE", f"{room}/messages/{sent}")
        ask("PUT", f"{room}/roster", {"people": [{"name": "Asha"}]})
        asha = next(row["id"] for row in shown["students"] if row["name"] == "Asha")
        ask("POST", f"{self.asha.path}/watch?student={asha}", {})
        seat = {"student": asha, "lab": "hello", "deadline_at": self.asha.sandbox()["deadline_at"]}
        ask("POST", f"{room}/extend", {"minutes": 5, "sandboxes": [seat]})
        ask("POST", f"{room}/preflight", {})
        return f"board of {len(shown['students'])}, {len(heard)} message heard, Asha has more time"

    def killed(self) -> str:
        """A function dies with the machine made and nothing written down; it ends well."""
        self.on.aws.time_limit("provision", KILLED_SECONDS)
        for fault in (SLOW, SLOWER):
            self.on.world.faults.add(**fault)  # type: ignore[arg-type]  # its fields
        self.mei.play()
        until(self._kills, "the function provision is killed", READY_SECONDS_MAX)
        found = self.mei.until("ready", READY_SECONDS_MAX)
        mine = [label for label in self.on.made() if found["id"] in label]
        if len(mine) != 1:
            raise Failed(f"one machine was to be made, not {mine}")
        return f"after {KILLED_SECONDS} s; its message came again, {mine[0]} was found and is ready"

    def _kills(self) -> list[Any]:
        ran = self.on.aws.notes("ran")
        return [n for n in ran if n["failed"] and "timed out" in n["answer"]]

    def expiry(self) -> str:
        """A lab ends because its time is over, while no sweep looks."""
        found = self.ravi.until("gone", EXPIRY_SECONDS_MAX)
        over_at = found["deadline_at"] / 1000
        fired = [n for n in self.on.aws.notes("fired") if n["at"] >= over_at]
        swept = [n for n in self._sweeps() if n["at"] >= over_at]  # one may have been on its way
        if swept or not any(self.ravi.lab in n["text"] for n in fired):
            raise Failed(f"no schedule ended it: {fired}, {swept}")
        late = (found["ended_at"] - found["deadline_at"]) / 1000
        return f"Ravi's lab was gone {late:.1f} s after its time, by its schedule"

    def deploy_again(self) -> str:
        """What runs goes on."""
        self.on.deploy()
        phase = self.mei.sandbox()["phase"]
        if phase != "ready":
            raise Failed(f"Mei's lab is {phase}")
        self.mei.typed("echo still $((40+2))", b"still 42")
        self.mei.stop()
        self.mei.until("gone", GONE_SECONDS_MAX)
        return "Mei's shell went on; she stops"

    def swept(self) -> str:
        """What nobody asked for goes; meanwhile one lab is kept warm, and claimed."""
        classes, aws = self.on.engine().classes, self.on.aws
        classes.change(self.room, lambda room: replace(room, pool=1))
        aws.sweeping(on=True)
        until(lambda: len(self.on.labels()) > 1, "a warm lab is rented", STRAY_SECONDS_MAX)
        until(self._warm, "a lab is warm", READY_SECONDS_MAX)
        self.asha.play()
        phase = self.asha.sandbox()["phase"]
        classes.change(self.room, lambda room: replace(room, pool=0))
        self.asha.stop()
        until(lambda: not self.on.labels(), "the cloud has no machine", STRAY_SECONDS_MAX)
        runs = [n for n in aws.notes("ran") if "-sweep" in n["function"]]
        return (
            f"deleted after {len(runs)} sweeps; a warm lab was {phase} at Play; no machine is left"
        )

    def _sweeps(self) -> list[Any]:
        return [n for n in self.on.aws.notes("ran") if "-sweep" in n["function"]]

    def _warm(self) -> bool:
        found = self.on.engine().world.store.query(f"w#{self.room}#hello", "y#").items
        return any(item.body["sandbox"]["phase"] == "ready" for item in found)

    # --- the end ---------------------------------------------------------------------------------
    def permissions(self) -> str:
        """All of that was done by functions that each have rights of their own."""
        return rights.compare(rights.granted(self.on.aws), self.on.aws.notes("asked"))

    def remove(self) -> str:
        """As if it had never been."""
        if left := self.on.remove() - self.before:
            raise Failed(f"left behind: {sorted(left)}")
        return "removed, nothing left"
