"""Every route says who may call it, and holds to it for each role, for what is shared, and for strangers."""

import re

import pytest
from harness import wait_for
from people import person
from pictures import picture

from sandglass.api.app import PARTS, create_app
from sandglass.api.permissions import declared
from sandglass.core.actor import Role
from sandglass.core.settings import Settings
from sandglass.studio.access import Right

ROUTES = [route for part in PARTS for route in part.router.routes]
CALLS = [(method, route) for route in ROUTES for method in sorted(route.methods - {"HEAD"})]
OPEN = {"get_health", "get_session", "begin_session"}
"""Routes that answer strangers."""
OWNED = re.compile(r"\{(dataset|task|run|evaluation|import_id|resource)\}")


def test_every_operation_of_the_description_declares_what_it_needs(tmp_path):
    described = create_app(Settings(home=tmp_path)).openapi()["paths"]
    operations = {
        (path, method.upper()) for path, item in described.items() for method in item if method not in ("parameters",)
    }
    known = {(route.path, method): declared(route) for route in ROUTES for method in route.methods}
    assert operations <= set(known)
    assert [operation for operation in operations if known[operation] is None] == []
    assert {route.name for route in ROUTES if declared(route).role is None} == OPEN


def test_an_application_with_a_route_that_declares_nothing_is_not_built(tmp_path):
    from fastapi import APIRouter

    from sandglass.api.permissions import require_declarations

    router = APIRouter()
    router.get("/v1/secret")(lambda: None)
    with pytest.raises(RuntimeError, match="/v1/secret"):
        require_declarations([router])


@pytest.fixture(scope="module")
def people(server):
    callers = {role.value: person(server, f"{role}-p", role) for role in Role}
    callers["other"] = person(server, "other-p")
    yield callers
    for caller in callers.values():
        caller.close()


@pytest.fixture(scope="module")
def things(server):
    """Names of things that belong to the admin, by path parameter."""
    run = server.get("/tasks/trained/versions/1")["training_run"]["id"]
    evaluation = server.get("/tasks/trained/versions/1/evaluations")["items"][0]["evaluation"]
    return {
        "address": server.address,
        "dataset": "grey",
        "task": "trained",
        "run": run,
        "evaluation": evaluation,
        "import_id": server.get("/imports")["items"][-1]["id"],
        "number": "1",
        "position": "0",
        "kind": "dataset",
        "resource": "grey",
        "sample": server.get("/datasets/grey/samples")["items"][0]["id"],
    }


def address(route, things):
    path = re.sub(r"\{(\w+)[^}]*\}", lambda found: str(things.get(found[1], "nothing-such")), route.path)
    return things["address"] + path


def unlike(expected, answer):
    """What is wrong with an answer; None = nothing."""
    found = (answer.status_code, answer.json().get("code") if answer.content else None)
    return None if found == expected else found


def test_strangers_are_asked_to_sign_in(server, things):
    wrong = []
    with server.client() as stranger:
        for method, route in CALLS:
            answer = stranger.request(method, address(route, things))
            if route.name in OPEN:
                assert answer.status_code in (200, 422)
            elif fault := unlike((401, "sign_in_needed"), answer):
                wrong.append((method, route.path, fault))
    assert wrong == []


@pytest.mark.parametrize("role", ["viewer", "annotator", "developer"])
def test_a_role_below_the_needed_one_is_refused_with_its_name(server, people, things, role):
    wrong, tried = [], 0
    for method, route in CALLS:
        needed = declared(route).role
        if needed is None or Role(role).covers(needed):
            continue
        tried += 1
        answer = people[role].request(method, address(route, things))
        if fault := unlike((403, "role_missing"), answer):
            wrong.append((method, route.path, fault))
        elif needed.value not in answer.json()["detail"] or answer.json()["details"] != {"needs": needed.value}:
            wrong.append((method, route.path, answer.json()))
    assert wrong == []
    assert tried > 5


def test_what_belongs_to_somebody_else_is_not_there(server, people, things):
    wrong, tried = [], 0
    for method, route in CALLS:
        if not OWNED.search(route.path) or declared(route).role is Role.ADMIN:
            continue
        tried += 1
        answer = people["other"].request(method, address(route, things), json=None if method == "GET" else {})
        # What was sent may be refused before anything is looked up.
        if answer.status_code != 404 and unlike((422, "invalid_request"), answer):
            wrong.append((method, route.path, answer.text[:200]))
    assert wrong == []
    assert tried > 20


