"""Who a client is, and whose word is taken for it."""

from __future__ import annotations

import pytest

from services.contracts.errors import Misconfigured
from services.runtime.doors.peers import UNKNOWN, Proxies, peer_of

INGRESS = Proxies.named(["10.2.0.0/16", "2001:db8:1::5"], variable="TRUSTED_PROXIES")


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", UNKNOWN),
        ("somebody", UNKNOWN),
    ],
)
def test_a_peer_is_what_one_party_is_given(address: str, peer: str) -> None:
    assert peer_of(address) == peer


@pytest.mark.parametrize(
    ("address", "forwarded", "client"),
    [
        # A stranger says what they like of themselves; nobody listens.
        ("192.0.2.7", ["203.0.113.9"], "192.0.2.7"),
        ("10.2.3.4", ["203.0.113.9"], "203.0.113.9"),
        # What the client itself wrote stands left of what the proxy added.
        ("10.2.3.4", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("10.2.3.4", ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        ("10.2.3.4", ["203.0.113.9, 10.2.9.9"], "203.0.113.9"),
        ("10.2.3.4", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.2.3.4", ["[2001:db8:9::7]:443"], "2001:db8:9::/64"),
        ("2001:db8:1::5", ["203.0.113.9"], "203.0.113.9"),
        # Nothing that can be read: the proxy is all that is known.
        ("10.2.3.4", [], "10.2.3.4"),
        ("10.2.3.4", ["unknown"], "10.2.3.4"),
        ("10.2.3.4", ["203.0.113.9, _hidden"], "10.2.3.4"),
    ],
)
def test_a_proxy_is_believed_if_it_is_named_and_only_for_what_it_wrote(
    address: str, forwarded: list[str], client: str
) -> None:
    """Behind an ingress everybody was one address, and one guesser locked all of them out."""
    assert INGRESS.client(address, forwarded) == client


def test_what_names_no_network_is_refused_with_the_setting() -> None:
    with pytest.raises(Misconfigured, match=r"^TRUSTED_PROXIES: .*10\.2\.0\.0/16"):
        Proxies.named(["ingress"], variable="TRUSTED_PROXIES")
