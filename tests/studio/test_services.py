"""Services as a person changes them while they serve: a real server, real processes, real requests."""

import os
import signal

import pytest
from harness import processes_of, wait_for
from pictures import picture
from traffic import Traffic


def publish(server, name, **more):
    body = {"name": name, "task": "trained", "max_run_seconds": None, **more}
    server.post("/services", body, status=202)
    return server.wait_service(name, "running")


def predict(server, name, grey=40, **options):
    files = {"files": ("p.png", picture(grey, seed=1), "image/png")}
    return server.http.post(f"/services/{name}/predict", files=files, **options)


def settled(server, name, seconds=60):
    return wait_for(
        lambda: (state := server.get(f"/services/{name}")) and not state["updating"] and state,
        seconds=seconds,
        what=f"the end of the update of {name}",
    )


def add_version(server, name, **more):
    answer = server.http.post(f"/services/{name}/versions", json={"task": "trained", **more})
    assert answer.status_code == 202, answer.text
    return answer.json()


def instances_of(server):
    return [p for p in processes_of(server.home) if "sandglass.serving.instance" in p.cmdline()[1:3]]


def patch(server, name, **changes):
    answer = server.http.patch(f"/services/{name}", json=changes)
    assert answer.status_code == 202, answer.text
    return answer.json()


def codes(server, name):
    return {event["code"]: event for event in server.get(f"/services/{name}/events")["items"]}


def test_nothing_is_lost_while_versions_settings_and_weights_change_under_load(server):
    publish(server, "busy")
    before = {p.pid for p in instances_of(server)}
    with Traffic(server, "busy") as traffic:
        wait_for(lambda: traffic.count > 10, what="traffic")
        state = add_version(server, "busy", weight=50, threshold=0.1)
        assert [(v["number"], v["weight"]) for v in state["versions"]] == [(1, 50), (2, 50)]
        state = settled(server, "busy")
        assert [v["ready_count"] for v in state["versions"]] == [1, 1]
        server.http.put("/services/busy/weights", json={"weights": {"1": 0, "2": 100}})
        settled(server, "busy")
        assert patch(server, "busy", thresholds={"2": 0.2})["updating"]
        state = settled(server, "busy")
        assert [v["ready_count"] for v in state["versions"]] == [0, 1]
        count = traffic.count
        wait_for(lambda: traffic.count > count + 10, what="traffic after the update")
    assert traffic.problems == []
    assert not before & {p.pid for p in instances_of(server)}
    updates = server.get("/services/busy/updates")["items"]
    assert [update["action"] for update in updates] == ["settings", "weights", "version", "publish"]
    assert updates[0]["changes"] == [{"field": "versions.2.threshold", "before": 0.1, "after": 0.2}]
    assert {update["actor"] for update in updates} == {"admin"}

    # Back to one version, then to the state with two.
    removed = server.http.delete("/services/busy/versions/1")
    assert removed.status_code == 200, removed.text
    server.post("/services/busy/updates/2/rollback", status=202)
    state = settled(server, "busy")
    assert [(v["number"], v["weight"], v["threshold"]) for v in state["versions"]] == [(1, 50, None), (2, 50, 0.1)]
    assert server.get("/services/busy/updates")["items"][0]["action"] == "roll_back"
    assert predict(server, "busy").status_code == 200


def test_what_makes_no_sense_is_refused_and_changes_nothing(server):
    publish(server, "strict")
    revision = server.get("/services/strict")["revision"]
    path = "/services/strict"
    server.refused("PUT", f"{path}/weights", 422, "weights_wrong", {"weights": {"1": 90}})
    server.refused("PUT", f"{path}/weights", 422, "weights_wrong", {"weights": {"1": 90, "2": 10}})
    server.refused("DELETE", f"{path}/versions/1", 409, "version_has_traffic")
    server.refused("DELETE", f"{path}/versions/7", 404, "service_version_not_found")
    server.refused("POST", f"{path}/updates/99/rollback", 404, "update_not_found")
    server.refused("POST", f"{path}/versions", 404, "task_not_found", {"task": "nobody"})
    server.refused("POST", f"{path}/instances/in-x/restart", 404, "instance_not_found")
    server.refused("PATCH", path, 404, "spec_unknown", {"spec": "9Q"})
    server.refused("PATCH", path, 422, "invalid_request", {"scaling": {"mode": "schedule"}})
    server.refused("PATCH", path, 422, "invalid_request", {"limits": {"queue": -1}})
    server.refused("PATCH", path, 404, "dataset_not_found", {"keep": {"dataset": "nowhere"}})
    server.refused("GET", f"{path}/metrics?start=2026-01-01T00:00:00", 422, "range_invalid")
    server.refused("GET", f"{path}/logs?cursor=x", 422, "cursor_invalid")
    assert server.get(path)["revision"] == revision


