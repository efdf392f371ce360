"""The words the makers of images share: what they make, how they tell of it, how they fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brihaspati import ports

# What is happening, and how far it is (0 to 1, None when nobody knows).
Progress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class Rootfs:
    """A folder a lab's root is made from, never written to. `usr` is mounted on its /usr."""

    path: Path
    usr: Path | None = None


class ImageProblem(ports.CreateRefused):
    """An image cannot be made ready: what is wrong, and what to do about it."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__("image", f"{what}; {fix}")
        self.what = what
        self.fix = fix
