"""Pre-label runs: what they write, what they leave alone, and what is left after a stop and a kill."""

import signal

import pytest
from harness import wait_for
from test_crash import worker_of

SAMPLES = 24


@pytest.fixture
def cleared(server):
    """The dataset ``grey`` with 22 pictures of which nothing is known, one labelled and one begun by a person."""
    samples = server.get("/datasets/grey/samples")["items"]
    for sample in samples[2:]:
        put(server, sample, {"annotation": None})
    put(
        server,
        samples[1],
        {"annotation": {"kind": "classes", "labels": ["light"]}, "state": "unlabelled", "create": ["light"]},
    )
    return server.get("/datasets/grey/samples", annotations=True)["items"]


def put(server, sample, body):
    path = f"/datasets/grey/samples/{sample['id']}/annotation"
    answer = server.http.put(path, json=body, headers={"If-Match": "*"})
    assert answer.is_success, answer.text


def slow(server, seconds):
    """Make the trained model take its time for every picture."""
    model = server.get("/tasks/trained/versions/1")["model_id"]
    (server.home / "models" / model / "pause.txt").write_text(str(seconds))


def by_state(server, state, **more):
    return server.get("/datasets/grey/samples", state=state, annotations=True, **more)["items"]


def test_what_nobody_touched_is_suggested_with_a_doubt(server, cleared):
    run = server.post("/datasets/grey/prelabel", {"task": "trained"}, status=202)
    assert (run["kind"], run["dataset"], run["task"]) == ("prelabel", "grey", None)
    assert run["id"] in [item["id"] for item in server.get("/activity")["runs"]] + [run["id"]]
    ended = server.wait_run(run["id"])
    assert (ended["status"], ended["reason"], ended["progress"]) == ("succeeded", "completed", 1.0)
    assert [stage["name"] for stage in ended["stages"]] == ["load", "predict"]
    assert server.get("/datasets/grey")["states"] == {"labelled": 1, "unlabelled": 1, "pre_labelled": 22}
    assert server.get("/datasets/grey")["label_counts"] == {"dark": 1}
    for sample in by_state(server, "pre_labelled"):
        label = sample["path"].split("/")[0]
        assert sample["annotation"]["labels"] == [label]
        assert sample["suggested"][label]["score"] > 0.5
        assert 0 <= sample["doubt"] < 0.5
    doubts = [sample["doubt"] for sample in server.get("/datasets/grey/samples", sort="doubt", limit=500)["items"]]
    assert doubts[:22] == sorted(doubts[:22], reverse=True)
    assert doubts[22:] == [None, None]
    paged, cursor = [], None
    while True:
        page = server.get("/datasets/grey/samples", sort="doubt", limit=5, **({"cursor": cursor} if cursor else {}))
        paged += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    whole = [item["id"] for item in server.get("/datasets/grey/samples", sort="doubt", limit=500)["items"]]
    assert paged == whole
    place = server.get("/datasets/grey/neighbours", sort="doubt", sample=whole[7])
    assert (place["position"], place["after"][0]["id"], place["before"][-1]["id"]) == (8, whole[8], whole[6])
    # No suggestion is truth: it is neither published nor exported until a person has confirmed it.
    assert server.post("/datasets/grey/versions")["labelled_count"] == 1
    assert "22 of 22" in server.get(f"/runs/{run['id']}/logs", q="were pre-labelled")["items"][0]["message"]
    assert [item["id"] for item in server.get("/datasets/grey/prelabel")["items"]] == [run["id"]]
    # Confirming makes it truth and takes the doubt away; a further run leaves it alone.
    chosen = by_state(server, "pre_labelled")[0]
    body = {"operations": [{"id": "7f3b2c1e-0000-4000-8000-000000000001", "state": "labelled"}]}
    path = f"/datasets/grey/samples/{chosen['id']}/annotation"
    view = server.http.patch(path, json=body, headers={"If-Match": f'"{chosen["revision"]}"'}).json()
    assert (view["state"], view["doubt"], view["suggested"]) == ("labelled", None, {})
    second = server.post("/datasets/grey/prelabel", {"task": "trained"}, status=202)
    server.wait_run(second["id"])
    assert "21 of 21" in server.get(f"/runs/{second['id']}/logs", q="were pre-labelled")["items"][0]["message"]
    assert server.get(f"/datasets/grey/samples/{chosen['id']}")["revision"] == view["revision"]


def test_a_stop_keeps_what_was_written_and_a_restart_does_the_rest(server, cleared):
    slow(server, 0.3)
    run = server.post("/datasets/grey/prelabel", {"task": "trained"}, status=202)["id"]
    wait_for(lambda: by_state(server, "pre_labelled"), what="the first suggestions")
    server.refused("POST", "/datasets/grey/prelabel", 409, "prelabel_running", {"task": "trained"})
    server.post(f"/runs/{run}/stop", status=202)
    stopped = server.wait_run(run)
    assert (stopped["status"], stopped["reason"]) == ("stopped", "stopped_by_person")
    done = by_state(server, "pre_labelled")
    assert 0 < len(done) < 22
    slow(server, 0)
    server.post(f"/runs/{run}/restart", status=202)
    assert server.wait_run(run)["status"] == "succeeded"
    after = {sample["id"]: sample["revision"] for sample in by_state(server, "pre_labelled")}
    assert len(after) == 22
    assert all(after[sample["id"]] == sample["revision"] for sample in done), "what was done is not done again"


def test_a_kill_leaves_whole_suggestions_only_and_a_persons_work_wins(server, cleared):
    slow(server, 0.3)
    run = server.post("/datasets/grey/prelabel", {"task": "trained"}, status=202)["id"]
    wait_for(lambda: by_state(server, "pre_labelled"), what="the first suggestions")
    open_samples = by_state(server, "unlabelled")
    mine = open_samples[-1]
    put(server, mine, {"annotation": {"kind": "classes", "labels": ["dark"]}, "create": ["dark"]})
    worker_of(server, run).send_signal(signal.SIGKILL)
    failed = server.wait_run(run)
    assert (failed["status"], failed["reason"]) == ("failed", "interrupted")
    for sample in by_state(server, "pre_labelled"):
        assert sample["annotation"]["labels"]
        assert sample["suggested"]
    slow(server, 0)
    server.post(f"/runs/{run}/restart", status=202)
    assert server.wait_run(run)["status"] == "succeeded"
    kept = server.get(f"/datasets/grey/samples/{mine['id']}")
    assert (kept["state"], kept["annotation"]["labels"]) == ("labelled", ["dark"])
    begun = server.get(f"/datasets/grey/samples/{cleared[1]['id']}")
    assert (begun["state"], begun["annotation"]["labels"]) == ("unlabelled", ["light"])


def test_what_cannot_be_is_said_at_once(server):
    server.refused("POST", "/datasets/none/prelabel", 404, "dataset_not_found", {})
    server.refused("POST", "/datasets/grey/prelabel", 404, "task_not_found", {"task": "none"})
    server.refused("POST", "/datasets/grey/prelabel", 422, "invalid_request", {"model": "x"})
    sample = server.get("/datasets/grey/samples")["items"][0]
    page = server.post(f"/datasets/grey/samples/{sample['id']}/suggest", {"task": "trained"})
    assert page["annotation"]["labels"] == ["dark"]
    assert page["model"] == "trained v1"
    assert server.get(f"/datasets/grey/samples/{sample['id']}")["revision"] == sample["revision"]
