"""What the console's pages ask for beyond the flow itself: comparison, log search, one corrected picture."""

import json

import pytest
from harness import Server
from homes import copy_home, make_trained_home
from pictures import picture


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Task ``trained`` twice over: version 2 learnt nothing but one class, so that it errs."""
    home = copy_home(make_trained_home(tmp_path_factory.mktemp("trained")), tmp_path_factory.mktemp("pages"))
    server = Server(home).start()
    body = {
        "scenario": "brightness",
        "train": ["grey"],
        "new_version_of": "trained",
        "parameters": {"pieces": 1},
        "seed": 0,
    }
    run = server.post("/tasks", body, status=202)["run"]["id"]
    assert server.wait_run(run)["status"] == "succeeded"
    evaluation = server.get("/tasks/trained/versions/2")["evaluation_run"]
    assert server.wait_run(evaluation["id"])["status"] == "succeeded"
    yield server
    server.stop()


def evaluation_of(server, version):
    return server.get(f"/tasks/trained/versions/{version}/evaluations")["items"][0]["evaluation"]


def test_two_versions_are_compared_on_the_same_pictures(pages):
    here, there = evaluation_of(pages, 2), evaluation_of(pages, 1)
    found = pages.get(f"/evaluations/{here}/comparison", other=there, threshold=0.5)
    assert (found["other_task"], found["other_version"]) == ("trained", 1)
    assert found["sample_count"] == pages.get(f"/evaluations/{here}")["sample_count"]
    samples = found["samples"]
    assert samples["both_right"] + samples["fixed"] + samples["broken"] + samples["both_wrong"] == found["sample_count"]
    assert samples["p"] == 1.0  # the same class means: nothing differs
    assert {item["label"] for item in found["labels"]} == {"dark", "light"}
    pages.refused("GET", f"/evaluations/{here}/comparison?other=ev-none", 404, "evaluation_not_found")


def test_a_case_says_where_its_picture_can_be_corrected(pages):
    case = pages.get(f"/evaluations/{evaluation_of(pages, 1)}/samples", limit=1)["items"][0]
    origin = case["origin"]
    sample = pages.get(f"/datasets/{origin['dataset']}/samples/{origin['sample']}")
    assert (origin["dataset"], sample["digest"]) == ("grey", case["digest"])


def test_lines_of_a_log_keep_their_number_under_a_search(pages):
    run = pages.get("/tasks/trained/versions/1")["training_run"]["id"]
    whole = pages.get(f"/runs/{run}/logs", limit=10_000)
    assert [line["number"] for line in whole["items"]] == list(range(len(whole["items"])))
    word = whole["items"][-1]["message"].split()[0]
    hits = pages.get(f"/runs/{run}/logs", q=word)["items"]
    assert hits
    assert all(whole["items"][hit["number"]] == hit for hit in hits)
    first = pages.get(f"/runs/{run}/logs", limit=1)
    second = pages.get(f"/runs/{run}/logs", limit=1, cursor=first["next"])
    assert second["items"][0]["number"] == 1
    assert pages.get(f"/runs/{run}/logs", tail=2)["items"] == whole["items"][-2:]
    text = pages.http.get(f"/runs/{run}/logs/file")
    assert text.headers["content-disposition"].endswith('.log"')
    assert len(text.text.splitlines()) >= len(whole["items"])


def add(server, data, name="new.png", **fields):
    return server.http.post("/datasets/grey/samples", files={"file": (name, data)}, data=fields)


def test_one_corrected_picture_goes_into_a_draft(pages):
    before = pages.get("/datasets/grey")
    labels = {"kind": "classes", "labels": ["dark"]}
    data = picture(90, seed=777)
    added = add(pages, data, annotation=json.dumps(labels), part="train")
    assert added.status_code == 201, added.text
    sample = added.json()
    assert (sample["state"], sample["labels"], sample["part"]) == ("labelled", {"dark": 1}, "train")
    assert sample["annotation"] == labels
    after = pages.get("/datasets/grey")
    assert after["sample_count"] == before["sample_count"] + 1
    assert after["changed"]
    assert after["label_counts"]["dark"] == before["label_counts"]["dark"] + 1
    again = add(pages, data).json()
    assert (again["code"], again["details"]["sample"]) == ("picture_exists", sample["id"])
    other = add(pages, picture(91, seed=778)).json()
    assert (other["path"], other["state"]) == ("new-2.png", "unlabelled")


@pytest.mark.parametrize(
    ("name", "data", "fields", "code"),
    [
        ("new.png", b"no picture", {}, "picture_unreadable"),
        ("new.exe", picture(1), {}, "path_invalid"),
        ("new.png", picture(2), {"annotation": "{"}, "invalid_request"),
        ("new.png", picture(3), {"annotation": '{"kind": "objects", "objects": []}'}, "annotation_differs"),
        ("new.png", picture(4), {"part": "none"}, "invalid_request"),
        ("new.png", picture(5), {"path": "../new.png"}, "path_invalid"),
    ],
)
def test_what_cannot_be_added_says_why_and_changes_nothing(pages, name, data, fields, code):
    before = pages.get("/datasets/grey")["revision"]
    answer = add(pages, data, name, **fields)
    assert answer.status_code == 422
    assert answer.json()["code"] == code
    assert pages.get("/datasets/grey")["revision"] == before
