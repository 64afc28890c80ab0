"""What a prediction request may ask and what is answered: the shapes that callers see."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from sandglass.core.errors import InvalidInput
from sandglass.core.prediction import (
    CupDiscRatio,
    FieldPrediction,
    LabelScore,
    ObjectPrediction,
    Tally,
    TextLine,
)
from sandglass.core.problem import Problem
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.scenarios.base import PredictOptions

MAX_PICTURES = 64
"""Pictures of one request."""


class EncodedPicture(Value):
    """A picture inside a JSON request: its bytes in base64, or an address (refused unless an admin allows it)."""

    name: str = "picture"
    base64: str | None = None
    url: str | None = None


class PredictRequest(Value):
    """The JSON form of a request."""

    images: Annotated[tuple[EncodedPicture, ...], Field(min_length=1, max_length=MAX_PICTURES)]
    options: PredictOptions = PredictOptions()


class Timings(Value):
    """Milliseconds: waiting for a free place, decoding, the scenario's own parts, and all together."""

    queue: float
    decode: float
    total: float
    parts: dict[str, float] = Field(default_factory=dict)


class PictureAnswer(Value):
    """The answer for one picture: width, height and what the scenario found, or an error.

    Attributes:
        file: name that the caller gave.
        lines, fields: OCR.
        labels: classification; an empty list = unknown, nothing reaches the threshold.
        several: classification: labels are independent, so that several may hold at once.
        objects: detection; tally (counts, total) and ratio (cup to disc): tableware.
        error: why this picture has no answer; the others of the request have theirs.
    """

    file: str
    kind: Literal["document", "classes", "objects"] | None = None
    width: int | None = None
    height: int | None = None
    lines: tuple[TextLine, ...] | None = None
    fields: tuple[FieldPrediction, ...] | None = None
    labels: tuple[LabelScore, ...] | None = None
    several: bool | None = None
    objects: tuple[ObjectPrediction, ...] | None = None
    tally: Tally | None = None
    ratio: CupDiscRatio | None = None
    timings: Timings | None = None
    error: Problem | None = None


class PredictAnswer(Value):
    """The whole answer, one entry per picture in the order of the request."""

    service: str
    model: str
    request_id: str
    results: tuple[PictureAnswer, ...]


def parse_options(form: dict[str, list[str]]) -> PredictOptions:
    """Options from form fields: ``options`` (JSON), or ``keys``, ``custom_keys`` (repeated or with commas), ``threshold``.

    Raises:
        InvalidInput: ``invalid_options`` naming the field.
    """
    raw: dict[str, Any] = {}
    try:
        if form.get("options"):
            raw.update(json.loads(form["options"][-1]))
    except (json.JSONDecodeError, TypeError, ValueError) as error:
        raise _invalid("options", str(error)) from error
    if form.get("keys"):
        raw["keys"] = form["keys"][-1]
    if form.get("custom_keys"):
        listed = [part.strip() for value in form["custom_keys"] for part in value.replace("，", ",").split(",")]
        raw["custom_keys"] = [part for part in listed if part]
    if form.get("threshold"):
        raw["threshold"] = form["threshold"][-1]
    return check_options(raw)


def check_options(raw: dict[str, Any]) -> PredictOptions:
    """Options from plain values.

    Raises:
        InvalidInput: ``invalid_options`` naming the field.
    """
    try:
        options = PredictOptions.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise _invalid(".".join(map(str, first["loc"])) or "options", first["msg"]) from error
    if options.threshold is not None and not 0 <= options.threshold <= 1:
        raise _invalid("threshold", "0 to 1")
    if (options.keys == "custom") != bool(options.custom_keys):
        raise _invalid("custom_keys", "custom_keys goes with keys=custom and is not empty")
    return options


def _invalid(field: str, reason: str) -> InvalidInput:
    return InvalidInput(
        "invalid_options",
        Text(en=f"The option {field} is wrong: {reason}", zh=f"选项 {field} 有误：{reason}"),
        Text(
            en="Allowed: keys (labelled, all, custom), custom_keys, threshold (0..1).",
            zh="可用：keys（labelled、all、custom）、custom_keys、threshold（0..1）。",
        ),
        field=field,
    )
