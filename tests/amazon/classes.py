"""An open class as an operator makes it, for the functions of the tests."""

from __future__ import annotations

from amazon.deployed import Deployed
from brihaspati import settings
from brihaspati.domain import labs
from brihaspati.domain.classrooms import Classroom
from brihaspati.domain.labs import Lab
from brihaspati.engine.engine import Engine
from brihaspati.wiring import cloud
from house import a_lab

CODE = "MARIGOLD"
SANDBOX = "/v1/classes/demo/labs/hello/sandbox"
STEP = labs.Step("one", "Look", "<p>ls</p>", checks=(labs.Check("there", "It is there", ":"),))


def open_class(engine: Engine, lab: Lab, provider: str) -> Classroom:
    """`demo`, for three students, with one lab."""
    engine.classes.publish(lab)
    now = engine.world.clock.now()
    room = Classroom(
        id="demo",
        title="Demo",
        instructor="Prof. Iyer",
        code=CODE,
        opens_at=now - 1000,
        closes_at=now + 8 * 3_600_000,
        seats=3,
        labs=((lab.name, lab.version),),
        provider=provider,
    )
    engine.classes.create(room)
    return room


def open_rented_class() -> Classroom:
    """The same in the table of the functions, on rented machines, with something to check."""
    engine = cloud.cloud(settings.read()).engine
    return open_class(engine, a_lab(steps=(STEP,)), "digitalocean")


def join(house: Deployed, name: str = "Asha") -> str:
    """A student's cookie."""
    answer = house.ask("auth", "POST", "/v1/join", {"code": CODE, "name": name})
    assert answer["statusCode"] == 201, answer
    cookie: str = answer["cookies"][0].partition(";")[0]
    return cookie
