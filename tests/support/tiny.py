"""A tiny data set per scenario: enough to be learnt in seconds, made by the project itself."""

from sandglass.core.sample import Sample
from sandglass.scenarios.base import Example


def _ocr():
    from sandglass.scenarios.ocr.synthesis import generate_receipts, to_samples

    documents = generate_receipts(10, seed=31, language="en", strength=0.1)
    return [
        (sample.model_copy(update={"digest": f"tiny-{sample.path}"}), data) for sample, data in to_samples(documents)
    ]


def _tables():
    from sandglass.scenarios.detection.examples import table_samples

    return [(sample.model_copy(update={"part": None}), data) for sample, data in table_samples(14, seed=3)]


def _eyes():
    from sandglass.scenarios.detection.examples import eye_samples

    return [(sample.model_copy(update={"part": None}), data) for sample, data in eye_samples(10, seed=3)]


TINY = {"ocr": _ocr, "detection": _tables, "tableware": _eyes}
PARAMETERS = {"ocr": {"reader": "fast"}, "detection": {"resolution": 224}, "tableware": {"resolution": 160}}
"""Settings with which a scenario learns in seconds."""


def examples(scenario_id):
    """Examples of a scenario's tiny data set."""
    return [Example(sample, lambda data=data: data) for sample, data in TINY[scenario_id]()]


def unreadable():
    """An example whose picture is damaged."""
    return Example(Sample(path="damaged.jpg", width=10, height=10, digest="damaged"), lambda: b"\xff\xd8 no picture")
