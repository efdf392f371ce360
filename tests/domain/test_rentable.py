"""Which labs rented machines can be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.domain import rentable
from brihaspati.domain.classrooms import BadField
from house import a_lab


@pytest.mark.parametrize(
    ("image", "clouds", "fits"),
    [
        ("host", ("digitalocean", "linode"), True),
        ("digitalocean:/ubuntu-24-04-x64", ("digitalocean", "digitalocean-ams3"), True),
        ("digitalocean:/ubuntu-24-04-x64", ("digitalocean", "linode"), False),
        ("docker.io/library/debian:13", ("digitalocean",), False),
        ("digitalocean:/", ("digitalocean",), False),
    ],
)
def test_a_lab_is_rented_where_its_image_is(
    image: str, clouds: tuple[str, ...], *, fits: bool
) -> None:
    lab = a_lab()
    lab = replace(lab, machines=(replace(lab.machines[0], image=image),))
    if fits:
        rentable.check(lab, clouds)
        return
    with pytest.raises(BadField, match=image) as refused:
        rentable.check(lab, clouds)
    assert refused.value.field == "labs"
