"""Addresses of the Internet Protocol, with interfaces and networks."""

from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)

from pydantic import BaseModel, IPvAnyAddress, IPvAnyInterface, IPvAnyNetwork


class Host(BaseModel):
    ipv4: IPv4Address
    ipv6: IPv6Address = IPv6Address("::1")
    ip: IPvAnyAddress
    ipv4_interface: IPv4Interface = IPv4Interface("10.0.0.1/8")
    ipv6_interface: IPv6Interface | None = None
    ip_interface: IPvAnyInterface
    ipv4_network: IPv4Network
    ipv6_network: IPv6Network = IPv6Network("fe80::/10")
    ip_network: IPvAnyNetwork
    aliases: list[IPv4Address] = []
    by_name: dict[str, IPv6Address] = {}
    routes: list[IPvAnyNetwork | None] = []


EXAMPLES = [
    Host(
        ipv4="0.0.0.0",
        ip="127.0.0.1",
        ip_interface="127.0.0.1/8",
        ipv4_network="0.0.0.0/0",
        ip_network="10.0.0.0/8",
    ),
    Host(
        ipv4="255.255.255.255",
        ipv6="fe80::1%eth0",
        ip="2001:db8::ff",
        ipv4_interface="192.168.1.7/24",
        ipv6_interface="2001:db8::1/64",
        ip_interface="2001:db8::1/64",
        ipv4_network="192.168.1.0/24",
        ipv6_network="2001:db8::/32",
        ip_network="::/0",
        aliases=["1.2.3.4"],
        by_name={"local": "::1"},
        routes=[None, "10.0.0.0/8"],
    ),
]


def resolve(name: str, fallback: IPvAnyAddress | None = None) -> IPvAnyAddress:
    """The address of a name."""
    return fallback or IPv4Address("127.0.0.1")


def contains(network: IPv4Network, address: IPv4Address) -> IPv4Interface:
    """The address in its network."""
    return IPv4Interface((address, network.prefixlen))


def echo(value: Host) -> Host:
    """Returns the host."""
    return value
