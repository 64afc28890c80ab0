"""Stop, restart, more time, a time limit, new versions: what a person does with a training."""

import pytest
from harness import wait_for


@pytest.fixture(autouse=True)
def alone(server):
    """Nothing else runs, before and after."""
    wait_for(lambda: not server.get("/activity")["runs"], what="the end of other runs")
    yield
    for run in server.get("/activity")["runs"]:
        server.http.post(f"/runs/{run['id']}/stop")


def first_model(server, run):
    return wait_for(
        lambda: (state := server.get(f"/runs/{run}"))["best_score"] is not None and state, what="a first model"
    )


def test_stop_keeps_the_best_model_and_evaluation_follows(server):
    created = server.create_task("stopped", "grey", parameters={"pieces": 500, "pause": 0.2})
    run = created["run"]["id"]
    running = first_model(server, run)
    assert running["status"] == "running"
    assert running["left_seconds"] < 3600
    activity = server.get("/activity")
    assert run in [item["id"] for item in activity["runs"]]
    server.refused("DELETE", "/tasks/stopped", 409, "task_running")
    asked = server.post("/tasks/stopped/versions/1/stop", status=202)
    assert asked["status"] == "stopping"
    ended = server.wait_run(run)
    assert (ended["status"], ended["reason"]) == ("stopped", "stopped_by_person")
    assert ended["model_id"] is not None
    evaluation = server.get("/tasks/stopped/versions/1")["evaluation_run"]
    assert server.wait_run(evaluation["id"])["status"] == "succeeded"


def test_stop_without_evaluation_then_restart_goes_on_from_the_checkpoint(server):
    run = server.create_task("again", "grey", parameters={"pieces": 12, "pause": 0.2})["run"]["id"]
    first_model(server, run)
    server.post("/tasks/again/versions/1/stop", {"evaluate": False}, status=202)
    stopped = server.wait_run(run)
    assert stopped["status"] == "stopped"
    assert server.get("/tasks/again/versions/1")["evaluation_run"] is None
    server.post("/tasks/again/versions/1/restart", status=202)
    ended = server.wait_run(run)
    assert (ended["status"], ended["attempt"]) == ("succeeded", 2)
    assert ended["used_seconds"] > stopped["used_seconds"]
    assert server.get("/tasks/again/versions/1")["evaluation_run"] is not None
    losses = [point["value"] for point in server.get(f"/runs/{run}/metrics")["curves"]["loss"]]
    assert losses[-1] == 1 / 12
    assert losses == sorted(losses, reverse=True), "what was learnt before the stop is not learnt again"


def test_the_time_limit_keeps_the_model_and_more_time_goes_on(server):
    created = server.create_task("limited", "grey", parameters={"pieces": 400, "pause": 0.2}, max_seconds=6)
    run = created["run"]["id"]
    ended = server.wait_run(run, seconds=40)
    assert (ended["status"], ended["reason"]) == ("succeeded", "time_limit")
    assert ended["used_seconds"] < 6 + 5
    assert ended["model_id"] is not None
    server.refused("POST", "/tasks/limited/versions/1/restart", 409, "run_not_restartable")
    longer = server.post("/tasks/limited/versions/1/add-time", {"seconds": 600}, status=202)
    assert longer["max_seconds"] == 606
    server.wait_run(run, "running")
    server.post("/tasks/limited/versions/1/stop", {"evaluate": False}, status=202)
    assert server.wait_run(run)["status"] == "stopped"


def test_a_queued_run_says_what_is_ahead_and_can_be_stopped(server):
    first = server.create_task("queue-1", "grey", parameters={"pieces": 500, "pause": 0.2}, spec="2C4G")["run"]["id"]
    server.wait_run(first, "running", "starting")
    second = server.create_task("queue-2", "grey", spec="2C4G")["run"]["id"]
    third = server.create_task("queue-3", "grey", spec="2C4G")["run"]["id"]
    server.wait_run(second, "queued")
    assert server.wait_run(third, "queued")["ahead"] == 1
    # A service does not wait behind trainings.
    server.post("/services", {"name": "beside", "task": "trained"}, status=202)
    server.wait_service("beside", "running")
    assert server.get(f"/runs/{second}")["status"] == "queued"
    server.post("/services/beside/stop", status=202)
    server.wait_service("beside", "stopped")
    server.http.delete("/services/beside").raise_for_status()
    server.post("/tasks/queue-2/versions/1/stop", status=202)
    ended = server.wait_run(second)
    assert (ended["status"], ended["model_id"]) == ("stopped", None)
    server.post("/tasks/queue-1/versions/1/stop", {"evaluate": False}, status=202)
    assert server.wait_run(third, seconds=90)["status"] == "succeeded"


def test_a_new_version_keeps_the_name_and_counts_up(server):
    body = {"scenario": "brightness", "train": ["grey@v1"], "new_version_of": "trained", "labels": ["dark"]}
    created = server.post("/tasks", body, status=202)
    assert (created["task"], created["version"]["number"]) == ("trained", 2)
    server.wait_run(created["run"]["id"])
    version = server.get("/tasks/trained/versions/2")
    assert version["datasets"]["train"] == ["grey@v1"]
    assert version["settings"]["labels"] == ["dark"]
    view = server.get("/tasks/trained")
    assert [line["number"] for line in view["versions"]] == [1, 2]


def test_an_evaluation_on_other_data_and_its_badcases(server, tmp_path):
    from pictures import class_folder

    # Grey 140 lies nearer to the light pictures: every one of these dark labels is a badcase.
    wrong = class_folder(tmp_path / "wrong", 4, seed=3, classes=(("dark", 140), ("light", 215)))
    server.import_folder("wrong", wrong)
    run = server.post("/tasks/trained/versions/1/evaluations", {"test": ["wrong"]}, status=202)
    assert server.wait_run(run["id"])["status"] == "succeeded"
    newest = server.get("/tasks/trained/versions/1/evaluations")["items"][0]
    assert newest["test"] == ["wrong@v1"]
    evaluation = newest["evaluation"]
    page = server.get(f"/evaluations/{evaluation}/badcases", threshold=0.5, limit=3)
    assert (page["total"], len(page["items"]), page["causes"]) == (4, 3, {"wrong_label": 4})
    assert {case["path"].split("/")[0] for case in page["items"]} == {"dark"}
    assert page["items"][0]["matches"][0] | {"score": 0} == {
        "truth": "dark", "predicted": "light", "score": 0, "exact": False, "right": False, "truth_text": None,
        "predicted_text": None, "truth_polygons": [], "predicted_polygons": [], "cause": "wrong_label",
    }  # fmt: skip
    assert server.get(f"/evaluations/{evaluation}/badcases", truth="light")["total"] == 0
    assert server.get(f"/evaluations/{evaluation}/badcases", cause="missing")["total"] == 0
    summary = server.get(f"/evaluations/{evaluation}/summary")
    assert summary["badcase_count"] == 4
    assert summary["overall"]["recall"] == 0.5
