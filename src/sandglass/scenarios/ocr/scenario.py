"""The OCR scenario: binds reading, fields, pairs and judging to the contract of `scenarios.base`."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from rapidfuzz.distance import Levenshtein

from sandglass.core.annotation import Annotation, DocumentAnnotation
from sandglass.core.finding import Finding, Severity
from sandglass.core.prediction import DocumentPrediction, Prediction
from sandglass.core.sample import Part, Sample
from sandglass.core.text import Text
from sandglass.scenarios.base import (
    BoxReader,
    Candidate,
    Example,
    ExampleData,
    FitContext,
    LearningData,
    Match,
    Predictor,
    Preset,
    Query,
    Scenario,
    TrainingPlan,
)
from sandglass.scenarios.ocr.judge import TEXT_LABEL, judge_fields, judge_lines
from sandglass.scenarios.ocr.learner import QUICK_STEPS, FieldCandidate, field_data
from sandglass.scenarios.ocr.lines.transcripts import single_lines
from sandglass.scenarios.ocr.pages import ReadingCache, document_examples, given_page, read_pages
from sandglass.scenarios.ocr.parameters import OcrParameters
from sandglass.scenarios.ocr.predictor import OcrPredictor, ReaderChoice, load_predictor
from sandglass.scenarios.ocr.reading import LineReader, Reader, reader_files
from sandglass.scenarios.ocr.reading_learner import BaseReading, LearntReading, ValidationPages

FEW_VALUES = 5
"""Documents below which a field is reported as having too few examples."""

READING_SHARE = 0.5
"""Largest share of what is left of the budget that reading the pages may take."""

MEMBERS = {"fastest": 1, "balanced": 4, "most_accurate": 6}

EXAMPLE_TRAIN, EXAMPLE_TEST = 48, 12


def example_receipts() -> Iterator[tuple[Sample, bytes]]:
    """Rendered receipts in Chinese and English, marked for training and test; no merchant is in both."""
    from sandglass.scenarios.ocr.synthesis import generate_receipts, to_samples

    for part, count, seed in ((Part.TRAIN, EXAMPLE_TRAIN, 1), (Part.TEST, EXAMPLE_TEST, 2)):
        for sample, data in to_samples(generate_receipts(count, seed=seed), prefix=str(part)):
            yield sample.model_copy(update={"part": part}), data


class Ocr(Scenario):
    """Reads print and handwriting, and the fields of documents."""

    id: ClassVar[str] = "ocr"
    name = Text(en="OCR", zh="文字与字段识别")
    annotation = "document"
    parameters = OcrParameters
    causes: ClassVar = {
        "missed_box": Text(en="missed box", zh="漏检框"),
        "wrong_text": Text(en="wrong text", zh="文字错误"),
        "wrong_field": Text(en="wrong field", zh="字段错误"),
        "extra": Text(en="extra", zh="多余"),
        "missing": Text(en="missing", zh="缺失"),
    }
    presets = (
        Preset(
            id="ocr",
            name=Text(en="OCR: text and fields", zh="OCR：文字与字段"),
            description=Text(
                en="Reads documents and picks the fields you labelled: receipts, invoices, forms, cards.",
                zh="识别票据、表单、证件等文档中的文字，并提取您标注的字段。",
            ),
            domain=Text(en="Documents", zh="文档"),
            example=ExampleData(
                description=Text(
                    en=f"{EXAMPLE_TRAIN + EXAMPLE_TEST} rendered receipts in Chinese and English with five fields",
                    zh=f"{EXAMPLE_TRAIN + EXAMPLE_TEST} 张程序生成的中英文小票，含五个字段",
                ),
                samples=example_receipts,
            ),
        ),
    )

    def metric(self, data: LearningData, plan: TrainingPlan) -> str:
        """Of fields their F1; of text the share of right characters, which still tells models apart where no line is right."""
        return "character_accuracy" if data.labels == (TEXT_LABEL,) else self.main_metric

    def labels(self, samples: Sequence[Sample]) -> tuple[str, ...]:
        """Fields by falling number of documents; the single label ``text`` when there are boxes but no fields."""
        counts: Counter[str] = Counter()
        lines = False
        for sample in samples:
            if isinstance(sample.annotation, DocumentAnnotation):
                counts.update({value.field for value in sample.annotation.values})
                lines = lines or any(box.text for box in sample.annotation.boxes)
        if counts:
            return tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
        return (TEXT_LABEL,) if lines else ()

    def check(self, samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
        """Findings about fields: none at all, asked for but absent, or with too few documents."""
        known = self.labels(samples)
        if not known:
            return [
                Finding(
                    code="nothing_labelled",
                    severity=Severity.ERROR,
                    message=Text(en="No picture has a field value or a text.", zh="没有任何图片带有字段值或文字标注。"),
                    outcome=Text(en="Label some documents first.", zh="请先标注一些文档。"),
                )
            ]
        if known == (TEXT_LABEL,):
            return [
                Finding(
                    code="no_fields",
                    severity=Severity.NOTE,
                    message=Text(en="The data has texts but no fields.", zh="数据只有文字标注，没有字段。"),
                    outcome=Text(en="The task reads text only.", zh="任务将只进行文字识别。"),
                )
            ]
        documents: Counter[str] = Counter()
        for sample in samples:
            if isinstance(sample.annotation, DocumentAnnotation):
                documents.update({value.field for value in sample.annotation.values})
        findings = []
        for name in labels or known:
            if documents[name] == 0:
                findings.append(
                    Finding(
                        code="unknown_field",
                        severity=Severity.ERROR,
                        label=name,
                        message=Text(en=f"No document has the field '{name}'.", zh=f"没有文档包含字段“{name}”。"),
                        outcome=Text(en=f"Choose among: {', '.join(known)}.", zh=f"可选字段：{'、'.join(known)}。"),
                    )
                )
            elif documents[name] < FEW_VALUES:
                findings.append(
                    Finding(
                        code="few_values",
                        severity=Severity.WARNING,
                        label=name,
                        count=documents[name],
                        message=Text(
                            en=f"The field '{name}' occurs in {documents[name]} documents only.",
                            zh=f"字段“{name}”只出现在 {documents[name]} 个文档中。",
                        ),
                        outcome=Text(
                            en=f"It is learnt, but expect errors; label {FEW_VALUES} or more.",
                            zh=f"仍会学习，但容易出错；建议至少标注 {FEW_VALUES} 个。",
                        ),
                    )
                )
        return findings

    def prepare(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> None:
        """Read every page once, validation pages and pages without given text first; nothing where only text is learnt."""
        if data.labels == (TEXT_LABEL,):
            return
        parameters = OcrParameters.model_validate(dict(plan.parameters))
        mode = _reader_mode(parameters, plan)
        reader = Reader.from_weights(mode, threads=context.threads)
        cache = ReadingCache(context.cache, Reader.key_of(mode))
        order = [*data.validation, *sorted(data.train, key=lambda example: given_page(example) is not None)]
        limited = FitContext(**{**vars(context), "deadline": context.deadline.share(READING_SHARE)})
        done = read_pages(
            order, reader, cache, limited, progress=lambda n: context.report.progress(n / max(1, len(order)))
        )
        context.report.log(f"Read {done} of {len(order)} pages with the {mode} reader.")
        if done < len(order) and not context.stop():
            context.report.log(
                f"{len(order) - done} pages were not read, to keep time for learning; their labelled text is used where "
                "there is some.",
                level="warning",
            )

    def candidates(self, data: LearningData, plan: TrainingPlan, context: FitContext) -> list[Candidate]:
        """The base reader, then one that learns; with fields a single network trained briefly, then the ensemble."""
        parameters = OcrParameters.model_validate(dict(plan.parameters))
        mode = _reader_mode(parameters, plan)
        if data.labels == (TEXT_LABEL,):
            reader = ReaderChoice(mode, reader_files(mode), single_lines=single_lines(data.train))
            pages = ValidationPages(data.validation, reader, context)
            learnt = LearntReading(
                data, pages, reader, use=parameters.use, keep_print=parameters.keep_print, context=context
            )
            return [BaseReading(pages, reader), learnt]
        reader = ReaderChoice(mode, reader_files(mode))
        cache = ReadingCache(context.cache, Reader.key_of(mode))
        validation = document_examples(data.validation, cache)
        prepared = field_data(document_examples(data.train, cache), validation, data.labels, parameters.learn_from)
        members = parameters.members or MEMBERS[plan.preference]
        if members == 1:
            return [FieldCandidate("single", prepared, reader, members=1, context=context, steps=None)]
        quick = FieldCandidate("quick", prepared, reader, members=1, context=context, steps=QUICK_STEPS)
        return [quick, FieldCandidate("ensemble", prepared, reader, members=members, context=context, steps=None)]

    def load(self, folder: Path, *, threads: int = 1) -> Predictor:
        return load_predictor(folder, threads=threads)

    def base_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The text of a page is read whatever the fields are; values of fields are not, unless learnt."""
        return (TEXT_LABEL,)

    def base_model(self, labels: Sequence[str], *, threads: int = 1) -> Predictor:
        """Reads pages and, asked for all keys, finds the pairs on them; it has learnt no field."""
        return OcrPredictor(Reader.from_weights("accurate", threads=threads), None, threshold=0.0)

    def box_reader(self, *, threads: int = 1) -> BoxReader | None:
        return LineReader.from_weights("accurate", threads=threads)

    def judge(self, truth: Annotation, prediction: Prediction, labels: Sequence[str]) -> list[Match]:
        assert isinstance(truth, DocumentAnnotation)
        assert isinstance(prediction, DocumentPrediction)
        if tuple(labels) == (TEXT_LABEL,):
            return judge_lines(truth, prediction)
        return judge_fields(truth, prediction, labels)

    def query(self, example: Example, *, given: bool = False) -> Query:
        """The query for an example; with ``given``, its labelled text stands for what would be read."""
        page = given_page(example) if given else None
        lines = None if page is None else page.lines
        return Query(example.picture, example.sample.width, example.sample.height, lines)

    def extra_metrics(
        self, truths: Sequence[Annotation], predictions: Sequence[Prediction], labels: Sequence[str]
    ) -> dict[str, float]:
        """How well lines are read.

        ``line_f1``: lines with the right place and text; ``cer``: edits per labelled character, missed lines included;
        ``character_accuracy``: what is left of one. Only pages whose labels have boxes with text count. For the
        character error rate, texts are compared after NFKC and with white space folded, but with their case and
        punctuation.
        """
        right = read = labelled = edits = characters = 0
        for truth, prediction in zip(truths, predictions, strict=True):
            assert isinstance(truth, DocumentAnnotation)
            assert isinstance(prediction, DocumentPrediction)
            if not any(box.text for box in truth.boxes):
                continue
            for match in judge_lines(truth, prediction):
                labelled += match.truth is not None
                read += match.predicted is not None
                right += match.right
                if match.truth_text:
                    expected = _folded(match.truth_text)
                    edits += Levenshtein.distance(expected, _folded(match.predicted_text or ""))
                    characters += len(expected)
        if not labelled:
            return {}
        line_f1 = 2 * right / (read + labelled)
        if not characters:
            return {"line_f1": line_f1}
        cer = edits / characters
        return {"line_f1": line_f1, "cer": cer, "character_accuracy": max(0.0, 1 - cer)}


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _reader_mode(parameters: OcrParameters, plan: TrainingPlan) -> str:
    if parameters.reader != "auto":
        return parameters.reader
    return "fast" if plan.preference == "fastest" and parameters.use == "print" else "accurate"
