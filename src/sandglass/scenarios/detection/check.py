"""What is wrong with data to learn detection from."""

from collections import Counter
from collections.abc import Sequence

from sandglass.core.annotation import ObjectsAnnotation
from sandglass.core.finding import Finding, Severity
from sandglass.core.sample import Sample
from sandglass.core.text import Text

FEW_OBJECTS = 10
"""Objects of a label below which it is reported as having too few."""
TINY_PIXELS = 4.0
"""Side of a box below which it is reported as hardly visible."""
SAME_BOX = 0.95
"""Overlap from which two boxes of one label on one picture are taken for one object labelled twice."""


def label_counts(samples: Sequence[Sample]) -> Counter[str]:
    """Objects per label, crowds left out."""
    counts: Counter[str] = Counter()
    for sample in samples:
        if isinstance(sample.annotation, ObjectsAnnotation):
            counts.update(shape.label for shape in sample.annotation.objects if not shape.crowd)
    return counts


def check_samples(samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
    """Findings about labels (none at all, unknown, few) and about boxes (without area, outside, doubled, tiny)."""
    counts = label_counts(samples)
    if not counts:
        return [
            Finding(
                code="nothing_labelled",
                severity=Severity.ERROR,
                message=Text(en="No picture has a box.", zh="没有任何图片带有标注框。"),
                outcome=Text(en="Draw some boxes first.", zh="请先标注一些目标框。"),
            )
        ]
    known = sorted(counts, key=lambda name: (-counts[name], name))
    findings = []
    for name in labels or known:
        if not counts[name]:
            findings.append(
                Finding(
                    code="unknown_label",
                    severity=Severity.ERROR,
                    label=name,
                    message=Text(en=f"No box has the label '{name}'.", zh=f"没有标注框带有标签“{name}”。"),
                    outcome=Text(en=f"Choose among: {', '.join(known)}.", zh=f"可选标签：{'、'.join(known)}。"),
                )
            )
        elif counts[name] < FEW_OBJECTS:
            findings.append(
                Finding(
                    code="few_objects",
                    severity=Severity.WARNING,
                    label=name,
                    count=counts[name],
                    message=Text(
                        en=f"The label '{name}' has {counts[name]} boxes only.",
                        zh=f"标签“{name}”只有 {counts[name]} 个标注框。",
                    ),
                    outcome=Text(
                        en=f"It is learnt, but expect errors; label {FEW_OBJECTS} or more.",
                        zh=f"仍会学习，但容易出错；建议至少标注 {FEW_OBJECTS} 个。",
                    ),
                )
            )
    return findings + _box_findings(samples, labels)


def _box_findings(samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
    flat = outside = doubled = tiny = empty = 0
    for sample in samples:
        if not isinstance(sample.annotation, ObjectsAnnotation):
            continue
        shapes = [shape for shape in sample.annotation.objects if labels is None or shape.label in labels]
        empty += not shapes
        for number, shape in enumerate(shapes):
            box = shape.box
            if box.area <= 0:
                flat += 1
                continue
            if sample.width and box.clip(sample.width, sample.height).area < 0.99 * box.area:
                outside += 1
            tiny += min(box.width, box.height) < TINY_PIXELS
            doubled += any(
                other.label == shape.label and not (other.crowd or shape.crowd) and other.box.iou(box) > SAME_BOX
                for other in shapes[:number]
            )
    found = [
        (
            "box_without_area",
            Severity.WARNING,
            flat,
            "boxes have no area",
            "个标注框面积为零",
            "They are left out.",
            "将被忽略。",
        ),
        (
            "box_outside",
            Severity.WARNING,
            outside,
            "boxes reach outside their picture",
            "个标注框超出图片",
            "They are cut at its edge.",
            "将按图片边缘裁剪。",
        ),
        (
            "box_doubled",
            Severity.WARNING,
            doubled,
            "boxes stand on another box of the same label",
            "个标注框与同标签的另一框重合",
            "Delete one of each pair.",
            "请删除重复的标注框。",
        ),
        (
            "box_tiny",
            Severity.NOTE,
            tiny,
            f"boxes are less than {TINY_PIXELS:.0f} pixels wide or high",
            f"个标注框的宽或高不足 {TINY_PIXELS:.0f} 像素",
            "They are learnt, but hard to find; use larger pictures.",
            "仍会学习，但很难检出；建议使用更大的图片。",
        ),
        (
            "pictures_without_boxes",
            Severity.NOTE,
            empty,
            "pictures have no box",
            "张图片没有标注框",
            "They teach what is not to be found.",
            "用于学习哪些不是目标。",
        ),
    ]
    return [
        Finding(
            code=code,
            severity=severity,
            count=count,
            message=Text(en=f"{count} {en}.", zh=f"{count} {zh}。"),
            outcome=Text(en=outcome_en, zh=outcome_zh),
        )
        for code, severity, count, en, zh, outcome_en, outcome_zh in found
        if count
    ]
