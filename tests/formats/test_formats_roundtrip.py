import io
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sandglass.core.annotation import (
    ClassAnnotation,
    DocumentAnnotation,
    FieldValue,
    ObjectsAnnotation,
    ObjectShape,
    Role,
    TextBox,
)
from sandglass.core.finding import Finding
from sandglass.core.geometry import Box
from sandglass.core.sample import Part, Sample
from sandglass.formats import detect_format, get_format, list_formats, read_dataset

SIZE = (120, 90)


def picture(size=SIZE):
    buffer = io.BytesIO()
    Image.new("RGB", size, (250, 250, 240)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = picture()
words = st.text(st.sampled_from("abcXYZ019 ,.'-张三合计：/"), min_size=1, max_size=12).map(str.strip).filter(bool)
labels = st.sampled_from(["cup", "plate", "餐具 A", "c-3"])
edges = st.integers(0, 100).map(float)


@st.composite
def upright_boxes(draw):
    left, top = draw(st.integers(0, 100)), draw(st.integers(0, 70))
    return Box(float(left), float(top), float(left + draw(st.integers(2, 20))), float(top + draw(st.integers(2, 20))))


@st.composite
def documents(draw, *, linked):
    """Boxes with text; ``linked``: a key box and a value box that is linked to it, as key-value formats hold them."""
    boxes, values = [], []
    for number in range(draw(st.integers(1, 4))):
        text = draw(words)
        if linked and draw(st.booleans()):
            key = TextBox(id=f"k{number}", polygon=draw(upright_boxes()).to_polygon(), text=draw(words), role=Role.KEY)
            key = key.model_copy(update={"field": key.text.rstrip(":： ") or None})
            if key.field is None or key.field != key.text:
                continue
            value = TextBox(
                id=f"v{number}",
                polygon=draw(upright_boxes()).to_polygon(),
                text=text,
                role=Role.VALUE,
                field=key.field,
                key_ids=(key.id,),
            )
            boxes += [key, value]
            values.append(FieldValue(field=key.field, text=text, box_ids=(value.id,)))
        else:
            boxes.append(TextBox(id=f"b{number}", polygon=draw(upright_boxes()).to_polygon(), text=text))
    return DocumentAnnotation(boxes=tuple(boxes), values=tuple(values))


@st.composite
def objects(draw):
    shapes = draw(st.lists(st.builds(ObjectShape, label=labels, box=upright_boxes()), max_size=4))
    return ObjectsAnnotation(objects=tuple(shapes))


def samples_of(annotations, **options):
    return st.lists(annotations, min_size=1, max_size=3).map(
        lambda found: [
            Sample(path=f"p{i}.png", width=SIZE[0], height=SIZE[1], annotation=annotation, **options)
            for i, annotation in enumerate(found)
        ]
    )


def cycle(name, samples, kind):
    """Write, find out the format, read."""
    folder = Path(tempfile.mkdtemp(prefix="formats-"))
    try:
        written = get_format(name).write([(sample, lambda: PICTURE) for sample in samples], folder)
        found = list(read_dataset(folder, kind=kind, format=name).found)
        detected = detect_format(folder, kind).id
        read = {item.sample.path.rsplit("/", 1)[-1]: item.sample for item in found if not isinstance(item, Finding)}
        return read, [item for item in found if isinstance(item, Finding)], written, detected
    finally:
        shutil.rmtree(folder)


quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shape_of(annotation):
    """An annotation without the names of its boxes, which formats need not keep."""
    place = {box.id: (tuple((round(x, 3), round(y, 3)) for x, y in box.polygon), box.text) for box in annotation.boxes}
    boxes = sorted(
        (place[box.id], box.role.value, box.field, sorted(place[key] for key in box.key_ids))
        for box in annotation.boxes
    )
    return boxes, sorted(
        (value.field, value.text, [place[box] for box in value.box_ids]) for value in annotation.values
    )


@pytest.mark.parametrize("name", ["ti-ocr", "funsd", "xfund", "label-studio"])
@quick
@given(data=st.data())
def test_documents_with_links_come_back(name, data):
    samples = data.draw(samples_of(documents(linked=True)))
    read, findings, _, detected = cycle(name, samples, "document")
    assert detected == name
    for sample in samples:
        got, put = shape_of(read[sample.path].annotation), shape_of(sample.annotation)
        assert got[1] == put[1]
        assert [box[:2] for box in got[0]] == [box[:2] for box in put[0]]
        assert [box[3] for box in got[0]] == [box[3] for box in put[0]]
    assert [finding.code for finding in findings] == []


@pytest.mark.parametrize("name", ["sroie", "ppocrlabel"])
@quick
@given(data=st.data())
def test_boxes_with_text_come_back(name, data):
    samples = data.draw(samples_of(documents(linked=False)))
    read, findings, _, detected = cycle(name, samples, "document")
    assert detected == name
    for sample in samples:
        expected = [(box.polygon, " ".join(box.text.split())) for box in sample.annotation.boxes]
        assert [(box.polygon, " ".join(box.text.split())) for box in read[sample.path].annotation.boxes] == expected
    assert findings == []


fields = st.dictionaries(
    st.sampled_from(["total", "日期", "name"]), st.lists(words, min_size=1, max_size=3), min_size=1
)


@pytest.mark.parametrize("name", ["sroie", "field-table"])
@quick
@given(data=st.data())
def test_field_values_without_boxes_come_back(name, data):
    table = data.draw(fields)
    values = tuple(FieldValue(field=field, text=text) for field, texts in table.items() for text in texts)
    sample = Sample(path="p0.png", width=SIZE[0], height=SIZE[1], annotation=DocumentAnnotation(values=values))
    read, findings, _, _ = cycle(name, [sample], "document")
    assert read["p0.png"].annotation.values == values
    assert [finding.code for finding in findings if finding.code != "file_empty"] == []


@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "ti-detection", "label-studio"])
@quick
@given(samples=samples_of(objects()))
def test_boxes_with_labels_come_back(name, samples):
    read, findings, _, detected = cycle(name, samples, "objects")
    has_objects = any(sample.annotation.objects for sample in samples)
    assert detected == name or (name == "yolo" and not has_objects)
    for sample in samples:
        got = read[sample.path].annotation.objects
        assert [shape.label for shape in got] == [shape.label for shape in sample.annotation.objects]
        for left, right in zip(got, sample.annotation.objects, strict=True):
            assert left.box == pytest.approx(right.box, abs=1e-3)
    assert findings == []


