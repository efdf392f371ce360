"""Certificates for names ahead of time: pebble, which asks the stand-in's own zone by DNS."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

import dns
import pebble
from brihaspati.adapters import acmedns
from brihaspati.adapters.rented.zones import Zone
from brihaspati.ports.names import NotCertified
from rented import stand_in

ZONE = "labs.example.org"
CLOUD = "digitalocean"


def test_names_are_certified_with_all_below_them_and_their_proofs_are_taken_out(
    tmp_path: Path,
) -> None:
    sky = stand_in.Sky()
    sky.zone(CLOUD, ZONE)
    zone = Zone(ZONE, sky.cloud(CLOUD).records(ZONE))
    with (
        dns.serving(lambda name: stand_in.says(sky.world, CLOUD, ZONE, name)) as server,
        pebble.running(tmp_path, 1, dns=server) as issuer,
    ):
        key, chosen = acmedns.new_key(), acmedns.Issuer(issuer.directory, issuer.ca, 0)
        hosts = [f"l-one.{ZONE}", f"l-two.{ZONE}"]
        found = acmedns.AcmeDns(chosen, key).certify(hosts, zone)
        assert list(found) == hosts
        for host, identity in found.items():
            certificate = x509.load_pem_x509_certificate(identity.chain.encode())
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            assert set(names.value.get_values_for_type(x509.DNSName)) == {host, f"*.{host}"}
            assert identity.key.startswith("-----BEGIN PRIVATE KEY-----")
        assert found[hosts[0]].key != found[hosts[1]].key
        assert zone.hosts() == []
        again = acmedns.AcmeDns(chosen, key)  # the account is known there by now
        for _ in range(2):
            again.revoke(found[hosts[0]].chain)
        with pytest.raises(NotCertified, match=r"l-evil\.example\.net"):
            again.certify(["l-evil.example.net"], zone)
