"""Data on its way: uploads in parts, imports looked at before they are stored, exports as folders and archives."""

import csv
import io
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import wait_for
from pictures import class_folder, picture

from sandglass.formats import get_format
from sandglass.scenarios.ocr.synthesis import generate_receipts, to_samples


def put(server, upload, path, data, *, offset=0, size=None):
    query = {"path": path, "offset": offset, "size": len(data) if size is None else size}
    return server.http.put(f"/uploads/{upload}/files", params=query, content=data)


def test_a_large_file_arrives_in_parts_and_goes_on_after_a_break(server):
    upload = server.post("/uploads", status=201)
    data = os.urandom(200_000)
    size = len(data)
    assert put(server, upload["id"], "a/big.bin", data[:80_000], size=size).json()["received"] == 80_000
    seen = server.get(f"/uploads/{upload['id']}")["files"]
    assert seen == [{"path": "a/big.bin", "size": size, "received": 80_000, "modified": 0}]
    wrong = put(server, upload["id"], "a/big.bin", data[90_000:], offset=90_000, size=size)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "upload_offset")
    assert wrong.json()["details"]["received"] == 80_000
    over = put(server, upload["id"], "a/big.bin", data, offset=80_000, size=size)
    assert (over.status_code, over.json()["code"]) == (422, "upload_overrun")
    body = {"dataset": "parts", "scenario": "classification", "upload": upload["id"]}
    server.refused("POST", "/imports", 409, "upload_incomplete", body)
    for _ in range(2):  # an answer that got lost: the same bytes again are fine
        last = put(server, upload["id"], "a/big.bin", data[80_000:], offset=80_000, size=size)
        assert last.json()["received"] == size
    stored = server.home / "uploads" / upload["id"] / "files" / "a" / "big.bin"
    assert stored.read_bytes() == data
    assert server.http.delete(f"/uploads/{upload['id']}/files", params={"path": "a/big.bin"}).status_code == 204
    server.refused("POST", "/imports", 422, "source_missing", body)
    assert server.http.delete(f"/uploads/{upload['id']}").status_code == 204
    server.refused("GET", f"/uploads/{upload['id']}", 404, "upload_not_found")
    assert not stored.exists()


@pytest.mark.parametrize("path", ["../evil.png", "/etc/evil.png", "a/../../b.png", ".hidden/a.png", "a\x01.png"])
def test_parts_stay_inside_their_upload(server, path):
    upload = server.post("/uploads")["id"]
    answer = put(server, upload, path, b"x")
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_name_unsafe")
    server.refused("GET", "/uploads/..", 404, "not_found")
    server.refused("GET", "/uploads/up-none", 404, "upload_not_found")
    server.http.delete(f"/uploads/{upload}")


def test_small_files_are_sent_together_checked_named_and_imported(server, tmp_path):
    upload = server.post("/uploads")["id"]
    files = [("files", (f"set/{label}/{n}.png", picture(grey, seed=n))) for n in range(3) for label, grey in GREYS]
    files.append(("files", ("set/dark/broken.png", b"no picture")))
    with ThreadPoolExecutor(3) as pool:
        groups = [files[start : start + 3] for start in range(0, len(files), 3)]
        answers = list(pool.map(lambda group: server.http.post(f"/uploads/{upload}/files", files=group), groups))
    assert sum(len(answer.json()["files"]) for answer in answers) == 7
    body = {"dataset": "named", "scenario": "classification", "upload": upload, "confirm": False}
    job = server.wait_import(server.post("/imports", body, status=202)["id"])
    assert (job["status"], job["found"], job["left_out"]) == ("checked", 6, 1)
    assert job["labels"] == {"dark": 3, "light": 3}
    server.refused("GET", "/datasets/named", 404, "dataset_not_found")
    server.refused("GET", f"/uploads/{upload}", 404, "upload_not_found")
    bad = {"label_map": {"dark": " "}}
    server.refused("POST", f"/imports/{job['id']}/confirm", 422, "label_invalid", bad)
    server.post(f"/imports/{job['id']}/confirm", {"label_map": {"dark": "night", "light": None}})
    job = server.wait_import(job["id"])
    assert (job["status"], job["stored"]) == ("done", 6)
    assert server.get("/datasets/named")["label_counts"] == {"night": 3}
    found = server.get(f"/imports/{job['id']}/findings", code="picture_unreadable")
    assert [finding["file"] for finding in found["items"]] == ["dark/broken.png"]
    table = list(csv.reader(io.StringIO(server.http.get(f"/imports/{job['id']}/findings.csv").text.lstrip("\ufeff"))))
    assert table[0][:3] == ["severity", "code", "file"]
    assert table[1][1:3] == ["picture_unreadable", "dark/broken.png"]


