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
                file.write(sample.model_dump_json(exclude_none=True) + "\n")
                count += 1
        digest, _ = objects.put_file(path)
    return digest, count


def read_manifest(objects: Objects, digest: str) -> Iterator[Sample]:
    """The samples of a manifest, in order.

    Raises:
        NotFound: ``object_missing``.
    """
    rest = b""
    for chunk in objects.stream(digest):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield Sample.model_validate_json(line)
    if rest:
        yield Sample.model_validate_json(rest)
