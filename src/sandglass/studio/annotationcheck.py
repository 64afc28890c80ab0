"""What an annotation must be before it is stored: it fits the dataset and the picture, and its parts fit each other."""

import math
from collections.abc import Collection, Iterable, Sequence

from sandglass.core.annotation import (
    Annotation,
    ClassAnnotation,
    DocumentAnnotation,
    ObjectsAnnotation,
    ObjectShape,
    Role,
    TextBox,
)
from sandglass.core.errors import InvalidInput
from sandglass.core.geometry import Box, Point, Polygon, bounding_box, clip_polygon
from sandglass.core.text import Text
from sandglass.studio.kinds import AnnotationKind

MOST_BOXES = 5000
LONGEST_ID = 80
LONGEST_TEXT = 10_000
LONGEST_LABEL = 200
SMALLEST = 1.0
"""Pixels of width and height that a box has at least."""


def check_annotation(
    annotation: Annotation, kind: AnnotationKind, width: int, height: int, known: Collection[str]
) -> Annotation:
    """The annotation with its coordinates clamped to the picture.

    Args:
        annotation: what is to be stored.
        kind: of the dataset.
        width: of the upright picture, in pixels.
        height: of the upright picture, in pixels.
        known: labels or fields that may be used.

    Raises:
        InvalidInput: naming the box and what is wrong with it.
    """
    if annotation.kind != kind:
        raise InvalidInput(
            "annotation_kind_wrong",
            Text(
                en=f"The dataset takes '{kind}' annotations, not '{annotation.kind}'.",
                zh=f"该数据集的标注类型是“{kind}”，不是“{annotation.kind}”。",
            ),
            Text(en="Send the kind that fits the dataset's scenario.", zh="请发送与数据集场景一致的标注类型。"),
            field="kind",
        )
    match annotation:
        case DocumentAnnotation():
            return _document(annotation, width, height, known)
        case ClassAnnotation():
            for label in annotation.labels:
                _check_label(label, known, "labels")
            return ClassAnnotation(labels=tuple(dict.fromkeys(annotation.labels)))
        case ObjectsAnnotation():
            _check_ids([shape.id for shape in annotation.objects], "objects")
            return ObjectsAnnotation(objects=tuple(_shape(shape, width, height, known) for shape in annotation.objects))


def _document(annotation: DocumentAnnotation, width: int, height: int, known: Collection[str]) -> DocumentAnnotation:
    _check_ids([box.id for box in annotation.boxes], "boxes")
    boxes = tuple(_text_box(box, width, height, known) for box in annotation.boxes)
    by_id = {box.id: box for box in boxes}
    for box in boxes:
        for key in box.key_ids:
            _check_link(box, key, by_id)
    for value in annotation.values:
        _check_label(value.field, known, f"values.{value.field}")
        if len(value.text) > LONGEST_TEXT:
            raise _too_long(f"values.{value.field}")
        for name in value.box_ids:
            if name not in by_id:
                raise InvalidInput(
                    "value_box_missing",
                    Text(
                        en=f"The value of '{value.field}' names box '{name}', which is not on the page.",
                        zh=f"字段“{value.field}”的值引用了不存在的框“{name}”。",
                    ),
                    Text(en="Send the box too, or leave it out of the value.", zh="请同时发送该框，或从值中去掉它。"),
                    field=f"values.{value.field}",
                )
    valued = {value.field for value in annotation.values}
    for field in annotation.absent:
        _check_label(field, known, "absent")
        if field in valued:
            raise InvalidInput(
                "absent_but_valued",
                Text(
                    en=f"'{field}' is said not to be on the page, but has a value.",
                    zh=f"“{field}”标为本页没有，却又有值。",
                ),
                Text(en="Keep one of the two.", zh="请只保留其中之一。"),
                field="absent",
            )
    return annotation.model_copy(update={"boxes": boxes, "absent": tuple(dict.fromkeys(annotation.absent))})


def _text_box(box: TextBox, width: int, height: int, known: Collection[str]) -> TextBox:
    where = f"boxes.{box.id}"
    if len(box.polygon) < 4:
        raise InvalidInput(
            "polygon_too_short",
            Text(en=f"Box '{box.id}' has fewer than four corners.", zh=f"框“{box.id}”少于四个角点。"),
            Text(en="Send four corners or more, in reading order.", zh="请按阅读顺序发送四个或更多角点。"),
            field=where,
        )
    if len(box.text) > LONGEST_TEXT:
        raise _too_long(where)
    if box.field is not None:
        _check_label(box.field, known, where)
    return box.model_copy(update={"polygon": _polygon(box.polygon, width, height, box.id, where)})


