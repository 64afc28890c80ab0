"""Opens what is imported: a folder, or an archive that is unpacked first, as samples and findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandglass.core.dictionary import KeyDictionary
from sandglass.core.finding import Finding
from sandglass.core.picture import SUFFIXES
from sandglass.core.relabel import LabelMap, parse_annotation, relabel
from sandglass.core.sample import Sample
from sandglass.formats import Found, Kind, read_dataset
from sandglass.formats.archive import is_archive, unpack
from sandglass.formats.ti_ocr import TiOcr, read_dictionary


@dataclass(frozen=True)
class OpenedSource:
    """A source being read.

    Attributes:
        format: id of the format that it has.
        found: samples with their pictures, and findings, as they come.
        dictionary: the key dictionary that lies in it.
    """

    format: str
    found: Iterator[tuple[Sample, Path] | Finding]
    dictionary: KeyDictionary


def open_source(
    source: Path,
    scratch: Path,
    *,
    uploaded: bool,
    format_id: str,
    kind: Kind,
    split_file: Path | None,
    part: str | None,
    dictionary: KeyDictionary,
) -> OpenedSource:
    """The format of a source, and what is found there.

    Args:
        source: folder, archive, or folder with a single archive in it (an upload).
        scratch: does not exist; an archive is unpacked there.
        uploaded: whether the files came with the request, from a folder of the person's machine.
        format_id: ``auto`` or the id of a format.
        kind: annotation kind of the dataset.
        split_file: JSON file with the parts of a split.
        part: the part to read.
        dictionary: of the dataset that is imported into; printed keys that the source's own does not name follow it.

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
    if not isinstance(reading.format, TiOcr):
        return OpenedSource(reading.format.id, _pairs(reading.found), KeyDictionary())
    own, _ = read_dictionary(source)  # what is wrong with it is found by the format itself
    others: LabelMap = {key: field for key, field in dictionary.keys.items() if key not in own.keys}
    return OpenedSource(reading.format.id, _named(_pairs(reading.found), others), own)


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


def _named(found: Iterator[tuple[Sample, Path] | Finding], names: LabelMap) -> Iterator[tuple[Sample, Path] | Finding]:
    for item in found:
        if names and not isinstance(item, Finding) and item[0].annotation is not None:
            sample, source = item
            stored = relabel(sample.annotation.model_dump(mode="json"), names)  # type: ignore[union-attr]
            yield sample.model_copy(update={"annotation": parse_annotation(stored)}), source
        else:
            yield item
