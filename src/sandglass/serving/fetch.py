"""Fetches pictures that callers name by address, and nothing that lies inside the network.

A name is resolved once, every address that it has is checked, and the connection goes to a checked address: a second
answer of the name server (DNS rebinding) is never asked for. Redirects are followed by hand and checked alike.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.text import Text

MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
FETCH_SECONDS = 10.0
"""For the name, all redirects and the whole picture."""
USER_AGENT = "Sandglass"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Carrier-grade NAT (RFC 6598); neither private nor global in Python's sense."""
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""NAT64 (RFC 6052, RFC 8215): an IPv4 address stands in the last four bytes."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: Address) -> bool:
    """Whether an address lies outside: not private, loopback, link-local, multicast, shared, reserved or unspecified.

    An IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64) is judged by itself.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    elif address in _SHARED:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local
    )


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if int(address) < 2**32 and int(address) > 1:  # IPv4-compatible, long deprecated
        return ipaddress.IPv4Address(int(address))
    return None


@dataclass(frozen=True)
class Fetcher:
    """Fetches pictures.

    Attributes:
        networks: may be fetched from although they are not public.
        resolve: gives the addresses of a name.
        seconds: for one picture, from the name to the last byte.
    """

    networks: tuple[Network, ...] = ()
    resolve: Resolve = resolve
    seconds: float = FETCH_SECONDS

    @classmethod
    def within(cls, networks: Iterable[str]) -> "Fetcher":
        """A fetcher that may also fetch from these networks (CIDR)."""
        return cls(tuple(ipaddress.ip_network(network, strict=False) for network in networks))

    async def fetch(self, url: str, *, most: int, field: str = "url") -> bytes:
        """The bytes at an address.

        Raises:
            InvalidInput: ``url_invalid``, ``url_refused`` (inside the network), ``url_unreachable``, ``url_timed_out``.
            TooLarge: ``picture_too_large``: more than ``most`` bytes.
        """
        try:
            async with asyncio.timeout(self.seconds):
                return await self._follow(url, most, field)
        except TimeoutError as error:
            raise InvalidInput(
                "url_timed_out",
                Text(
                    en=f"{_shown(url)} did not answer within {self.seconds:g} s.",
                    zh=f"{_shown(url)} 在 {self.seconds:g} 秒内没有响应。",
                ),
                Text(en="Send the picture itself.", zh="请直接发送图片。"),
                field=field,
            ) from error

    async def _follow(self, url: str, most: int, field: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            scheme, host, port = _parts(url, field)
            address = await self._checked(host, port, url, field)
            answer = await self._get(url, scheme, host, port, address, most, field)
            if isinstance(answer, bytes):
                return answer
            url = urljoin(url, answer)
        raise _unreachable(url, Text(en="too many redirects", zh="重定向次数过多"), field)

    async def _checked(self, host: str, port: int, url: str, field: str) -> str:
        """An address of the host, after all of them were found to be allowed."""
        try:
            literal: Address | None = ipaddress.ip_address(host)
        except ValueError:
            literal = None
        if literal is not None:
            found = [literal]
        else:
            try:
                found = [ipaddress.ip_address(text.split("%")[0]) for text in await self.resolve(host, port)]
            except (OSError, ValueError, UnicodeError) as error:
                raise _unreachable(url, Text(en="unknown host", zh="无法解析主机名"), field) from error
        if not found:
            raise _unreachable(url, Text(en="unknown host", zh="无法解析主机名"), field)
        for address in found:
            if not (is_public(address) or any(address in network for network in self.networks)):
                raise InvalidInput(
                    "url_refused",
                    Text(
                        en=f"{_shown(url)} leads to an address inside the network, which is not allowed.",
                        zh=f"{_shown(url)} 指向内部网络地址，不允许访问。",
                    ),
                    Text(en="Send the picture itself.", zh="请直接发送图片。"),
                    field=field,
                )
        return str(found[0])

    async def _get(
        self, url: str, scheme: str, host: str, port: int, address: str, most: int, field: str
    ) -> bytes | str:
        """The bytes, or where a redirect leads."""
        pinned = httpx.URL(url, host=address)
        default = port == {"http": 80, "https": 443}[scheme]
        name = f"[{host}]" if ":" in host else host
        headers = {
            "Host": name if default else f"{name}:{port}",
            "User-Agent": USER_AGENT,
            "Accept": "image/*",
            "Accept-Encoding": "identity",  # nothing is unpacked here, so nothing can swell
        }
        try:
            # The certificate is checked against the name, the connection goes to the address.
            async with (
                httpx.AsyncClient(trust_env=False, timeout=self.seconds, follow_redirects=False) as http,
                http.stream("GET", pinned, headers=headers, extensions={"sni_hostname": host}) as answer,
            ):
                if answer.status_code in REDIRECTS and "location" in answer.headers:
                    return answer.headers["location"]
                if answer.status_code != 200:
                    raise _unreachable(
                        url, Text(en=f"HTTP {answer.status_code}", zh=f"HTTP {answer.status_code}"), field
                    )
                data = bytearray()
                async for chunk in answer.aiter_raw():
                    data += chunk
                    if len(data) > most:
                        raise _too_large(url, most, field)
                return bytes(data)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise _unreachable(url, Text(en=type(error).__name__, zh=type(error).__name__), field) from error


def _parts(url: str, field: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in ("http", "https") or not host or len(url) > 4096:
        raise InvalidInput(
            "url_invalid",
            Text(en=f"'{_shown(url)}' is no http or https address.", zh=f"“{_shown(url)}”不是 http 或 https 地址。"),
            Text(
                en="Use an address such as https://example.com/picture.jpg.",
                zh="请使用如 https://example.com/picture.jpg 的地址。",
            ),
            field=field,
        )
    return scheme, host, port or (443 if scheme == "https" else 80)


def _shown(url: str) -> str:
    """The address without its query and credentials, which may be secret."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"[:200]
    except ValueError:
        return url[:80]


def _unreachable(url: str, why: Text, field: str) -> InvalidInput:
    return InvalidInput(
        "url_unreachable",
        Text(en=f"{_shown(url)} cannot be fetched: {why.en}.", zh=f"无法获取 {_shown(url)}：{why.zh}。"),
        Text(en="Check the address, or send the picture itself.", zh="请检查地址，或直接发送图片。"),
        field=field,
    )


def _too_large(url: str, most: int, field: str) -> TooLarge:
    return TooLarge(
        "picture_too_large",
        Text(en=f"{_shown(url)} has more than {most >> 20} MB.", zh=f"{_shown(url)} 超过 {most >> 20} MB。"),
        Text(en="Use a smaller picture.", zh="请使用较小的图片。"),
        field=field,
    )