def _check_link(box: TextBox, key: str, boxes: dict[str, TextBox]) -> None:
    where = f"boxes.{box.id}"
    if key not in boxes:
        raise InvalidInput(
            "link_target_missing",
            Text(
                en=f"Box '{box.id}' is linked to '{key}', which is not on the page.",
                zh=f"框“{box.id}”关联的框“{key}”不存在。",
            ),
            Text(en="Remove the link, or send the key's box too.", zh="请去掉该关联，或同时发送键的框。"),
            field=where,
        )
    if boxes[key].role is not Role.KEY:
        raise InvalidInput(
            "link_target_not_key",
            Text(
                en=f"Box '{box.id}' is linked to '{key}', which is not a key.",
                zh=f"框“{box.id}”关联的框“{key}”不是键。",
            ),
            Text(en="Give that box the role key first.", zh="请先把该框的角色设为键。"),
            field=where,
        )


def _shape(shape: ObjectShape, width: int, height: int, known: Collection[str]) -> ObjectShape:
    where = f"objects.{shape.id}"
    _check_label(shape.label, known, where)
    box = shape.box
    _check_finite([(box.left, box.top), (box.right, box.bottom)], shape.id, where)
    clamped = Box(
        min(box.left, box.right), min(box.top, box.bottom), max(box.left, box.right), max(box.top, box.bottom)
    ).clip(width, height)
    _check_size(clamped, shape.id, where)
    polygon = None if shape.polygon is None else _polygon(shape.polygon, width, height, shape.id, where)
    return shape.model_copy(update={"box": clamped, "polygon": polygon})


def _polygon(points: Polygon, width: int, height: int, name: str, where: str) -> Polygon:
    _check_finite(points, name, where)
    clamped = clip_polygon(points, width, height)
    _check_size(bounding_box(clamped), name, where)
    return clamped


def _check_ids(names: Sequence[str], part: str) -> None:
    if len(names) > MOST_BOXES:
        raise InvalidInput(
            "too_many_boxes",
            Text(en=f"More than {MOST_BOXES} boxes on one picture.", zh=f"一张图片上的框超过 {MOST_BOXES} 个。"),
            Text(en="Divide the picture.", zh="请拆分图片。"),
            field=part,
        )
    seen: set[str] = set()
    for name in names:
        if not name or len(name) > LONGEST_ID:
            raise InvalidInput(
                "box_id_invalid",
                Text(
                    en=f"'{name[:LONGEST_ID]}' cannot be the id of a box.",
                    zh=f"“{name[:LONGEST_ID]}”不能作为框的编号。",
                ),
                Text(en=f"Use 1 to {LONGEST_ID} characters.", zh=f"请使用 1 到 {LONGEST_ID} 个字符。"),
                field=part,
            )
        if name in seen:
            raise InvalidInput(
                "box_id_repeated",
                Text(en=f"Two boxes have the id '{name}'.", zh=f"有两个框的编号都是“{name}”。"),
                Text(en="Give every box an id of its own.", zh="请为每个框使用不同的编号。"),
                field=f"{part}.{name}",
            )
        seen.add(name)


def _check_label(label: str, known: Collection[str], where: str) -> None:
    if not label.strip() or len(label) > LONGEST_LABEL or label != label.strip():
        raise InvalidInput(
            "label_invalid",
            Text(en=f"'{label[:60]}' cannot be a label or field.", zh=f"“{label[:60]}”不能作为标签或字段。"),
            Text(
                en=f"Use 1 to {LONGEST_LABEL} characters without white space around them.",
                zh=f"请使用 1 到 {LONGEST_LABEL} 个字符，首尾不带空格。",
            ),
            field=where,
        )
    if label not in known:
        raise InvalidInput(
            "label_unknown",
            Text(en=f"The dataset has no label or field '{label}'.", zh=f"数据集中没有标签或字段“{label}”。"),
            Text(en="Name it under 'create' to add it.", zh="如需新增，请在 create 中列出。"),
            field=where,
            details={"label": label},
        )


def _check_finite(points: Iterable[Point], name: str, where: str) -> None:
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        raise InvalidInput(
            "coordinate_invalid",
            Text(en=f"Box '{name}' has a coordinate that is no number.", zh=f"框“{name}”的坐标不是有效数字。"),
            Text(en="Send finite numbers in pixels.", zh="请发送以像素为单位的有限数值。"),
            field=where,
        )


def _check_size(box: Box, name: str, where: str) -> None:
    if box.width < SMALLEST or box.height < SMALLEST:
        raise InvalidInput(
            "box_empty",
            Text(
                en=f"Box '{name}' covers nothing of the picture.",
                zh=f"框“{name}”没有覆盖图片的任何部分。",
            ),
            Text(
                en="Draw it inside the picture, at least one pixel wide and high.",
                zh="请在图片内绘制，宽高至少 1 像素。",
            ),
            field=where,
        )


def _too_long(where: str) -> InvalidInput:
    return InvalidInput(
        "text_too_long",
        Text(en=f"A text has more than {LONGEST_TEXT} characters.", zh=f"文字超过 {LONGEST_TEXT} 个字符。"),
        Text(en="Divide it over several boxes.", zh="请分到多个框中。"),
        field=where,
    )
