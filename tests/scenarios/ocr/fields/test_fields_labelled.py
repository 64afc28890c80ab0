from collections.abc import Callable

from sandglass.core.annotation import DocumentAnnotation, FieldValue, Role, TextBox, with_linked_values
from sandglass.core.geometry import Box
from sandglass.core.prediction import TextLine
from sandglass.scenarios.ocr.fields.labelled import LabelledPage, labelled_page
from sandglass.scenarios.ocr.page import Page, make_page


def box(name: str, left: float, top: float, text: str, **more: object) -> TextBox:
    polygon = Box(left, top, left + 10 * len(text), top + 20).to_polygon()
    return TextBox(id=name, polygon=polygon, text=text, **more)


def read(*boxes: TextBox) -> Page:
    return make_page(500, 500, [TextLine(text=b.text, score=0.9, polygon=b.polygon) for b in boxes])


def texts_of(page: LabelledPage, field: str, index: int = 0) -> list[list[str]]:
    found = page.alignments[field][index]
    assert found is not None
    return [[page.page.texts[p.line][p.start : p.end] for p in pieces] for pieces in found.occurrences]


def test_marked_place_decides_between_equal_texts() -> None:
    first, second = box("a", 10, 10, "12.50"), box("b", 10, 50, "12.50")
    annotation = DocumentAnnotation(
        boxes=(first, second), values=(FieldValue(field="total", text="12.50", box_ids=("b",)),)
    )
    page = labelled_page(read(first, second), annotation)
    found = page.alignments["total"][0]
    assert found is not None
    assert [pieces[0].line for pieces in found.occurrences] == [1]


def test_marked_place_is_found_on_lines_that_were_read_and_merged() -> None:
    key, value = box("k", 10, 10, "Total"), box("v", 100, 10, "12.50")
    annotation = DocumentAnnotation(
        boxes=(key, value), values=(FieldValue(field="total", text="12.50", box_ids=("v",)),)
    )
    merged = read(box("m", 10, 10, "Total    12.50"), box("o", 10, 60, "Cash 12.50"))
    assert texts_of(labelled_page(merged, annotation), "total") == [["12.50"]]


def test_badly_read_value_is_placed_by_its_box_alone() -> None:
    value = box("v", 100, 10, "Zhang Wei")
    annotation = DocumentAnnotation(
        boxes=(value,), values=(FieldValue(field="name", text="Zhang Wei", box_ids=("v",)),)
    )
    page = labelled_page(read(box("x", 100, 10, "2#4n9 Vv3!")), annotation)
    assert texts_of(page, "name") == [["2#4n9 Vv3!"]]


def test_links_between_boxes_teach_fields() -> None:
    annotation = DocumentAnnotation(
        boxes=(
            box("k", 10, 10, "姓名", role=Role.KEY, field="name"),
            box("v", 80, 10, "张伟", role=Role.VALUE, key_ids=("k",)),
            box("k2", 10, 50, "City", role=Role.KEY),
            box("v2", 80, 50, "Milton", role=Role.VALUE, key_ids=("k2",)),
            box("b", 80, 90, "Milton"),
        )
    )
    linked = with_linked_values(annotation)
    assert {(value.field, value.text) for value in linked.values} == {("name", "张伟"), ("City", "Milton")}
    page = labelled_page(read(*annotation.boxes), annotation, "one")
    assert page.group == "one"
    assert page.values == {"name": ("张伟",), "City": ("Milton",)}
    found = page.alignments["City"][0]
    assert found is not None
    assert [pieces[0].line for pieces in found.occurrences] == [3]


def test_value_that_is_not_on_the_page_has_no_place(make_labelled: Callable[..., LabelledPage]) -> None:
    page = make_labelled([[(10, "hello")]], [("total", "99.10")])
    assert page.alignments == {"total": (None,)}


def test_absent_fields_and_empty_values_are_kept_apart() -> None:
    annotation = DocumentAnnotation(values=(FieldValue(field="a", text="  "),), absent=("b",))
    page = labelled_page(read(box("x", 0, 0, "text")), annotation)
    assert page.values == {}
    assert page.absent == {"b"}
