"""The client's calls about annotations: one picture's edits and history, suggestions, pre-label runs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import uuid4

Json = Any


class AnnotationCalls(ABC):
    """What the client asks about annotations; the transport is the client's."""

    @abstractmethod
    def request(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401
        """Send one request and return the parsed answer."""

    def annotation(self, dataset: str, sample: str) -> Json:
        """A sample, by id or path, with its annotation; ``revision`` is what an edit is made on."""
        return self.request("GET", _sample(dataset, sample, "annotation"))

    def annotate(
        self,
        dataset: str,
        sample: str,
        annotation: Json,
        *,
        revision: int | None,
        state: str | None = None,
        part: str | None = None,
        create: Sequence[str] = (),
    ) -> Json:
        """Put a whole annotation in place of what is there.

        Args:
            dataset: name or id.
            sample: id or path.
            annotation: as JSON; None = nothing is known of the picture.
            revision: that was read; None = replace whatever is there.
            state: ``labelled`` unless given.
            part: train, validation, test or ``none``.
            create: labels or fields that may be new to the dataset.

        Raises:
            Stale: ``sample_changed``: somebody else has changed the sample; nothing was written.
        """
        body = {
            "annotation": annotation, "state": state, "part": part, "create": list(create), "writer": "client",
        }  # fmt: skip
        headers = {"If-Match": "*" if revision is None else f'"{revision}"', "Idempotency-Key": str(uuid4())}
        path = _sample(dataset, sample, "annotation")
        return self.request("PUT", path, json=body, headers=headers)

    def annotation_history(self, dataset: str, sample: str) -> Json:
        """Annotations of a sample that were replaced, the newest first."""
        return self.request("GET", _sample(dataset, sample, "history"))

    def read_boxes(self, dataset: str, sample: str, polygons: Sequence[Sequence[Sequence[float]]]) -> Json:
        """The text of boxes, given by corners in reading order."""
        path = _sample(dataset, sample, "read")
        return self.request("POST", path, json={"polygons": [[list(point) for point in item] for item in polygons]})

    def suggest(self, dataset: str, sample: str, *, task: str | None = None) -> Json:
        """What a task's model, or the base model, suggests for one picture; nothing is stored."""
        path = _sample(dataset, sample, "suggest")
        return self.request("POST", path, json={"task": task})

    def prelabel(
        self, dataset: str, *, task: str | None = None, version: int | None = None, again: bool = True
    ) -> Json:
        """Start a run that pre-labels all pictures that no person has worked on; without a task, with the base model."""
        body = {"task": task, "version": version, "again": again}
        return self.request("POST", f"/datasets/{quote(dataset, safe='')}/prelabel", json=body)


def _sample(dataset: str, sample: str, part: str) -> str:
    return f"/datasets/{quote(dataset, safe='')}/samples/{quote(sample, safe='')}/{part}"
