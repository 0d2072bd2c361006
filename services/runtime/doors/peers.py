"""Who a client is, by its address; also behind a proxy that is trusted to say so."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.errors import Misconfigured

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN = "unknown"
# What one subscriber is given of IPv6: who has it has all its addresses.
_IPV6_PREFIX = 64


def peer_of(address: str) -> str:
    """The party behind an address: itself, or its /64 of IPv6. `unknown` for what is none."""
    read = _read(address)
    if read is None:
        return UNKNOWN
    if isinstance(read, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((read, _IPV6_PREFIX), strict=False))
    return str(read)


@dataclass(frozen=True)
class Proxies:
    """The proxies in front of us whose word about their client's address is taken, and nobody else's."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def named(cls, words: Sequence[str], *, variable: str) -> Proxies:
        """Addresses and networks (CIDR). Raises Misconfigured naming the variable."""
        try:
            return cls(tuple(ipaddress.ip_network(word) for word in words))
        except ValueError as error:
            raise Misconfigured(f"{variable}: {error}; wanted: addresses or networks, as 10.2.0.0/16") from None

    def trust(self, address: str) -> bool:
        read = _read(address)
        return read is not None and any(
            read in network for network in self.networks if network.version == read.version
        )

    def client(self, address: str, forwarded_for: Sequence[str]) -> str:
        """The peer whose request came from `address` with these X-Forwarded-For headers.

        Read from the right, where the proxy nearest to us wrote, as far as proxies are trusted: what stands left
        of the first other address may be anybody's invention.
        """
        hops = [hop.strip() for line in forwarded_for for hop in line.split(",")]
        while hops and self.trust(address):
            named = _without_port(hops.pop())
            if _read(named) is None:
                break
            address = named
        return peer_of(address)


def _read(address: str) -> Address | None:
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = read.ipv4_mapped if isinstance(read, ipaddress.IPv6Address) else None
    return mapped or read


def _without_port(hop: str) -> str:
    """Some proxies write host:port, and IPv6 in brackets."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and hop.count(":") == 1 else hop
