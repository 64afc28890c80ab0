import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from sandglass.core.errors import InvalidInput, NotFound, TooLarge
from sandglass.core.finding import Finding
from sandglass.core.sample import Part
from sandglass.formats import detect_format, read_dataset
from sandglass.formats.archive import Limits, is_archive, unpack
from sandglass.formats.pictures import safe_reference


def save(path, size=(100, 50), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).convert("RGB").save(path, **options)
    return path


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder, kind, name="auto", **options):
    found = list(read_dataset(folder, kind=kind, format=name, **options).found)
    samples = {item.sample.path: item.sample for item in found if not isinstance(item, Finding)}
    return samples, [item for item in found if isinstance(item, Finding)]


def codes(findings):
    return sorted({finding.code for finding in findings})


def test_sroie_texts_may_hold_commas(tmp_path):
    save(tmp_path / "images/001.jpg")
    put(tmp_path / "boxes/001.txt", "1,1,50,1,50,9,1,9,MILK, SUGAR, AND MORE\n")
    put(tmp_path / "fields/001.json", json.dumps({"total": "5.00", "date": ""}))
    samples, findings = read(tmp_path, "document")
    annotation = samples["images/001.jpg"].annotation
    assert annotation.boxes[0].text == "MILK, SUGAR, AND MORE"
    assert [(value.field, value.text) for value in annotation.values] == [("total", "5.00")]
    assert findings == []


BROKEN_ROWS = [
    ("1,2,3,text", "wrong_columns"),
    ("a,1,50,1,50,9,1,9,text", "box_unreadable"),
    ("nan,1,50,1,50,9,1,9,text", "box_unreadable"),
    ("1,1,1,1,1,1,1,1,text", "box_without_area"),
    ("-40,1,50,1,50,9,-40,9,text", "box_outside"),
    ("1,1,5000,1,5000,9,1,9,text", "box_outside"),
]


@pytest.mark.parametrize(("row", "code"), BROKEN_ROWS)
def test_a_broken_row_is_reported_with_its_line_and_the_others_are_kept(tmp_path, row, code):
    save(tmp_path / "images/1.jpg")
    put(tmp_path / "boxes/1.txt", f"1,1,50,1,50,9,1,9,good\n{row}\n")
    put(tmp_path / "fields/1.json", "{}")
    samples, findings = read(tmp_path, "document", "sroie")
    assert [(finding.code, finding.file, finding.line) for finding in findings] == [(code, "boxes/1.txt", 2)]
    boxes = samples["images/1.jpg"].annotation.boxes
    assert boxes[0].text == "good"
    assert len(boxes) == (2 if code == "box_outside" else 1)
    assert all(0 <= x <= 100 and 0 <= y <= 50 for box in boxes for x, y in box.polygon)


BROKEN_LABELS = {
    "ti-ocr": ("a.json", '{"FileName": "a.jpg", "OcrLabels": [{"Points": [{"X": 1}], "Key": "k"}]}', "box_unreadable"),
    "ti-classification": ("a.json", '{"tags": {"classification_tags": [{"wrong": 1}]}}', "label_unreadable"),
    "ti-detection": (
        "a.json",
        '{"tags": {"detection_tags": {"shapes": [{"pts": ["x"], "tag": []}]}}}',
        "box_unreadable",
    ),
    "coco": (
        "a.json",
        '{"images": [{"id": 1, "file_name": "a.jpg"}], "categories": [], "annotations": [{"image_id": 1, "bbox": [1, 2]}]}',
        "box_unreadable",
    ),
    "voc": (
        "a.xml",
        "<annotation><object><name>x</name><bndbox><xmin>9</xmin></bndbox></object></annotation>",
        "box_unreadable",
    ),
    "yolo": ("a.txt", "0 0.5 0.5", "wrong_columns"),
    "labels-tsv": ("labels.tsv", "a.jpg\ttext\nno tab here", "wrong_columns"),
    "labels-csv": ("labels.csv", "a.jpg,text\nonly", "wrong_columns"),
    "labels-jsonl": ("labels.jsonl", '{"file": "a.jpg", "text": "x"}\n{broken', "wrong_columns"),
    "ppocrlabel": ("Label.txt", "a.jpg\t[broken", "label_unreadable"),
    "funsd": ("a.json", '{"form": [{"id": 1, "box": [1, 2]}]}', "box_unreadable"),
    "xfund": ("a.json", '{"documents": [{"img": {}}]}', "label_unreadable"),
    "label-studio": (
        "a.json",
        '[{"data": {"image": "a.jpg"}, "annotations": [{"result": [{"value": {"x": "q", "y": 1, "width": 1, "height": 1}}]}]}]',
        "box_unreadable",
    ),
    "field-table": ("fields.csv", "file,total\na.jpg,1,2\n", "line_unreadable"),
}
KINDS = {
    "ti-classification": "classes",
    "ti-detection": "objects",
    "coco": "objects",
    "voc": "objects",
    "yolo": "objects",
}