def test_limits_hold_and_are_counted(server):
    publish(server, "narrow", limits={"rate_per_second": 0.1, "burst": 2, "max_request_mb": 1})
    assert predict(server, "narrow", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert predict(server, "narrow").json()["request_id"]
    limited = predict(server, "narrow", headers={"X-Request-Id": "bad id"})
    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(limited.headers["retry-after"]) <= 10
    assert limited.headers["x-request-id"] not in ("", "bad id")
    patch(server, "narrow", limits={"max_request_mb": 1, "max_picture_megapixels": 0.0001})
    large = predict(server, "narrow")
    assert (large.status_code, large.json()["code"]) == (413, "picture_too_large")
    heavy = server.http.post("/services/narrow/predict", files={"files": ("p.png", b"x" * 2**20, "image/png")})
    assert (heavy.status_code, heavy.json()["code"]) == (413, "request_too_large")
    url = {"images": [{"url": "http://127.0.0.1/x.png"}]}
    server.refused("POST", "/services/narrow/predict", 422, "url_not_allowed", url)
    text = server.http.get(f"{server.address}/metrics?service=narrow").text
    assert 'sandglass_calls_total{outcome="limited",service="narrow",version=""} 1.0' in text
    assert 'sandglass_calls_total{outcome="success",service="narrow",version="v1"} 2.0' in text
    targets = server.http.get(f"{server.address}/metrics/targets").json()
    assert [target["labels"]["__param_service"] for target in targets] == ["narrow"]

    points = wait_for(
        lambda: (
            (series := server.get("/services/narrow/metrics", range="1h")["series"][0])["total"]
            and series["total"]["calls"] >= 6
            and series
        ),
        what="the numbers being written",
    )
    total = points["total"]
    assert (total["success"], total["limited"], total["errors"]) == (2, 1, 0)
    assert total["calls"] == total["success"] + total["limited"] + total["invalid"]
    shown = wait_for(
        lambda: (one := server.get("/services/narrow")["instances"][0])["memory_mb"] and one, what="the memory in use"
    )
    assert 20 < shown["memory_mb"] < 2000


def test_a_killed_instance_costs_no_request_and_is_back_soon(server):
    publish(server, "pair", instances=2)
    with Traffic(server, "pair") as traffic:
        wait_for(lambda: traffic.count > 10, what="traffic")
        victim = instances_of(server)[0]
        victim.send_signal(signal.SIGKILL)
        wait_for(lambda: "instance_ended" in codes(server, "pair"), what="the end being noticed")
        count = traffic.count
        wait_for(lambda: traffic.count > count + 20, what="traffic after the kill")
        state = settled(server, "pair")
        assert state["ready_count"] == 2
    assert traffic.problems == []
    ended = codes(server, "pair")["instance_ended"]
    assert (ended["severity"], ended["count"]) == ("warning", 1)
    assert "137" in ended["message"]
    lines = server.get("/services/pair/logs", limit=10_000)["items"]
    assert {line["attempt"] for line in lines} == {1, 2}
    assert [line["at"] for line in lines if line["at"]] == sorted(line["at"] for line in lines if line["at"])
    found = server.get("/services/pair/logs", q="ready AT port", limit=2)
    assert len(found["items"]) == 2
    rest = server.get("/services/pair/logs", q="ready AT port", cursor=found["next"])
    assert len(rest["items"]) == 1
    assert rest["end"]
    text = server.http.get("/services/pair/logs/download").text
    assert text.count("Ready at port") == 3


def test_a_service_sleeps_when_idle_and_the_next_request_wakes_it(server):
    publish(server, "sleepy", scaling={"idle_seconds": 5})
    assert predict(server, "sleepy").status_code == 200
    server.wait_service("sleepy", "sleeping", seconds=40)
    wait_for(lambda: not instances_of(server), what="the end of all processes")
    answer = predict(server, "sleepy")
    assert answer.status_code == 200, answer.text
    assert server.get("/services/sleepy")["status"] == "running"
    assert codes(server, "sleepy")["scaled"]


def test_a_server_that_comes_back_finds_its_services_and_their_time(server):
    server.post("/services", {"name": "steady", "task": "trained", "max_run_seconds": 600}, status=202)
    before = server.wait_service("steady", "running")
    pids = {p.pid for p in instances_of(server)}
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.start()
    assert predict(server, "steady").status_code == 200
    after = server.get("/services/steady")
    assert after["expires_at"] == before["expires_at"]
    assert after["remaining_seconds"] < before["remaining_seconds"]
    assert {p.pid for p in instances_of(server)} == pids
    longer = server.post("/services/steady/extend", {"seconds": 3600})
    assert longer["remaining_seconds"] == pytest.approx(after["remaining_seconds"] + 3600, abs=5)
    assert server.post("/services/steady/extend", {"seconds": None})["remaining_seconds"] is None
    assert {p.pid for p in instances_of(server)} == pids


def test_callers_pictures_are_kept_with_the_answer_as_a_suggestion(server):
    keep = {"dataset": "grey", "share": 1.0, "most": 2, "days": 30}
    publish(server, "keeper", keep=keep)
    samples = server.get("/datasets/grey")["sample_count"]
    for seed in (91, 91, 92, 93):
        files = {"files": (f"{seed}.png", picture(200, seed=seed), "image/png")}
        assert server.http.post("/services/keeper/predict", files=files).status_code == 200
    wait_for(lambda: "kept_pictures_full" in codes(server, "keeper"), what="the limit being met")
    dataset = server.get("/datasets/grey")
    assert dataset["sample_count"] == samples + 2  # the same picture once, and no more than two
    assert dataset["states"]["pre_labelled"] == 2
    kept = server.get("/datasets/grey/samples", state="pre_labelled")["items"]
    first = server.get(f"/datasets/grey/samples/{kept[0]['id']}")
    assert first["annotation"]["labels"] == ["light"]
    assert all(sample["path"].startswith("keeper/") for sample in kept)
    patch(server, "keeper", keep=None)
    assert server.get("/services/keeper")["keep"] is None
