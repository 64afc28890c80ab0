"""Renames, merges and removes labels or fields inside annotations, as stored: plain JSON, since whole datasets pass here."""

from typing import Any

from pydantic import TypeAdapter

from sandglass.core.annotation import Annotation, DocumentAnnotation, with_linked_values

LabelMap = dict[str, str | None]
"""Label → its new name; None takes the label away. Labels that are not named stay."""

_ADAPTER: TypeAdapter[Annotation] = TypeAdapter(Annotation)


def parse_annotation(stored: Any) -> Annotation | None:  # noqa: ANN401
    """The annotation that a JSON value holds; None stays None."""
    return None if stored is None else _ADAPTER.validate_python(stored)


def relabel(stored: dict[str, Any], mapping: LabelMap) -> dict[str, Any]:
    """An annotation with labels renamed by ``mapping``.

    Args:
        stored: an annotation as JSON (`core.annotation.Annotation`).
        mapping: two labels with one new name become one.

    Returns:
        A new value. On documents whose values follow from links alone the values are written out, since the links
        would go on telling the old name. A field that is taken away leaves its boxes as background text.
    """
    kind = stored["kind"]
    if kind == "classes":
        named = (mapping.get(label, label) for label in stored.get("labels") or ())
        return {**stored, "labels": list(dict.fromkeys(label for label in named if label is not None))}
    if kind == "objects":
        shapes = [{**shape, "label": mapping.get(shape["label"], shape["label"])} for shape in stored["objects"]]
        return {**stored, "objects": [shape for shape in shapes if shape["label"] is not None]}
    return _relabel_document(_complete(stored), mapping)


def mentioned_labels(stored: dict[str, Any]) -> set[str]:
    """Every label or field that an annotation as stored names anywhere."""
    if stored["kind"] == "classes":
        return set(stored.get("labels") or ())
    if stored["kind"] == "objects":
        return {shape["label"] for shape in stored["objects"]}
    fields = {part["field"] for key in ("boxes", "values") for part in stored.get(key) or () if part.get("field")}
    return fields | set(stored.get("absent") or ())


def _complete(stored: dict[str, Any]) -> dict[str, Any]:
    if stored.get("values"):
        return stored
    annotation = _ADAPTER.validate_python(stored)
    assert isinstance(annotation, DocumentAnnotation)
    return with_linked_values(annotation).model_dump(mode="json")


def _relabel_document(stored: dict[str, Any], mapping: LabelMap) -> dict[str, Any]:
    values: list[dict[str, Any]] = []
    freed: set[str] = set()
    for value in stored.get("values") or ():
        name = mapping.get(value["field"], value["field"])
        if name is None:
            freed.update(value.get("box_ids") or ())
        else:
            values.append({**value, "field": name})
    boxes = []
    for box in stored.get("boxes") or ():
        field = box.get("field")
        if (field is not None and mapping.get(field, field) is None) or box["id"] in freed:
            boxes.append({**box, "field": None, "role": "background", "key_ids": []})
        else:
            boxes.append({**box, "field": None if field is None else mapping.get(field, field)})
    named = (mapping.get(field, field) for field in stored.get("absent") or ())
    absent = dict.fromkeys(field for field in named if field is not None)
    present = {value["field"] for value in values}
    return {
        **stored,
        "boxes": boxes,
        "values": values,
        "absent": [field for field in absent if field not in present],
    }