@pytest.mark.parametrize("name", BROKEN_LABELS)
def test_every_format_survives_broken_labels_and_names_them(tmp_path, name):
    file, text, code = BROKEN_LABELS[name]
    save(tmp_path / "a.jpg")
    put(tmp_path / file, text)
    samples, findings = read(tmp_path, KINDS.get(name, "document"), name)
    assert code in codes(findings)
    assert all(finding.message.en and finding.message.zh and finding.outcome.zh for finding in findings)
    assert "a.jpg" in samples


JUNK = [
    b"",
    b"\x00\x01\x02",
    b"{",
    b"[1, 2",
    b"null",
    b"[[[[",
    b"\xff\xfe",
    "标注".encode("gb18030"),
    b'{"a": NaN}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("name", BROKEN_LABELS)
@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_no_junk_makes_a_reader_fall_over(tmp_path, name, junk):
    save(tmp_path / "a.jpg")
    put(tmp_path / BROKEN_LABELS[name][0], junk)
    samples, _ = read(tmp_path, KINDS.get(name, "document"), name)
    assert list(samples) == ["a.jpg"]


def test_pictures_that_cannot_be_read_are_left_out_and_named(tmp_path):
    good = save(tmp_path / "x/good.jpg").read_bytes()
    put(tmp_path / "x/empty.jpg", b"")
    put(tmp_path / "x/text.jpg", b"not a picture")
    put(tmp_path / "x/cut.jpg", good[: len(good) // 2])
    Image.new("RGB", (8, 8)).save(tmp_path / "x/really-png.jpg", "PNG")
    samples, findings = read(tmp_path, "classes", "class-folders")
    assert sorted(samples) == ["x/good.jpg", "x/really-png.jpg"]
    assert codes(findings) == ["picture_damaged", "picture_unreadable", "wrong_suffix"]


def test_sizes_are_those_of_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    save(tmp_path / "cat/turned.jpg", (60, 30), exif=exif)
    samples, _ = read(tmp_path, "classes")
    assert (samples["cat/turned.jpg"].width, samples["cat/turned.jpg"].height) == (30, 60)


def test_labels_and_pictures_that_lack_each_other_are_reported(tmp_path):
    save(tmp_path / "a.jpg")
    save(tmp_path / "b.jpg")
    put(tmp_path / "labels.tsv", "a.jpg\thello\nmissing.jpg\tx\na.jpg\tagain\n../../etc/passwd\tx\n")
    samples, findings = read(tmp_path, "document")
    assert samples["a.jpg"].annotation.boxes[0].text == "hello"
    assert samples["b.jpg"].annotation is None
    assert codes(findings) == ["duplicate_label", "label_without_picture", "picture_without_label", "unsafe_path"]


def test_other_encodings_are_read_with_a_note(tmp_path):
    save(tmp_path / "a.jpg")
    put(tmp_path / "labels.tsv", "a.jpg\t发票号码\n".encode("gb18030"))
    samples, findings = read(tmp_path, "document")
    assert samples["a.jpg"].annotation.boxes[0].text == "发票号码"
    assert codes(findings) == ["encoding"]


def test_links_that_leave_the_folder_are_refused(tmp_path):
    save(tmp_path / "secret/s.jpg")
    (tmp_path / "data/x").mkdir(parents=True)
    (tmp_path / "data/x/s.jpg").symlink_to(tmp_path / "secret/s.jpg")
    save(tmp_path / "data/x/own.jpg")
    samples, findings = read(tmp_path / "data", "classes", "class-folders")
    assert list(samples) == ["x/own.jpg"]
    assert codes(findings) == ["unsafe_path"]


def test_objects_without_area_are_reported(tmp_path):
    save(tmp_path / "JPEGImages/a.jpg")
    box = (
        "<object><name>cell</name><bndbox><xmin>{}</xmin><ymin>5</ymin><xmax>20</xmax><ymax>9</ymax></bndbox></object>"
    )
    put(tmp_path / "Annotations/a.xml", f"<annotation>{box.format(20)}{box.format(10)}</annotation>")
    samples, findings = read(tmp_path, "objects")
    assert len(samples["JPEGImages/a.jpg"].annotation.objects) == 1
    assert codes(findings) == ["box_without_area"]


def test_xml_with_entities_is_refused(tmp_path):
    save(tmp_path / "a.jpg")
    put(tmp_path / "a.xml", '<!DOCTYPE a [<!ENTITY x "y">]><annotation><object><name>&x;</name></object></annotation>')
    _, findings = read(tmp_path, "objects", "voc")
    assert "label_unreadable" in codes(findings)


def test_a_split_selects_a_part_and_names_groups(tmp_path):
    for name in ("001", "002", "003"):
        save(tmp_path / f"images/{name}.jpg")
        put(tmp_path / f"fields/{name}.json", '{"total": "1"}')
        put(tmp_path / f"boxes/{name}.txt", "1,1,50,1,50,9,1,9,1\n")
    split = put(
        tmp_path / "split.json",
        json.dumps(
            {"by": "merchant", "train": ["001", "002"], "test": ["003", "404"], "merchants": [["001", "003"], ["002"]]}
        ),
    )
    samples, findings = read(tmp_path, "document", split=split, part="train")
    assert sorted(samples) == ["images/001.jpg", "images/002.jpg"]
    assert samples["images/001.jpg"].group != samples["images/002.jpg"].group
    samples, findings = read(tmp_path, "document", split=split)
    assert {path: sample.part for path, sample in samples.items()}["images/003.jpg"] is Part.TEST
    assert codes(findings) == ["split_without_picture"]
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, "document", split=split, part="validation")
    assert caught.value.code == "split_part_unknown"
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, "document", split=put(tmp_path / "bad.json", "[]"), part="train")
    assert caught.value.code == "split_unreadable"


def test_a_folder_that_is_none_or_unclear_is_answered_with_what_to_do(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        read_dataset(tmp_path / "none", kind="document")
    assert caught.value.code == "folder_missing"
    with pytest.raises(InvalidInput) as caught:
        detect_format(tmp_path, "document")
    assert caught.value.code == "format_not_detected"
    with pytest.raises(NotFound):
        read_dataset(tmp_path, kind="document", format="nonsense")
    with pytest.raises(InvalidInput) as caught:
        read_dataset(tmp_path, kind="objects", format="sroie")
    assert caught.value.code == "format_unfit"


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a/../../b", "C:\\x\\y.jpg", "\\\\host\\x", "", "a\0b"])
def test_paths_that_leave_the_folder_are_no_references(path):
    assert safe_reference(path) is None


def zip_with(path, entries, mode=0):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


def test_archives_are_unpacked(tmp_path):
    archive = zip_with(tmp_path / "a.zip", [("x/1.txt", b"one"), ("2.txt", b"two")])
    assert is_archive(archive)
    unpack(archive, tmp_path / "zip")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as made:
        made.add(tmp_path / "zip", "top")
    unpack(tmp_path / "a.tar.gz", tmp_path / "tar")
    assert (tmp_path / "zip/x/1.txt").read_bytes() == (tmp_path / "tar/top/x/1.txt").read_bytes() == b"one"


def tar_with(path, member, data=b""):
    with tarfile.open(path, "w") as archive:
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def link(kind, target):
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    "make",
    [
        lambda path: zip_with(path, [("../evil", b"x")]),
        lambda path: zip_with(path, [("/abs", b"x")]),
        lambda path: zip_with(path, [("link", b"/etc/passwd")], mode=0o120777),
        lambda path: tar_with(path, tarfile.TarInfo("../evil"), b"x"),
        lambda path: tar_with(path, link(tarfile.SYMTYPE, "/etc/passwd")),
        lambda path: tar_with(path, link(tarfile.LNKTYPE, "other")),
        lambda path: tar_with(path, link(tarfile.CHRTYPE, "")),
    ],
)
def test_unsafe_archives_are_refused_and_leave_nothing(tmp_path, make):
    archive = make(tmp_path / "archive")
    with pytest.raises(InvalidInput) as caught:
        unpack(archive, tmp_path / "out")
    assert caught.value.code == "archive_unsafe"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive"]
    assert not Path("/tmp/evil").exists()


def test_bombs_and_crowds_are_refused(tmp_path):
    bomb = zip_with(tmp_path / "bomb.zip", [("zeros", b"\0" * 150_000_000)])
    with pytest.raises(TooLarge) as caught:
        unpack(bomb, tmp_path / "out")
    assert caught.value.code == "archive_too_large"
    crowd = zip_with(tmp_path / "crowd.zip", [(str(i), b"") for i in range(20)])
    with pytest.raises(TooLarge):
        unpack(crowd, tmp_path / "out", Limits(files=10))
    assert not (tmp_path / "out").exists()


def test_a_broken_archive_is_named(tmp_path):
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as made:
        made.add(save(tmp_path / "noise.jpg", (400, 300)), "noise.jpg")
    cut = put(tmp_path / "cut.tar.gz", (tmp_path / "whole.tar.gz").read_bytes()[:3000])
    with pytest.raises(InvalidInput) as caught:
        unpack(cut, tmp_path / "out")
    assert caught.value.code == "archive_unreadable"
    assert not (tmp_path / "out").exists()
