"""Which labs rented machines can be: those of one machine, with a system the cloud has."""

from __future__ import annotations

from collections.abc import Sequence

from brihaspati.domain.classrooms import BadField
from brihaspati.domain.labs import Lab

HOST = "host"
CLOUDS = ("digitalocean", "linode")


def system(image: str, cloud: str, usual: str) -> str | None:
    """The cloud's own name for an image of a lab: `host` is its `usual` one. None: it has none.

    `digitalocean:/ubuntu-24-04-x64` is a system of DigitalOcean by its name there.
    """
    if image == HOST:
        return usual
    where, _, name = image.partition("/")
    return name if where == f"{cloud}:" and name else None


def check(lab: Lab, clouds: Sequence[str] = CLOUDS) -> None:
    """Raise BadField, of the field `labs`, unless each of these clouds can have the lab.

    They are called as `digitalocean`, or with a region as `digitalocean-ams3`.
    """
    problem = why_not(lab, clouds)
    if problem is not None:
        raise problem


def why_not(lab: Lab, clouds: Sequence[str] = CLOUDS) -> BadField | None:
    """What `check` would raise."""
    if len(lab.machines) > 1:
        return BadField(
            "labs",
            f"{lab.title} has {len(lab.machines)} machines; a lab on rented ones has one.",
            "Put all of it on one machine, or hold the class on a host of your own.",
        )
    image = lab.machines[0].image
    lacking = [one for one in clouds if system(image, one.partition("-")[0], HOST) is None]
    if not lacking:
        return None
    return BadField(
        "labs",
        f"{lab.title} asks for the image {image}, which {lacking[0]} does not have.",
        f"Write `image: {HOST}` and install the rest in setup, or use a host of your own.",
    )