@pytest.mark.parametrize("name", ["coco", "yolo", "ti-detection", "label-studio"])
def test_polygons_come_back(name):
    points = ((10.0, 10.0), (60.0, 20.0), (50.0, 70.0))
    shape = ObjectShape(label="cup", box=Box(10, 10, 60, 70), polygon=points)
    sample = Sample(path="p0.png", width=SIZE[0], height=SIZE[1], annotation=ObjectsAnnotation(objects=(shape,)))
    read, findings, written, _ = cycle(name, [sample], "objects")
    got = read["p0.png"].annotation.objects[0].polygon
    assert [value for point in got for value in point] == pytest.approx([v for p in points for v in p], abs=1e-3)
    assert (findings, written) == ([], [])


@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "class-folders"])
@pytest.mark.parametrize("part", list(Part))
def test_marks_come_back(name, part):
    annotation = (
        ClassAnnotation(labels=("a",))
        if name == "class-folders"
        else ObjectsAnnotation(objects=(ObjectShape(label="a", box=Box(1, 1, 5, 5)),))
    )
    sample = Sample(path="p0.png", width=SIZE[0], height=SIZE[1], annotation=annotation, part=part)
    read, _, _, _ = cycle(name, [sample], "classes" if name == "class-folders" else "objects")
    assert read["p0.png"].part is part


class_labels = st.lists(labels, min_size=1, max_size=3, unique=True).map(tuple)


@pytest.mark.parametrize("name", ["ti-classification", "labels-tsv", "labels-csv", "labels-jsonl", "label-studio"])
@quick
@given(samples=samples_of(st.builds(ClassAnnotation, labels=class_labels)))
def test_several_classes_come_back(name, samples):
    read, findings, written, detected = cycle(name, samples, "classes")
    assert detected == name
    assert {path: sample.annotation for path, sample in read.items()} == {s.path: s.annotation for s in samples}
    assert (findings, written) == ([], [])


@quick
@given(samples=samples_of(st.builds(ClassAnnotation, labels=labels.map(lambda label: (label,)))))
def test_class_folders_come_back(samples):
    read, findings, written, detected = cycle("class-folders", samples, "classes")
    assert detected == "class-folders"
    assert sorted(s.annotation.labels for s in read.values()) == sorted(s.annotation.labels for s in samples)
    assert (findings, written) == ([], [])


@pytest.mark.parametrize("name", ["labels-tsv", "labels-csv", "labels-jsonl"])
@quick
@given(texts=st.lists(words, min_size=1, max_size=4))
def test_transcripts_come_back(name, texts):
    whole = Box(0, 0, *map(float, SIZE)).to_polygon()
    samples = [
        Sample(
            path=f"p{i}.png",
            width=SIZE[0],
            height=SIZE[1],
            annotation=DocumentAnnotation(boxes=(TextBox(id="line", polygon=whole, text=" ".join(text.split())),)),
        )
        for i, text in enumerate(texts)
    ]
    read, findings, written, _ = cycle(name, samples, "document")
    assert {path: sample.annotation for path, sample in read.items()} == {s.path: s.annotation for s in samples}
    assert (findings, written) == ([], [])


def test_what_a_format_cannot_hold_is_reported():
    linked = DocumentAnnotation(
        boxes=(
            TextBox(id="k", polygon=Box(0, 0, 9, 9).to_polygon(), text="Total", role=Role.KEY),
            TextBox(id="v", polygon=Box(20, 0, 29, 9).to_polygon(), text="5", role=Role.VALUE, key_ids=("k",)),
        )
    )
    sample = Sample(path="p0.png", width=SIZE[0], height=SIZE[1], annotation=linked)
    assert [finding.code for finding in cycle("sroie", [sample], "document")[2]] == ["not_held"]


def test_every_format_has_a_name_in_both_languages_and_knows_its_kinds():
    for item in list_formats():
        assert item.name.en
        assert item.name.zh
        assert item.kinds
