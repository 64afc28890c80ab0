"""Opens what is imported: a folder, or an archive that is unpacked first, as samples and findings."""

from collections.abc import Iterator
from pathlib import Path

from sandglass.core.finding import Finding
from sandglass.core.picture import SUFFIXES
from sandglass.core.sample import Sample
from sandglass.formats import Found, Kind, read_dataset
from sandglass.formats.archive import is_archive, unpack


def open_source(
    source: Path,
    scratch: Path,
    *,
    uploaded: bool,
    format_id: str,
    kind: Kind,
    split_file: Path | None,
    part: str | None,
) -> tuple[str, Iterator[tuple[Sample, Path] | Finding]]:
    """The format of a source, and what is found there.

    Args:
        source: folder, archive, or folder with a single archive in it (an upload).
        scratch: does not exist; an archive is unpacked there.
        uploaded: whether the files came with the request, from a folder of the person's machine.
        format_id: ``auto`` or the id of a format.
        kind: annotation kind of the dataset.
        split_file: JSON file with the parts of a split.
        part: the part to read.

    Raises:
        InvalidInput: the archive is unsafe or damaged, or the format is not clear.
        TooLarge: the archive holds too much.
    """
    archive = _archive(source)
    if archive is not None:
        unpack(archive, scratch)
        source = scratch
    if archive is not None or uploaded:
        source = _root(source)
    reading = read_dataset(source, kind=kind, format=format_id, split=split_file, part=part)
    return reading.format.id, _pairs(reading.found)


def _archive(source: Path) -> Path | None:
    if source.is_file():
        return source
    inside = list(source.iterdir())
    return inside[0] if len(inside) == 1 and is_archive(inside[0]) else None


def _root(folder: Path) -> Path:
    """Archives and uploads often hold one folder with all the rest: that is meant, unless it is a class with pictures."""
    while True:
        inside = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        if all(entry.suffix.lower() in SUFFIXES for entry in inside[0].iterdir()):
            return folder
        folder = inside[0]


def _pairs(found: Found) -> Iterator[tuple[Sample, Path] | Finding]:
    for item in found:
        yield item if isinstance(item, Finding) else (item.sample, item.source)
