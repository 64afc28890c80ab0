"""The trained field extractor: a page in, values with confidence out. Runs on onnxruntime alone."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from sandglass.core.errors import Broken
from sandglass.core.geometry import Polygon
from sandglass.core.prediction import FieldPrediction, Source
from sandglass.core.text import Text
from sandglass.scenarios.ocr.fields.align import Piece
from sandglass.scenarios.ocr.fields.calibrate import Calibration
from sandglass.scenarios.ocr.fields.decode import FoundValue, Probabilities, decode
from sandglass.scenarios.ocr.fields.features import Floats, Stream, page_arrays, stream
from sandglass.scenarios.ocr.fields.style import FieldStyle, value_text
from sandglass.scenarios.ocr.fields.vocabulary import Vocabulary
from sandglass.scenarios.ocr.page import Page

INPUTS = ("characters", "classes", "words", "line_of", "places", "features", "rows", "mask")
Network = Callable[[Stream], tuple[Floats, Floats, Floats]]
"""Gives for one page's stream the probabilities of characters (length, 1 + fields), lines (lines, fields, 3) and
missing (fields,)."""

GRAPH, DESCRIPTION = "fields.onnx", "fields.json"
FORMAT_VERSION = 1
_STYLES = TypeAdapter(dict[str, FieldStyle])


class FieldExtractor:
    """Extracts the fields it was trained on.

    Args:
        styles: field name → style, in display order.
        vocabulary: of the networks.
        calibration: of confidences.
        network: the averaged ensemble.
        graph: the ensemble as ONNX bytes, for saving.
    """

    def __init__(
        self,
        styles: dict[str, FieldStyle],
        vocabulary: Vocabulary,
        calibration: Calibration,
        network: Network,
        graph: Callable[[], bytes],
    ) -> None:
        self._styles = styles
        self._vocabulary = vocabulary
        self._calibration = calibration
        self._network = network
        self._graph = graph

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(self._styles)

    def extract(self, page: Page) -> tuple[FieldPrediction, ...]:
        """One entry per value in field order; a field that is not found gives one entry without a value.

        ``score`` is the probability that the answer is right.
        """
        if not page.lines:
            return tuple(missing_field(name, 1.0) for name in self._styles)
        told = self.probabilities(page)
        found = decode(page, told, list(self._styles.values()))
        return self.describe(page, told, found)

    def probabilities(self, page: Page) -> Probabilities:
        """What the ensemble says of a page with at least one line."""
        patterns = [style.pattern for style in self._styles.values()]
        laid = stream(page_arrays(page, self._vocabulary, patterns))
        characters, lines, missing = self._network(laid)
        return Probabilities([characters[row[row > 0]] for row in laid.places], lines, missing)

    def describe(self, page: Page, told: Probabilities, found: Sequence[FoundValue]) -> tuple[FieldPrediction, ...]:
        """Turn found values into predictions."""
        answers: list[FieldPrediction] = []
        for index, (name, style) in enumerate(self._styles.items()):
            absence = self._calibration.absence_probability(float(told.missing[index]))
            values = [
                (value, self._calibration.probability(index, value.evidence)) for value in found if value.field == index
            ]
            if all(score < absence for _, score in values):
                answers.append(missing_field(name, absence))
                continue
            for value, score in values:
                text = value_text(page, value.pieces, style.separators)
                answers.append(
                    FieldPrediction(
                        key=name,
                        value=text,
                        normalised=style.normalise(text),
                        score=score,
                        source=Source.LABELLED,
                        value_polygons=tuple(piece_polygon(page, piece) for piece in value.pieces),
                    )
                )
        return tuple(answers)

    def save(self, folder: Path) -> None:
        """Write ``fields.onnx`` and ``fields.json``."""
        (folder / GRAPH).write_bytes(self._graph())
        description = {
            "format_version": FORMAT_VERSION,
            "styles": _STYLES.dump_python(self._styles, mode="json"),
            "vocabulary": self._vocabulary.model_dump(),
            "calibration": self._calibration.model_dump(),
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "FieldExtractor":
        """Load what `save` wrote.

        Raises:
            Broken: a file is missing, damaged or of another format version.
        """
        try:
            description = json.loads((folder / DESCRIPTION).read_text("utf-8"))
            if description["format_version"] != FORMAT_VERSION:
                raise _damaged(folder, f"format version {description['format_version']}")
            graph = (folder / GRAPH).read_bytes()
            styles = _STYLES.validate_python(description["styles"])
            vocabulary = Vocabulary.model_validate(description["vocabulary"])
            calibration = Calibration.model_validate(description["calibration"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(folder, str(error)) from error
        return cls(styles, vocabulary, calibration, OnnxNetwork(graph, folder, threads), lambda: graph)


def _damaged(folder: Path, why: str) -> Broken:
    return Broken(
        "fields_damaged",
        Text(en=f"The field model in {folder} cannot be loaded: {why}", zh=f"无法加载 {folder} 中的字段模型：{why}"),
        Text(en="Train the task again, or use another model.", zh="请重新训练任务，或使用其他模型。"),
    )


def missing_field(name: str, probability: float) -> FieldPrediction:
    """The answer for a field that is not on the page."""
    return FieldPrediction(key=name, value=None, score=probability, source=Source.LABELLED)


class OnnxNetwork:
    """The ensemble in an onnxruntime session; safe to call from several threads."""

    def __init__(self, graph: bytes, folder: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own errors share no other base
            raise _damaged(folder, str(error)) from error
        self._names = {item.name for item in self._session.get_inputs()}

    def __call__(self, laid: Stream) -> tuple[Floats, Floats, Floats]:
        feed = network_feed(laid)
        outputs = self._session.run(None, {name: value for name, value in feed.items() if name in self._names})
        return outputs[0], outputs[1], outputs[2]


def network_feed(laid: Stream) -> dict[str, npt.NDArray[Any]]:
    """A page's stream as a batch of one."""
    return {
        "characters": laid.characters,
        "classes": laid.classes,
        "words": laid.words,
        "line_of": laid.line_of,
        "places": laid.places,
        "features": laid.features[None],
        "rows": laid.rows[None],
        "mask": np.ones((1, len(laid.rows)), bool),
    }


def piece_polygon(page: Page, piece: Piece) -> Polygon:
    """The part of a line's polygon where a piece stands, cut in proportion to its characters."""
    line = page.lines[piece.line]
    length = max(1, len(line.text))
    box = line.polygon if len(line.polygon) == 4 else page.boxes[piece.line].to_polygon()
    top_left, top_right, bottom_right, bottom_left = box

    def between(a: tuple[float, float], b: tuple[float, float], share: float) -> tuple[float, float]:
        return (round(a[0] + (b[0] - a[0]) * share, 1), round(a[1] + (b[1] - a[1]) * share, 1))

    start, end = piece.start / length, min(1.0, piece.end / length)
    return (
        between(top_left, top_right, start),
        between(top_left, top_right, end),
        between(bottom_left, bottom_right, end),
        between(bottom_left, bottom_right, start),
    )
