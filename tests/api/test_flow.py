"""The whole way over HTTP: import, task, training, evaluation by itself, publish, predict, stop."""

import json

from harness import processes_of, wait_for
from pictures import class_folder, picture


def test_from_a_folder_to_an_answer_and_back(server, tmp_path):
    test_set = class_folder(tmp_path / "test", 6, seed=7)
    assert server.import_folder("grey-test", test_set)["status"] == "done"
    created = server.create_task("flow", "grey", test=["grey-test"], max_seconds=60)
    assert created["version"]["number"] == 1
    run = server.wait_run(created["run"]["id"])
    assert (run["status"], run["reason"]) == ("succeeded", "completed"), run
    assert run["best_score"] == 1.0
    assert run["progress"] == 1.0
    assert [stage["name"] for stage in run["stages"]][:2] == ["check", "prepare"]

    # Evaluation follows by itself: whoever has seen the end of the training sees its evaluation at once.
    version = server.get("/tasks/flow/versions/1")
    evaluation_run = server.wait_run(version["evaluation_run"]["id"])
    assert evaluation_run["status"] == "succeeded", evaluation_run
    listed = server.get("/tasks/flow/versions/1/evaluations")
    assert listed["total"] == 1
    assert listed["items"][0]["test"] == ["grey-test@v1"]
    evaluation = listed["items"][0]["evaluation"]
    summary = server.get(f"/evaluations/{evaluation}/summary", threshold=0.5)
    assert summary["overall"]["f1"] == 1.0
    assert {label["label"]: label["support"] for label in summary["labels"]} == {"dark": 6, "light": 6}
    whole = server.get(f"/evaluations/{evaluation}")
    assert len(whole["results"]["thresholds"]) == 19
    samples = server.get(f"/evaluations/{evaluation}/samples", limit=5)
    assert (len(samples["items"]), samples["total"], samples["next"]) == (5, 12, "5")
    shown = server.http.get(f"/evaluations/{evaluation}/samples/0/picture")
    assert shown.headers["content-type"] == "image/png"
    assert shown.content == (test_set / samples["items"][0]["path"]).read_bytes()

    service = server.post("/services", {"name": "grey-service", "task": "flow", "max_run_seconds": 600}, status=202)
    assert service["status"] == "creating"
    state = server.wait_service("grey-service", "running")
    assert state["ready_count"] == 1
    assert 0 < state["remaining_seconds"] <= 600
    answer = server.http.post(
        "/services/grey-service/predict", files=[("files", ("night.png", picture(30), "image/png"))]
    ).json()
    assert answer["results"][0]["file"] == "night.png"
    assert answer["results"][0]["labels"][0]["label"] == "dark"
    assert server.get("/tasks/flow")["stage"] == "service"
    server.refused("DELETE", "/tasks/flow", 409, "task_in_use")
    server.refused("DELETE", "/datasets/grey", 409, "dataset_in_use")
    server.refused("DELETE", "/services/grey-service", 409, "service_running")

    assert server.post("/services/grey-service/stop", status=202)["status"] == "stopping"
    ended = server.wait_service("grey-service", "stopped")
    assert ended["reason"] == "stopped_by_person"
    wait_for(lambda: not processes_with(server, "sandglass.serving.instance"), what="the end of the instance")
    server.refused(
        "POST",
        "/services/grey-service/predict",
        409,
        "service_not_running",
        files=[("files", ("a.png", picture(30), "image/png"))],
    )
    again = server.post("/services/grey-service/start", status=202)
    assert again["status"] == "starting"
    server.wait_service("grey-service", "running")
    server.post("/services/grey-service/stop", status=202)
    server.wait_service("grey-service", "stopped")
    server.http.delete("/services/grey-service").raise_for_status()
    server.http.delete("/tasks/flow").raise_for_status()
    server.refused("GET", "/tasks/flow", 404, "task_not_found")


def processes_with(server, word):
    return [process for process in processes_of(server.home) if word in " ".join(process.cmdline())]


def test_events_are_streamed_and_taken_up_again_after_the_last_one_seen(server):
    created = server.create_task("events", "grey", parameters={"pieces": 6, "pause": 0.2})
    run = created["run"]["id"]
    first = read_events(server, run, until=lambda event: event["event"] == "metric")
    last = max(int(event["id"]) for event in first if "id" in event)
    rest = read_events(server, run, until=lambda event: event["event"] == "end", last=last)
    ids = [int(event["id"]) for event in [*first, *rest] if "id" in event]
    assert ids == sorted(set(ids)), "no event is missing or told twice"
    whole = read_events(server, run, until=lambda event: event["event"] == "end")
    assert [int(event["id"]) for event in whole if "id" in event] == ids
    kinds = [event["event"] for event in whole]
    assert kinds.index("work") < kinds.index("stage") < kinds.index("candidate") < kinds.index("evaluation")
    final = [json.loads(event["data"]) for event in whole if event["event"] == "run"][-1]
    assert final["status"] == "succeeded"
    seen_all = server.http.get(f"/runs/{run}/events", headers={"Last-Event-ID": str(ids[-1])})
    assert seen_all.status_code == 204
    curves = server.get(f"/runs/{run}/metrics")["curves"]
    assert [point["value"] for point in curves["loss"]] == [1 / n for n in range(1, 7)]


def read_events(server, run, *, until, last=None):
    events, event = [], {}
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with server.http.stream("GET", f"/runs/{run}/events", headers=headers, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            name, separator, value = line.partition(": ")
            if separator and name:
                event[name] = value
            elif not line and event:
                if "event" in event:
                    events.append(event)
                    if until(event):
                        return events
                event = {}
    raise AssertionError("the stream ended early")


def test_logs_are_paged_searched_and_filtered(server):
    created = server.create_task("logs", "grey")
    run = created["run"]["id"]
    server.wait_run(run)
    whole = server.get(f"/runs/{run}/logs")
    assert whole["end"]
    assert any(line["message"] == "Stage: check" for line in whole["items"])
    paged, cursor = [], None
    while True:
        page = server.get(f"/runs/{run}/logs", limit=2, **({"cursor": cursor} if cursor else {}))
        paged += page["items"]
        cursor = page["next"]
        if not page["items"]:
            break
    assert paged == whole["items"]
    found = server.get(f"/runs/{run}/logs", q="STAGE: prep")
    assert [line["message"] for line in found["items"]] == ["Stage: prepare"]
    assert not server.get(f"/runs/{run}/logs", level="error")["items"]
    followed = server.http.get(f"/runs/{run}/logs", params={"follow": True}).text
    assert followed.count("event: log") == len(whole["items"])
    assert followed.rstrip().endswith('data: {"run": "' + run + '"}')
