import pytest

from sandglass.core.annotation import (
    ClassAnnotation,
    DocumentAnnotation,
    FieldValue,
    ObjectsAnnotation,
    ObjectShape,
    Role,
    TextBox,
    with_linked_values,
)
from sandglass.core.dictionary import KeyDictionary
from sandglass.core.geometry import Box
from sandglass.core.relabel import mentioned_labels, parse_annotation, relabel

SQUARE = ((0, 0), (9, 0), (9, 9), (0, 9))


def changed(annotation, mapping):
    return parse_annotation(relabel(annotation.model_dump(mode="json"), mapping))


def test_classes_are_renamed_and_two_become_one():
    both = ClassAnnotation(labels=("cat", "kitten", "dog"))
    assert changed(both, {"kitten": "cat"}).labels == ("cat", "dog")
    assert changed(both, {"kitten": None, "dog": "hound"}).labels == ("cat", "hound")


def test_objects_are_renamed_or_taken_away():
    shapes = tuple(ObjectShape(label=label, box=Box(0, 0, 5, 5)) for label in ("cup", "mug", "plate"))
    named = changed(ObjectsAnnotation(objects=shapes), {"mug": "cup", "plate": None})
    assert [shape.label for shape in named.objects] == ["cup", "cup"]


@pytest.fixture
def page():
    """A page whose only value follows from a link to a printed key."""
    key = TextBox(id="k", polygon=SQUARE, text="Total due", role=Role.KEY)
    value = TextBox(id="v", polygon=SQUARE, text="12.50", role=Role.VALUE, key_ids=("k",))
    return DocumentAnnotation(boxes=(key, value), absent=("stamp",))


def test_a_value_that_follows_from_a_link_keeps_its_new_name(page):
    named = changed(page, {"Total due": "total", "stamp": "seal"})
    assert [(value.field, value.text) for value in with_linked_values(named).values] == [("total", "12.50")]
    assert named.absent == ("seal",)


def test_a_field_that_is_taken_away_does_not_come_back_from_its_boxes(page):
    named = changed(page, {"Total due": None})
    assert with_linked_values(named).values == ()
    assert next(box for box in named.boxes if box.id == "v").role is Role.BACKGROUND
    assert next(box for box in named.boxes if box.id == "v").text == "12.50"


def test_fields_of_boxes_are_renamed_with_their_values():
    box = TextBox(id="v", polygon=SQUARE, text="1", role=Role.VALUE, field="total")
    document = DocumentAnnotation(boxes=(box,), values=(FieldValue(field="total", text="1", box_ids=("v",)),))
    named = changed(document, {"total": "sum"})
    assert (named.boxes[0].field, named.values[0].field) == ("sum", "sum")
    assert mentioned_labels(named.model_dump(mode="json")) == {"sum"}


def test_a_dictionary_follows_its_fields():
    dictionary = KeyDictionary(keys={"Total": "total", "Date": "date"}, additional=("stamp", "total"))
    named = dictionary.renamed({"total": "sum", "date": None})
    assert named == KeyDictionary(keys={"Total": "sum"}, additional=("stamp", "sum"))
    assert named.joined(KeyDictionary(keys={"Sum": "sum"}, additional=("stamp",))).keys == {
        "Total": "sum",
        "Sum": "sum",
    }
