"""On which port of an address a port of its machine is seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from brihaspati.domain import previews
from brihaspati.domain.labs import MachineSpec, PublishedPort


def shown(*published: int) -> dict[int, int]:
    spec = MachineSpec("main", ports=tuple(PublishedPort(port, "x") for port in published))
    return previews.ports_of_address(spec)


def test_the_first_port_is_seen_where_most_networks_let_it_out() -> None:
    assert shown(8080) == {8080: 8443}
    assert shown() == {}


@given(st.sets(st.integers(1, 65_000) | st.integers(8440, 8460), max_size=12))
def test_each_has_a_port_of_its_own_which_no_program_of_the_lab_is_promised(
    published: set[int],
) -> None:
    found = shown(*published)
    assert set(found) == published
    assert len(set(found.values())) == len(published)
    assert not {443, *published} & set(found.values())