GREYS = (("dark", 40), ("light", 210))


def test_a_report_lists_what_a_view_only_counts(server, tmp_path):
    folder = class_folder(tmp_path / "many", 2)
    for number in range(230):
        (folder / "dark" / f"broken{number}.png").write_bytes(b"x")
    job = server.import_folder("many-findings", folder)
    shown = [finding for finding in job["findings"] if finding["code"] == "picture_unreadable"]
    assert (len(shown), sum(finding["count"] for finding in shown), job["left_out"]) == (201, 230, 230)
    listed = server.get(f"/imports/{job['id']}/findings", offset=220, limit=100)
    assert (listed["total"], len(listed["items"])) == (230, 10)


def test_a_checked_import_survives_its_server_and_a_cancelled_one_keeps_nothing(server, tmp_path):
    folder = class_folder(tmp_path / "later", 3, seed=3)
    first = server.import_folder("later", folder, confirm=False)
    assert first["status"] == "checked"
    server.end()
    server.start()
    assert server.get(f"/imports/{first['id']}")["status"] == "checked"
    cancelled = server.post(f"/imports/{first['id']}/cancel")
    assert (cancelled["status"], cancelled["stored"]) == ("cancelled", 0)
    server.refused("GET", "/datasets/later", 404, "dataset_not_found")
    server.refused("POST", f"/imports/{first['id']}/confirm", 409, "import_not_waiting")
    assert not (server.home / "imports" / first["id"]).exists()


def test_a_dataset_shows_the_import_that_waits_for_a_person(server, tmp_path):
    server.post("/datasets", {"name": "waits", "scenario": "classification"}, status=201)
    job = server.import_folder("waits", class_folder(tmp_path / "w", 2, seed=5), confirm=False)
    dataset = server.get("/datasets/waits")
    assert (dataset["state"], dataset["import_id"], dataset["sample_count"]) == ("waiting", job["id"], 0)
    assert "waits" in [item["name"] for item in server.get("/datasets", state="waiting")["items"]]
    answer = server.http.patch("/datasets/waits", json={"name": "waited"})
    assert answer.status_code == 200
    server.post(f"/imports/{job['id']}/confirm")
    assert server.wait_import(job["id"])["status"] == "done"
    assert server.get("/datasets/waited")["sample_count"] == 4


def exported(server, dataset, **form):
    job = server.post(f"/datasets/{dataset}/exports", form, status=202)
    return wait_for(lambda: (state := server.get(f"/exports/{job['id']}"))["status"] != "writing" and state)


def test_a_dataset_is_exported_as_an_archive_that_imports_again(server, tmp_path):
    job = exported(server, "grey", format="class-folders", version=1)
    assert (job["status"], job["written"], job["total"], job["dataset"]) == ("ready", 24, 24, "grey@v1")
    answer = server.http.get(f"/exports/{job['id']}/download")
    assert answer.headers["content-type"] == "application/zip"
    assert "grey-v1-class-folders.zip" in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert len([name for name in archive.namelist() if name.endswith(".png")]) == 24
    (tmp_path / "grey.zip").write_bytes(answer.content)
    back = server.import_folder("grey-back", tmp_path / "grey.zip")
    assert (back["stored"], server.get("/datasets/grey-back")["label_counts"]) == (24, {"dark": 12, "light": 12})
    assert server.http.delete(f"/exports/{job['id']}").json()["status"] == "cancelled"
    server.refused("GET", f"/exports/{job['id']}/download", 409, "export_not_ready")
    server.refused("GET", "/exports/ex-none", 404, "export_not_found")


