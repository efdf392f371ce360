"""Names of rented machines: what is below a host is found by the host's own record."""

from __future__ import annotations

from brihaspati.domain import names

HOST = names.new_host("labs.example.org", "prod", "abcdefghijklmn")


def test_an_agent_is_right_below_its_host_where_one_record_finds_all() -> None:
    first, _, rest = names.agent_at(HOST).partition(".")
    assert (first, f"*.{rest}") == ("at", names.below(HOST))


def test_the_records_of_a_host_name_it_and_nothing_else_does() -> None:
    for record in (names.below(HOST), names.proof_of(HOST)):
        assert names.host_of(record, "labs.example.org", "prod") == HOST
    assert names.host_of(names.agent_at(HOST), "labs.example.org", "prod") is None
    assert names.host_of(HOST, "labs.example.org", "other") is None
