"""Pages of a dataset as text: the given text of its labels, and the text as the product itself reads it.

Reading is the slow part of a run, so what was read is kept in a cache by content digest and reader.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from sandglass.core.annotation import DocumentAnnotation
from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.prediction import TextLine
from sandglass.scenarios.base import Example, FitContext
from sandglass.scenarios.ocr.page import Page, make_page, page_from_annotation
from sandglass.scenarios.ocr.reading import Reader

_LINES = TypeAdapter(tuple[TextLine, ...])


@dataclass(frozen=True)
class DocumentExample:
    """A document to learn from: its labels, its given page (None without labelled text) and its read page, if read."""

    example: Example
    annotation: DocumentAnnotation
    given: Page | None
    read: Page | None

    @property
    def best(self) -> Page | None:
        """The page as a service will see it, or else as the labels tell it."""
        return self.read or self.given


class ReadingCache:
    """Lines that were read, one small file per picture and reader."""

    def __init__(self, folder: Path, reader_key: str) -> None:
        self._folder = folder / "pages" / reader_key

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.json"

    def get(self, digest: str) -> tuple[TextLine, ...] | None:
        """The lines of the picture with that digest, or None if it was not read yet."""
        path = self._path(digest)
        if not digest or not path.exists():
            return None
        try:
            return _LINES.validate_json(path.read_bytes())
        except ValueError:
            path.unlink(missing_ok=True)  # written by a version with another shape: read the page again
            return None

    def put(self, digest: str, lines: Sequence[TextLine]) -> None:
        """Keep the lines of the picture with that digest."""
        if not digest:
            return
        path = self._path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps([line.model_dump() for line in lines], ensure_ascii=False), "utf-8")
        temporary.replace(path)


def given_page(example: Example) -> Page | None:
    """The page as the labels tell it; None when no labelled box has text."""
    annotation = example.sample.annotation
    if not isinstance(annotation, DocumentAnnotation) or not any(box.text.strip() for box in annotation.boxes):
        return None
    return page_from_annotation(example.sample.width, example.sample.height, annotation)


def read_pages(
    examples: Sequence[Example],
    reader: Reader,
    cache: ReadingCache,
    context: FitContext,
    *,
    progress: Callable[[int], None],
) -> int:
    """Read every example into ``cache`` until the context is over; return how many are there now.

    A picture that cannot be read is logged and counts as a page without lines.
    """
    done = 0
    for example in examples:
        digest = example.sample.digest
        if cache.get(digest) is None:
            if context.over:
                break
            try:
                lines = reader.read(example.picture())
            except (InvalidInput, TooLarge) as error:
                context.report.log(f"{example.sample.path}: {error}", level="warning")
                lines = []
            cache.put(digest, lines)
        done += 1
        progress(done)
    return done


def document_examples(examples: Sequence[Example], cache: ReadingCache) -> list[DocumentExample]:
    """Labelled examples with whatever pages there are."""
    documents = []
    for example in examples:
        annotation = example.sample.annotation
        if not isinstance(annotation, DocumentAnnotation):
            continue
        lines = cache.get(example.sample.digest)
        read = None if lines is None else make_page(example.sample.width, example.sample.height, lines)
        documents.append(DocumentExample(example, annotation, given_page(example), read))
    return documents
