"""Specs, quotes, balances and ledgers through HTTP, with a real training and a real service."""

from decimal import Decimal

import pytest
from harness import Server, wait_for
from homes import copy_home, make_trained_home
from people import person


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A server of its own, where new accounts have nothing; the trained home's admin began with 1000."""
    home = copy_home(make_trained_home(tmp_path_factory.mktemp("trained")), tmp_path_factory.mktemp("shop"))
    server = Server(home, SANDGLASS_OPENING_BALANCE="0").start()
    yield server
    server.stop()


def test_a_training_and_a_service_are_frozen_settled_and_released(shop):
    begun = shop.get("/account/balance")
    assert (begun["frozen"], begun["balance"]) == ("0.00", begun["free"])
    kinds = {item["kind"] for item in shop.get("/account/ledger")["items"]}
    assert kinds >= {"top_up", "freeze", "release"}, "the training of the home was charged"
    quote = shop.get("/quote", spec="1C2G", count=2)
    assert (quote["price"], quote["freeze"], quote["missing"], quote["ask"]) == ("0.30", "1.20", "0.00", [])
    assert Decimal(quote["free_after"]) == Decimal(begun["free"]) - Decimal("1.20")
    shop.post("/services", {"name": "paid", "task": "trained", "spec": "1C2G", "instances": 2}, status=202)
    assert shop.get("/account/balance")["frozen"] == "1.20"
    shop.wait_service("paid", "running")
    wait_for(lambda: shop.get("/services/paid")["ready_count"] == 2, what="both instances")
    assert shop.get("/account/balance")["frozen"] == "1.20", "instances took what was frozen for them"
    shop.post("/services/paid/stop")
    shop.wait_service("paid", "stopped")
    ended = wait_for(lambda: (b := shop.get("/account/balance"))["frozen"] == "0.00" and b, what="the settlement")
    assert Decimal(0) < Decimal(begun["balance"]) - Decimal(ended["balance"]) < Decimal("0.05")
    cost = next(item for item in shop.get("/account/costs")["items"] if item["name"] == "paid")
    assert Decimal(cost["settled"]) == Decimal(begun["balance"]) - Decimal(ended["balance"])
    entries = shop.get("/account/ledger", resource=cost["id"])["items"]
    assert [entry["kind"] for entry in entries].count("freeze") == 2
    table = shop.http.get("/account/ledger.csv").text.splitlines()
    assert len(table) == shop.get("/account/ledger")["total"] + 1


def test_who_has_nothing_is_told_what_is_missing_and_whom_to_ask(shop):
    poor = person(shop, "poor")
    shop.http.put("/sharing/task/trained", json={"shares": [{"user": "poor", "right": "change"}]})
    shop.http.put("/sharing/dataset/grey", json={"shares": [{"user": "poor", "right": "see"}]})
    quote = poor.get("/quote", params={"spec": "1C2G"}).json()
    assert (quote["free"], quote["free_after"], quote["missing"], quote["ask"]) == ("0.00", "-0.60", "0.60", ["admin"])
    service = poor.post("/services", json={"name": "dear", "task": "trained", "spec": "1C2G"})
    assert (service.status_code, service.json()["code"]) == (402, "balance_insufficient")
    assert service.json()["details"]["missing"] == "0.60"
    assert "admin" in service.json()["action"]
    task = poor.post("/tasks", json={"name": "dear", "scenario": "brightness", "train": ["grey"], "spec": "1C2G"})
    assert task.status_code == 402
    assert poor.get("/services").json()["total"] == 0
    assert [item["name"] for item in poor.get("/tasks").json()["items"]] == ["trained"], "nothing of it is left"
    assert shop.post("/users/poor/top-ups", {"amount": "0.60", "note": "cash"}, status=201)["free"] == "0.60"
    for amount in ("0", "-1", "0.00001", "NaN"):
        assert shop.http.post("/users/poor/top-ups", json={"amount": amount}).status_code == 422
    assert poor.post("/users/poor/top-ups", json={"amount": "5"}).json()["code"] == "role_missing"
    made = poor.post("/services", json={"name": "dear", "task": "trained", "spec": "1C2G"})
    assert made.status_code == 202
    assert poor.get("/account/balance").json() == {"balance": "0.60", "frozen": "0.60", "free": "0.00"}
    assert poor.post("/services/dear/stop").status_code == 202
    shop.wait_service("dear", "stopped")
    entries = poor.get("/account/ledger").json()["items"]
    assert entries[-1] | {"at": ""} == entries[-1] | {"at": "", "kind": "top_up", "by": "admin", "note": "cash"}


def test_specs_are_edited_priced_for_what_is_new_and_kept_while_in_use(shop):
    body = {"cpu": 1, "memory_mb": 512, "price": "0.05"}
    made = shop.http.put("/specs/TINY", json=body).json()
    assert (made["price"], made["available"], made["in_use"]) == ("0.05", True, 0)
    assert "TINY" in (shop.home / "specs.yaml").read_text()
    shop.post("/services", {"name": "tiny", "task": "trained", "spec": "TINY"}, status=202)
    shop.wait_service("tiny", "running")
    shop.refused("DELETE", "/specs/TINY", 409, "spec_in_use")
    shop.refused("PUT", "/specs/TINY", 409, "spec_in_use", body | {"cpu": 2})
    disabled = shop.http.put("/specs/TINY", json=body | {"price": "9", "enabled": False}).json()
    assert (disabled["price"], disabled["available"]) == ("9.00", False)
    shop.refused("POST", "/services", 422, "spec_disabled", {"name": "tiny-2", "task": "trained", "spec": "TINY"})
    assert shop.get("/account/balance")["frozen"] == "0.10", "what runs keeps its price"
    shop.post("/services/tiny/stop")
    shop.wait_service("tiny", "stopped")
    shop.http.delete("/services/tiny")
    assert shop.http.delete("/specs/TINY").status_code == 204
    shop.refused("DELETE", "/specs/TINY", 404, "spec_unknown")
    shop.refused("PUT", "/specs/TINY", 422, "invalid_request", body | {"price": "0.00001"})
    logged = shop.get("/audit", action="spec")["items"]
    assert {item["action"] for item in logged} == {"spec.change", "spec.delete"}
    changed = next(item for item in logged if item["action"] == "spec.change" and item["changes"])
    assert changed["changes"][0]["kind"] == "spec"


def test_a_catalogue_that_is_broken_by_hand_is_named(shop):
    path = shop.home / "specs.yaml"
    kept = path.read_text()
    path.write_text("specs: [")
    try:
        problem = shop.refused("GET", "/specs", 500, "specs_invalid")
        assert "specs.yaml" in problem["detail"]
    finally:
        path.write_text(kept)
    assert shop.get("/specs")["total"] == 11
