"""A published dataset version: one object that lists every sample as a line of JSON, always in the same order."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sandglass.core.sample import Sample
from sandglass.store.objects import Objects


def write_manifest(objects: Objects, samples: Iterable[Sample]) -> tuple[str, int]:
    """Store a manifest and return its digest and the number of samples.

    Args:
        objects: where to store it.
        samples: sorted by path, so that equal content has an equal digest.

    Raises:
        ValueError: the samples are not sorted.
    """
    count, before = 0, ""
    with tempfile.TemporaryDirectory(prefix="sandglass-manifest-") as folder:
        path = Path(folder) / "manifest.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for sample in samples:
                if count and sample.path <= before:
                    raise ValueError(f"{sample.path} does not follow {before}")
                before = sample.path
                file.write(sample_line(sample) + "\n")
                count += 1
        digest, _ = objects.put_file(path)
    return digest, count


def sample_line(sample: Sample) -> str:
    """A sample as it stands in a manifest: equal samples have equal lines."""
    return sample.model_dump_json(exclude_none=True)


def read_lines(objects: Objects, digest: str) -> Iterator[bytes]:
    """The lines of a manifest, in order.

    Raises:
        NotFound: ``object_missing``.
    """
    rest = b""
    for chunk in objects.stream(digest):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest


def read_manifest(objects: Objects, digest: str) -> Iterator[Sample]:
    """The samples of a manifest, in order.

    Raises:
        NotFound: ``object_missing``.
    """
    for line in read_lines(objects, digest):
        yield Sample.model_validate_json(line)
