"""Example data: a dataset and a task in one request, for whoever has no pictures yet."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import Server


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("examples") / "home").start()
    yield server
    server.stop()


def test_one_request_makes_a_dataset_and_starts_a_task(empty):
    with ThreadPoolExecutor(2) as pool:  # two people click at once
        made = list(pool.map(lambda _: empty.post("/examples/brightness/grey", status=202), range(2)))
    assert sorted(item["task"] for item in made) == ["example-grey", "example-grey-2"]
    dataset = empty.get("/datasets/example-grey")
    assert dataset["sample_count"] == dataset["labelled_count"] == 12
    assert dataset["parts"] == {"train": 8, "test": 4}
    run = empty.wait_run(made[0]["run"]["id"])
    assert run["status"] == "succeeded"
    assert run["max_seconds"] == 60
    evaluation = empty.get(f"/tasks/{made[0]['task']}/versions/1")["evaluation_run"]
    assert empty.wait_run(evaluation["id"])["status"] == "succeeded"
    measured = empty.get("/tasks/example-grey/versions/1/evaluations")["items"][0]
    assert measured["sample_count"] == 4  # the marks of the example decide what is measured on


def test_the_catalogue_says_what_can_be_tried_and_shows_a_picture(empty):
    presets = {item["id"]: item["presets"] for item in empty.get("/scenarios")["items"]}
    assert presets["brightness"][0]["example"] == "12 grey pictures"
    assert presets["ocr"][0]["example"]
    picture = empty.http.get("/examples/brightness/grey/picture")
    assert picture.headers["content-type"] == "image/jpeg"
    again = empty.http.get("/examples/brightness/grey/picture", headers={"If-None-Match": picture.headers["etag"]})
    assert again.status_code == 304


def test_what_cannot_be_tried_says_so(empty):
    empty.refused("POST", "/examples/nothing/grey", 404, "scenario_unknown")
    empty.refused("POST", "/examples/brightness/nothing", 404, "preset_unknown")
    empty.refused("POST", "/examples/brightness/plain", 404, "no_example")


def test_a_form_is_drawn_in_the_language_of_the_person(empty):
    def ocr(language):
        answer = empty.http.get("/scenarios", headers={"Accept-Language": language}).json()
        return next(item for item in answer["items"] if item["id"] == "ocr")["parameters"]["properties"]

    assert ocr("zh-CN")["use"]["title"] == "使用场景"
    assert ocr("zh-CN")["use"]["x-names"]["handwriting"] == "手写体"
    assert ocr("en")["use"]["title"] == "Use"
    assert all("x-zh" not in told for told in (*ocr("en").values(), *ocr("zh-CN").values()))


def test_tags_of_tasks_are_listed_for_the_filter(empty):
    assert {"tag": "example", "tasks": 2} in empty.get("/tasks/tags")["items"]
    empty.refused(
        "POST", "/tasks", 409, "task_name_taken", {"name": "tags", "scenario": "brightness", "train": ["example-grey"]}
    )