def test_what_is_shared_to_see_cannot_be_changed(server, people, things):
    wrong, tried = [], 0
    share(server, [{"user": "*", "right": "see"}])
    for method, route in CALLS:
        asked = declared(route)
        if asked.right is Right.SEE or asked.parameter not in ("dataset", "task", "run", "import_id"):
            continue
        tried += 1
        answer = people["other"].request(method, address(route, things), json={})
        if fault := unlike((403, "right_missing"), answer):
            wrong.append((method, route.path, fault))
    share(server, [])
    assert wrong == []
    assert tried > 8


def share(server, shares):
    for kind, name in (("dataset", "grey"), ("task", "trained")):
        assert server.http.put(f"/sharing/{kind}/{name}", json={"shares": shares}).status_code == 200


def names(caller, path):
    return {item["name"] for item in caller.get(path).json()["items"]}


def test_lists_hold_what_is_ones_own_or_shared(server, people):
    other = people["other"]
    for path in ("/datasets", "/tasks", "/imports", "/services"):
        assert other.get(path).json() | {"next": None} == {"items": [], "total": 0, "next": None}
    assert other.get("/activity").json()["runs"] == []
    server.http.put("/sharing/dataset/grey", json={"shares": [{"user": "other-p", "right": "see"}]})
    try:
        assert names(other, "/datasets") == {"grey"}
        assert other.get("/datasets").json()["total"] == 1
        assert names(people["viewer"], "/datasets") == set()
        assert other.get("/datasets/grey/samples").json()["total"] == 24
        sharing = other.get("/sharing/dataset/grey").json()
        assert (sharing["owner"], sharing["right"]) == ("admin", "see")
        refused = other.put("/sharing/dataset/grey", json={"shares": []})
        assert (refused.status_code, refused.json()["code"]) == (403, "right_missing")
    finally:
        server.http.put("/sharing/dataset/grey", json={"shares": []})
    assert names(other, "/datasets") == set()


def test_a_name_that_something_hidden_has_is_taken(server, people):
    other = people["other"]
    check = other.get("/tasks/name-check", params={"name": "trained"}).json()
    assert check["available"] is False
    answer = upload(other, "grey", 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    body = {"name": "mine", "scenario": "brightness", "train": ["grey"]}
    assert other.post("/tasks", json=body).json()["code"] == "dataset_not_found"


def upload(caller, dataset, count):
    fields = {"dataset": dataset, "scenario": "classification"}
    files = [("files", (f"dark/{index}.png", picture(40, seed=900 + index), "image/png")) for index in range(count)]
    return caller.post("/imports", data=fields, files=files)


def test_folders_of_the_server_are_for_admins(people, tmp_path):
    body = {"dataset": "taken-from-disk", "scenario": "classification", "folder": str(tmp_path)}
    answer = people["other"].post("/imports", json=body)
    assert (answer.status_code, answer.json()["details"]) == (403, {"needs": "admin"})


def test_what_a_developer_makes_is_theirs(server, people):
    other = people["other"]
    job = upload(other, "mine", 3).json()
    wait_for(lambda: other.get(f"/imports/{job['id']}").json()["status"] == "done", what="the import")
    assert names(other, "/datasets") == {"mine"}
    assert other.get("/sharing/dataset/mine").json()["owner"] == "other-p"
    assert people["annotator"].get("/datasets/mine").status_code == 404
    assert server.http.get("/datasets/mine").status_code == 200, "an admin sees everything"
    shares = [{"user": "annotator-p", "right": "change"}, {"user": "*", "right": "see"}]
    assert other.put("/sharing/dataset/mine", json={"shares": shares}).status_code == 200
    assert people["annotator"].get("/sharing/dataset/mine").json()["right"] == "change"
    assert people["viewer"].get("/sharing/dataset/mine").json()["right"] == "see"
    twice = other.put("/sharing/dataset/mine", json={"shares": [shares[0], shares[0]]})
    assert twice.json()["code"] == "share_twice"
    assert other.delete("/datasets/mine").status_code == 204
