"""A tiny data set per scenario: enough to be learnt in seconds, made by the project itself.

A scenario plugs into the conformance suite by its entry in `TINY`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sandglass.core.sample import Sample
from sandglass.scenarios.base import Example


@dataclass(frozen=True)
class Tiny:
    """What the conformance suite needs to know of a scenario.

    Attributes:
        samples: makes the samples with their pictures' bytes; digests need not be set.
        train: how many of them teach, from the first on; the others validate.
        parameters: settings with which it learns in seconds.
        chinese: a label of the data → a Chinese name for it.
    """

    samples: Callable[[], Iterable[tuple[Sample, bytes]]]
    train: int
    parameters: dict[str, object] = field(default_factory=dict)
    chinese: dict[str, str] = field(default_factory=dict)


def _receipts():
    from sandglass.scenarios.ocr.synthesis import generate_receipts, to_samples

    return to_samples(generate_receipts(10, seed=31, language="en", strength=0.1))


def _shapes():
    from sandglass.scenarios.classification.example import CLASSES, example_pictures, labelled

    names = ("star", "heart", "moon")
    for number, (label, picture) in enumerate(example_pictures(40, seed=5, classes=CLASSES[:2], side=96)):
        yield labelled(f"{number:03d}.jpg", picture, (names[CLASSES.index(label)],))


def _tables():
    from sandglass.scenarios.detection.examples import table_samples

    return [(sample.model_copy(update={"part": None}), data) for sample, data in table_samples(14, seed=3)]


def _eyes():
    from sandglass.scenarios.detection.examples import eye_samples

    return [(sample.model_copy(update={"part": None}), data) for sample, data in eye_samples(10, seed=3)]


TINY: dict[str, Tiny] = {
    "classification": Tiny(_shapes, 56, {"side": 96}, {"star": "五角星", "heart": "爱心"}),
    "detection": Tiny(_tables, 7, {"resolution": 224}, {"cup": "杯子"}),
    "ocr": Tiny(_receipts, 7, {"reader": "fast"}, {"total": "合计金额", "date": "日期"}),
    "tableware": Tiny(_eyes, 7, {"resolution": 224}, {"optic_disc": "视盘"}),
}


def examples(scenario_id: str) -> list[Example]:
    """Examples of a scenario's tiny data set."""
    made = [
        (sample.model_copy(update={"digest": f"tiny-{sample.path}"}), data)
        for sample, data in TINY[scenario_id].samples()
    ]
    return [Example(sample, lambda data=data: data) for sample, data in made]


def unreadable():
    """An example whose picture is damaged."""
    return Example(Sample(path="damaged.jpg", width=10, height=10, digest="damaged"), lambda: b"\xff\xd8 no picture")
