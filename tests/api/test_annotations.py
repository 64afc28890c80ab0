"""Edits of annotations over HTTP: two writers, repeated requests, bad input, history, neighbours."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from labelled_pictures import document_folder, objects_folder
from pictures import class_folder


@pytest.fixture(scope="module")
def pages(server, tmp_path_factory):
    """Dataset ``pages`` of three unlabelled documents and one that is labelled."""
    folder = document_folder(tmp_path_factory.mktemp("pages"))
    assert server.import_folder("pages", folder, scenario="ocr")["status"] == "done"
    return server.get("/datasets/pages/samples")["items"]


@pytest.fixture(scope="module")
def cups(server, tmp_path_factory):
    folder = objects_folder(tmp_path_factory.mktemp("cups"))
    assert server.import_folder("cups", folder, scenario="detection")["status"] == "done"
    return server.get("/datasets/cups/samples")["items"]


def read(server, dataset, sample):
    answer = server.http.get(f"/datasets/{dataset}/samples/{sample['id']}/annotation")
    assert answer.is_success, answer.text
    return answer.json(), answer.headers["etag"]


def change(server, dataset, sample, tag, *operations, writer="one", **more):
    body = {"operations": [{"id": str(uuid4()), **operation} for operation in operations], "writer": writer, **more}
    return server.http.patch(
        f"/datasets/{dataset}/samples/{sample['id']}/annotation", json=body, headers={"If-Match": tag} if tag else {}
    )


def text_box(name, left, top, text="", **more):
    corners = [[left, top], [left + 60, top], [left + 60, top + 20], [left, top + 20]]
    return {"id": name, "polygon": corners, "text": text, **more}


def test_edits_are_stored_one_by_one_and_done_makes_them_truth(server, pages):
    sample = pages[0]
    view, tag = read(server, "pages", sample)
    assert (view["state"], view["annotation"]) == ("unlabelled", None)
    key, value = text_box("k", 10, 10, "Total", role="key"), text_box("v", 90, 10, "12.50", role="value", key_ids=["k"])
    answer = change(server, "pages", sample, tag, {"boxes": {"k": key}}, {"boxes": {"v": value}})
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] != tag
    before = server.get("/datasets/pages")["labelled_count"]
    answer = change(
        server, "pages", sample, answer.headers["etag"],
        {"values": {"total": [{"field": "total", "text": "12.50", "box_ids": ["v"]}]}, "state": "labelled"},
        create=["total"],
    )  # fmt: skip
    view = answer.json()
    assert view["state"] == "labelled"
    assert view["labels"] == {"total": 1}
    assert [box["id"] for box in view["annotation"]["boxes"]] == ["k", "v"]
    assert server.get("/datasets/pages")["labelled_count"] == before + 1
    # What is labelled goes into a version, what is only begun does not.
    change(server, "pages", pages[1], "*", {"boxes": {"a": text_box("a", 5, 5, "begun")}})
    version = server.post("/datasets/pages/versions")
    assert (version["labelled_count"], version["label_counts"]) == (2, {"total": 2})


def test_the_second_of_two_writers_gets_the_present_state_and_nothing_is_lost(server, pages):
    sample = pages[2]
    _, tag = read(server, "pages", sample)
    first = change(server, "pages", sample, tag, {"boxes": {"a": text_box("a", 5, 5, "one")}}, writer="one")
    refused = change(server, "pages", sample, tag, {"boxes": {"b": text_box("b", 50, 50, "two")}}, writer="two")
    assert refused.status_code == 412
    problem = refused.json()
    assert problem["code"] == "sample_changed"
    assert [box["text"] for box in problem["current"]["annotation"]["boxes"]][2:] == ["one"]
    assert refused.headers["etag"] == first.headers["etag"]
    merged = change(
        server, "pages", sample, refused.headers["etag"], {"boxes": {"b": text_box("b", 50, 50, "two")}}, writer="two"
    )
    assert [box["text"] for box in merged.json()["annotation"]["boxes"]][2:] == ["one", "two"]
    history = server.get(f"/datasets/pages/samples/{sample['id']}/history")["items"]
    assert history[0]["source"] == "person:one"
    assert [box["text"] for box in history[0]["annotation"]["boxes"]] == ["total", "22.50", "one"]
    assert [(item["source"], len(item["annotation"]["boxes"])) for item in history[1:]] == [("import", 2)]


def test_many_writers_at_once_lose_no_edit(server, pages):
    sample = pages[3]

    def write(number):
        while True:
            _, tag = read(server, "pages", sample)
            box = text_box(f"n{number}", 3 * number, 100, str(number))
            if change(server, "pages", sample, tag, {"boxes": {box["id"]: box}}, writer=f"w{number}").is_success:
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(12)))
    view, _ = read(server, "pages", sample)
    assert sorted(box["text"] for box in view["annotation"]["boxes"] if box["id"].startswith("n")) == sorted(
        map(str, range(12))
    )


def test_an_edit_that_is_sent_again_changes_nothing(server, pages):
    sample = pages[1]
    _, tag = read(server, "pages", sample)
    body = {"operations": [{"id": str(uuid4()), "boxes": {"r": text_box("r", 7, 70, "once")}}], "writer": "one"}
    path = f"/datasets/pages/samples/{sample['id']}/annotation"
    first = server.http.patch(path, json=body, headers={"If-Match": tag})
    again = server.http.patch(path, json=body, headers={"If-Match": tag})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    # A batch that is known in part is refused as a whole, and says which part is known.
    body["operations"].append({"id": str(uuid4()), "boxes": {"r": None}})
    partly = server.http.patch(path, json=body, headers={"If-Match": tag})
    assert partly.status_code == 412
    assert partly.json()["applied"] == [body["operations"][0]["id"]]
    elsewhere = server.http.patch(
        f"/datasets/pages/samples/{pages[0]['id']}/annotation", json=body, headers={"If-Match": "*"}
    )
    assert elsewhere.json()["code"] == "operation_id_reused"
    key = str(uuid4())
    whole = {"annotation": {"kind": "document", "boxes": [text_box("w", 1, 1, "whole")]}, "state": "unlabelled"}
    put = server.http.put(path, json=whole, headers={"If-Match": "*", "Idempotency-Key": key})
    repeated = server.http.put(path, json=whole, headers={"If-Match": tag, "Idempotency-Key": key})
    assert repeated.json() == put.json()
    assert put.json()["state"] == "unlabelled"


@pytest.mark.parametrize(
    ("operation", "code", "field"),
    [
        ({"boxes": {"x": {**text_box("x", 0, 0), "polygon": [[0, 0], [5, 0], [5, 5]]}}}, "polygon_too_short", "boxes.x"),
        ({"boxes": {"x": text_box("x", 5000, 5000)}}, "box_empty", "boxes.x"),
        ({"boxes": {"x": text_box("y", 5, 5)}}, "box_id_differs", "boxes.x"),
        ({"boxes": {"x": text_box("x", 5, 5, role="value", key_ids=["gone"])}}, "link_target_missing", "boxes.x"),
        ({"boxes": {"x": text_box("x", 5, 5, role="value", key_ids=["x"])}}, "link_target_not_key", "boxes.x"),
        ({"boxes": {"x": text_box("x", 5, 5, role="key", field="nobody")}}, "label_unknown", "boxes.x"),
        ({"boxes": {"x": text_box("x", 5, 5, "t" * 10_001)}}, "text_too_long", "boxes.x"),
        ({"values": {"total": [{"field": "total", "text": "1", "box_ids": ["gone"]}]}}, "value_box_missing", "values.total"),
        ({"absent": ["total"], "values": {"total": [{"field": "total", "text": "1"}]}}, "absent_but_valued", "absent"),
        ({"labels": ["cat"]}, "annotation_kind_wrong", "labels"),
        ({"boxes": {"x": {"id": "x"}}}, "invalid_request", "operations.0.boxes.x.polygon"),
    ],
)  # fmt: skip
def test_a_wrong_edit_names_the_box_and_changes_nothing(server, pages, operation, code, field):
    before = read(server, "pages", pages[0])
    answer = change(server, "pages", pages[0], "*", operation)
    assert answer.status_code == 422, answer.text
    assert (answer.json()["code"], answer.json().get("field")) == (code, field)
    assert read(server, "pages", pages[0]) == before


def test_numbers_that_are_none_and_missing_revisions_are_refused(server, pages):
    path = f"/datasets/pages/samples/{pages[0]['id']}/annotation"
    raw = json.dumps({"operations": [{"id": str(uuid4()), "boxes": {"x": text_box("x", float("nan"), 5)}}]})
    answer = server.http.patch(path, content=raw, headers={"If-Match": "*", "Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] in ("coordinate_invalid", "invalid_request")
    assert change(server, "pages", pages[0], None, {"state": "labelled"}).json()["code"] == "if_match_invalid"
    assert change(server, "pages", pages[0], '"x"', {"state": "labelled"}).json()["code"] == "if_match_invalid"
    server.refused("GET", "/datasets/pages/samples/nothing/annotation", 404, "sample_not_found")


def test_coordinates_are_clamped_to_the_picture(server, cups):
    sample = cups[0]
    answer = change(
        server, "cups", sample, "*",
        {"objects": {"new": {"id": "new", "label": "cup", "box": [-20, -5, 50, 9999]}}},
    )  # fmt: skip
    view = answer.json()
    new = next(shape for shape in view["annotation"]["objects"] if shape["id"] == "new")
    assert new["box"] == [0, 0, 50, sample["height"]]


def test_objects_of_an_import_get_ids_and_can_be_edited(server, cups):
    sample = cups[1]
    view, tag = read(server, "cups", sample)
    [old] = view["annotation"]["objects"]
    assert old["id"]
    answer = change(server, "cups", sample, tag, {"objects": {old["id"]: {**old, "box": [1, 1, 20, 20]}}})
    assert [shape["box"] for shape in answer.json()["annotation"]["objects"]] == [[1, 1, 20, 20]]
    nothing = change(server, "cups", sample, "*", {"objects": {old["id"]: None}, "state": "labelled"})
    assert nothing.json()["annotation"]["objects"] == []
    assert nothing.json()["state"] == "labelled"


def test_classes_are_labelled_and_marked(server, tmp_path):
    server.import_folder("marked", class_folder(tmp_path / "marked", 2), scenario="classification")
    sample = server.get("/datasets/marked/samples")["items"][0]
    answer = change(server, "marked", sample, "*", {"labels": ["light", "light"], "state": "labelled", "part": "test"})
    assert answer.json()["annotation"]["labels"] == ["light"]
    assert answer.json()["part"] == "test"
    unknown = change(server, "marked", sample, "*", {"labels": ["grey"]})
    assert unknown.json()["code"] == "label_unknown"
    assert change(server, "marked", sample, "*", {"labels": ["grey"]}, create=["grey"]).status_code == 200
    assert server.get("/datasets/marked")["label_counts"] == {"dark": 1, "grey": 1, "light": 2}
    again = change(server, "marked", sample, "*", {"part": "none", "state": "unlabelled"})
    assert (again.json()["part"], again.json()["state"]) == (None, "unlabelled")


def test_neighbours_follow_the_filter(server, tmp_path):
    server.import_folder("row", class_folder(tmp_path / "row", 5), scenario="classification")
    samples = server.get("/datasets/row/samples")["items"]
    middle = server.get("/datasets/row/neighbours", sample=samples[4]["id"], around=2)
    assert (middle["position"], middle["total"], middle["fits"]) == (5, 10, True)
    assert [item["path"] for item in middle["before"]] == [sample["path"] for sample in samples[2:4]]
    assert [item["path"] for item in middle["after"]] == [sample["path"] for sample in samples[5:7]]
    light = server.get("/datasets/row/neighbours", sample=samples[4]["id"], label="light")
    assert (light["position"], light["total"], light["fits"], light["before"]) == (1, 5, False, [])
    assert light["after"][0]["path"] == "light/0000.png"
    assert (light["labelled"], light["samples"]) == (10, 10)
    start = server.get("/datasets/row/neighbours", state="unlabelled")
    assert (start["position"], start["total"], start["after"]) == (0, 0, [])
    server.refused("GET", "/datasets/row/neighbours?sample=none", 404, "sample_not_found")