def test_an_export_to_the_server_is_whole_or_not_there(server, tmp_path):
    job = exported(server, "grey", format="labels-csv", folder=str(tmp_path / "out"))
    assert (job["status"], job["written"]) == ("ready", 24)
    assert len(list((tmp_path / "out").rglob("*.png"))) == 24
    path = "/datasets/grey/exports"
    server.refused("POST", path, 409, "folder_not_empty", {"format": "labels-csv", "folder": str(tmp_path / "out")})
    server.refused("POST", path, 422, "folder_not_absolute", {"format": "labels-csv", "folder": "out"})
    server.refused("POST", path, 404, "format_unknown", {"format": "magic"})
    server.refused("POST", path, 422, "format_unfit", {"format": "sroie"})
    server.refused("POST", path, 404, "dataset_version_not_found", {"format": "labels-csv", "version": 99})
    (tmp_path / "file").write_text("in the way")
    failed = exported(server, "grey", format="labels-csv", folder=str(tmp_path / "file" / "out"))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "export_failed")


def test_fields_and_the_key_dictionary_go_out_and_come_back(server, tmp_path):
    samples = list(to_samples(generate_receipts(4, seed=5, language="en", strength=0.1)))
    get_format("sroie").write([(sample, lambda data=data: data) for sample, data in samples], tmp_path / "in")
    assert server.import_folder("docs", tmp_path / "in", scenario="ocr")["stored"] == 4
    before = server.get("/datasets/docs")["label_counts"]
    assert before["total"] == 4
    wanted = {"keys": {"TOTAL DUE": "sum"}, "additional": ["stamp"]}
    answer = server.http.put("/datasets/docs/dictionary", json=wanted)
    assert answer.json() == wanted
    assert server.post("/datasets/docs/labels/rename", {"label": "total", "to": "sum", "merge": True})["samples"] == 4
    assert server.get("/datasets/docs")["label_counts"] == {
        ("sum" if field == "total" else field): count for field, count in before.items()
    }
    job = exported(server, "docs", format="ti-ocr", folder=str(tmp_path / "out"))
    assert job["status"] == "ready"
    told = json.loads((tmp_path / "out" / "keys.json").read_text())
    assert told["keys"]["TOTAL DUE"] == "sum"
    assert told["additional"] == ["stamp"]
    label = {
        "FileName": "one.png",
        "OcrScene": "STRUCTURE",
        "OcrLabels": [
            box("TOTAL DUE", "k1", "", []) | {"Points": points(0, 0, 10, 10)},
            box("", "", "12.50", ["k1"]) | {"Points": points(12, 0, 30, 10)},
        ],
    }
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "one.png").write_bytes(picture(200))
    (tmp_path / "raw" / "one.png.json").write_text(json.dumps(label))
    assert server.import_folder("docs", tmp_path / "raw", scenario="ocr", format="ti-ocr")["stored"] == 1
    found = server.get("/datasets/docs/samples", q="one.png")["items"][0]
    assert found["labels"] == {"sum": 1}, "the dataset's dictionary names the printed key"
    assert server.import_folder("docs2", tmp_path / "out", scenario="ocr")["stored"] == 4
    assert server.get("/datasets/docs2/dictionary")["additional"] == ["stamp"]


def box(key, key_id, value, links):
    return {
        "FrameType": "FRAME_TYPE_RECTANGLE",
        "Key": key,
        "KeyId": key_id,
        "Value": value,
        "KeyIdsForValue": links,
        "Direction": "DIRECTION_HORIZONTAL",
    }


def points(x1, y1, x2, y2):
    return [{"X": x, "Y": y} for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))]
