"""The address of the client: the peer's, or what a trusted proxy says (decision 61)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address


class TrustedProxies:
    """The networks whose forwarding headers are believed. None by default."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(network) for network in networks)
        self.trusts = lru_cache(maxsize=4096)(self._trusts)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, peer: str, forwarded_for: bytes) -> str:
        """The rightmost address of `X-Forwarded-For` that is no trusted proxy's; the peer's when the peer is none.

        Whatever stands further left was written by the client and may be a lie. An entry that is no address ends the
        search: the proxy that passed it on is the last that is known.
        """
        client = peer
        for entry in reversed(forwarded_for.decode("latin-1").split(",")):
            if not self.trusts(client):
                break
            address = parse_address(entry)
            if address is None:
                break
            client = str(address)
        return client

    def _trusts(self, address: str) -> bool:
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def parse_address(text: str) -> Address | None:
    """An IP address as proxies write it: bare, with a port, in brackets, IPv4 in IPv6. None when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
