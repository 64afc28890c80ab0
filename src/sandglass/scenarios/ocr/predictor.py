"""An OCR model folder as a predictor: picture → lines → fields, in one of three kinds of answer."""

import json
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sandglass.core.errors import Broken
from sandglass.core.prediction import DocumentPrediction, FieldPrediction, Prediction, Source, TextLine
from sandglass.core.text import Text
from sandglass.scenarios.base import PredictOptions, Predictor, Query
from sandglass.scenarios.ocr.fields import FieldExtractor
from sandglass.scenarios.ocr.fields.compare import normalised
from sandglass.scenarios.ocr.page import Page, make_page
from sandglass.scenarios.ocr.pairs import SentenceEmbedder, answer_all, answer_custom
from sandglass.scenarios.ocr.reading import Reader
from sandglass.scenarios.ocr.reading.files import CHARACTERS, RECOGNISER
from sandglass.scenarios.ocr.reading.found import FoundReader

DESCRIPTION = "ocr.json"
READING = "reading"
FIELDS = "fields"


@dataclass(frozen=True)
class ReaderChoice:
    """Which reader a model carries.

    Attributes:
        mode: ``accurate`` or ``fast``.
        files: of the base reader, by name (`reading.files`).
        single_lines: every picture is one line of text.
    """

    mode: str
    files: Mapping[str, Path]
    single_lines: bool = False

    @property
    def recogniser(self) -> Path:
        return self.files[RECOGNISER]

    @property
    def characters(self) -> Path | None:
        return self.files.get(CHARACTERS)

    def open(self, *, threads: int) -> Reader:
        """The base reader."""
        return Reader(self.files, mode=self.mode, threads=threads, single_lines=self.single_lines)

    def open_lines(self, *, threads: int, graph: bytes | None = None) -> FoundReader:
        """Its recogniser alone, or in its place another one that carries its own characters."""
        pool = ThreadPoolExecutor(threads, "read") if threads > 1 else None
        if graph is None:
            return FoundReader.open(self.recogniser.read_bytes(), self.characters, threads=threads, pool=pool)
        return FoundReader.open(graph, None, threads=threads, pool=pool)


def write_model(
    folder: Path, reader: ReaderChoice, extractor: FieldExtractor | None, *, recogniser: bytes | None = None
) -> None:
    """Write the files of an OCR model: the reader's networks and, unless it only reads, the field extractor.

    Args:
        folder: of the model, empty.
        reader: the base reader.
        extractor: of fields.
        recogniser: a learnt one that carries its own characters; None = the base's.
    """
    (folder / READING).mkdir()
    for name, path in reader.files.items():
        if recogniser is None or name not in (RECOGNISER, CHARACTERS):
            shutil.copyfile(path, folder / READING / name)
    if recogniser is not None:
        (folder / READING / RECOGNISER).write_bytes(recogniser)
    if extractor is not None:
        (folder / FIELDS).mkdir()
        extractor.save(folder / FIELDS)
    description = {"reader": reader.mode, "fields": extractor is not None, "single_lines": reader.single_lines}
    (folder / DESCRIPTION).write_text(json.dumps(description), "utf-8")


class OcrPredictor(Predictor):
    """Reads pages and answers fields; safe to call from several threads."""

    def __init__(self, reader: Reader, extractor: FieldExtractor | None, *, threshold: float) -> None:
        self._reader = reader
        self._extractor = extractor
        self._threshold = threshold
        self._embedder = SentenceEmbedder()
        self._local = threading.local()

    def predict(self, queries: Sequence[Query], options: PredictOptions) -> list[Prediction]:
        read_ms = fields_ms = 0.0
        predictions: list[Prediction] = []
        for query in queries:
            started = time.perf_counter()
            lines: Sequence[TextLine] = self._reader.read(query.picture()) if query.lines is None else query.lines
            read = time.perf_counter()
            page = make_page(query.width, query.height, lines)
            fields = self._answer(page, options)
            ended = time.perf_counter()
            read_ms += (read - started) * 1000
            fields_ms += (ended - read) * 1000
            predictions.append(
                DocumentPrediction(width=query.width, height=query.height, lines=page.lines, fields=fields)
            )
        self._local.timings = {"read": read_ms, "fields": fields_ms}
        return predictions

    def timings(self) -> dict[str, float]:
        return dict(getattr(self._local, "timings", {}))

    def _answer(self, page: Page, options: PredictOptions) -> tuple[FieldPrediction, ...]:
        threshold = self._threshold if options.threshold is None else options.threshold
        labelled = tuple(
            answer
            for answer in (self._extractor.extract(page) if self._extractor else ())
            if answer.value is None or answer.score >= threshold
        )
        labelled = _missing_once(labelled, self._extractor.fields if self._extractor else ())
        if options.keys == "labelled":
            return labelled
        if options.keys == "custom":
            return tuple(answer_custom(page, options.custom_keys, labelled, self._embedder))
        found = [answer for answer in answer_all(page) if not _told(answer, labelled)]
        return labelled + tuple(found)


def _missing_once(answers: tuple[FieldPrediction, ...], fields: Sequence[str]) -> tuple[FieldPrediction, ...]:
    """Values in field order; a field that has none left above the threshold is answered as missing, once."""
    result: list[FieldPrediction] = []
    for name in fields:
        values = [answer for answer in answers if answer.key == name and answer.value is not None]
        missing = [answer for answer in answers if answer.key == name and answer.value is None]
        if values:
            result += values
        elif missing:
            result.append(missing[0])
        else:
            result.append(FieldPrediction(key=name, value=None, score=0.0, source=Source.LABELLED))
    return tuple(result)


def _told(found: FieldPrediction, labelled: Sequence[FieldPrediction]) -> bool:
    """Whether a pair found on the page only repeats a labelled field: same value at the same place."""
    return any(
        answer.value is not None
        and normalised(answer.value, found.value or "")
        and bool(set(answer.value_polygons) & set(found.value_polygons))
        for answer in labelled
    )


def load_predictor(folder: Path, *, threads: int) -> OcrPredictor:
    """Load a model folder.

    Raises:
        Broken: a file is missing or damaged.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        reader = Reader.load(
            folder / READING, mode=description["reader"], threads=threads, single_lines=description["single_lines"]
        )
        extractor = FieldExtractor.load(folder / FIELDS, threads=threads) if description["fields"] else None
        return OcrPredictor(reader, extractor, threshold=float(manifest["threshold"]))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise Broken(
            "model_damaged",
            Text(en=f"The model in {folder.name} cannot be loaded: {error}", zh=f"无法加载模型 {folder.name}：{error}"),
            Text(en="Train the task again, or publish another model.", zh="请重新训练任务，或发布其他模型。"),
        ) from error
