"""Small classification data: the product's own rendered shapes as examples."""

from sandglass.core.annotation import ClassAnnotation
from sandglass.scenarios.base import Example
from sandglass.scenarios.classification.example import CLASSES, example_pictures, labelled


def shapes(each, *, classes=3, seed=3, side=96):
    """Examples of rendered shapes, labels taking turns."""
    made = []
    for number, (label, picture) in enumerate(example_pictures(each, seed=seed, classes=CLASSES[:classes], side=side)):
        sample, data = labelled(f"{seed}-{number:03d}.jpg", picture, (label,))
        made.append(Example(sample.model_copy(update={"digest": f"{seed}-{number}"}), lambda data=data: data))
    return made


def relabelled(example, *labels):
    annotation = ClassAnnotation(labels=labels)
    return Example(example.sample.model_copy(update={"annotation": annotation}), example.read)
