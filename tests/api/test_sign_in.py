"""Signing in, the lock that guessing runs into, forged calls, tokens and keys, and the log of it all."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import Server, wait_for
from people import PASSWORD, first_password, person, sign_in


def test_the_first_start_prints_a_one_time_password_that_must_be_changed(tmp_path):
    command = [sys.executable, "-m", "sandglass.cli", "up", "--port", "0", "--home", str(tmp_path)]
    environment = os.environ | {"SANDGLASS_LANGUAGE": "en", "COLUMNS": "200"}
    passwords = []
    for _ in range(2):
        with (tmp_path / "out").open("w+") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=environment)
            wait_for((tmp_path / "server.json").exists, what="the start of the server")
            said = wait_for(
                lambda: "answers at" in (text := (tmp_path / "out").read_text()) and text, what="the address"
            )
            address = json.loads((tmp_path / "server.json").read_text())["address"]
            found = re.search(r"one-time password (\S+)", said)
            if found:
                server = Server(tmp_path)
                server.address = address
                with server.client() as browser:
                    browser.headers["Origin"] = address
                    begun = browser.post("/session", json={"name": "Admin", "password": found[1]})
                    assert begun.json()["must_change_password"]
                    cookie = begun.headers["set-cookie"].lower()
                    assert "httponly" in cookie
                    assert "samesite=strict" in cookie
                    waits = browser.get("/tasks")
                    assert (waits.status_code, waits.json()["code"]) == (403, "password_change_needed")
                    body = {"current": found[1], "password": PASSWORD}
                    assert browser.put("/session/password", json=body).status_code == 200
                    assert browser.get("/tasks").status_code == 200
            passwords.append(found)
            process.terminate()
            assert process.wait(20) == 0
    assert passwords[0] is not None
    assert passwords[1] is None, "it is printed once"
    assert (tmp_path / "owner.token").stat().st_mode & 0o777 == 0o600


def test_without_login_only_loopback_is_served(tmp_path):
    command = [sys.executable, "-m", "sandglass.cli", "up", "--no-login", "--home", str(tmp_path), "--port", "0"]
    done = subprocess.run([*command, "--host", "0.0.0.0"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "login_needed" in done.stderr
    server = Server(tmp_path, SANDGLASS_LOGIN="false").start()
    try:
        with server.client() as anybody:
            session = anybody.get("/session").json()
            assert (session["login"], session["signed_in"], session["role"]) == (False, True, "admin")
            assert session["money"] is False
            assert anybody.get("/tasks").status_code == 200
            forged = anybody.post("/users", json={"name": "x"}, headers={"Origin": "http://elsewhere.example"})
            assert forged.json()["code"] == "origin_refused"
    finally:
        server.stop()


def test_a_password_that_is_weak_wrong_or_the_same_is_refused(server):
    server.post("/users", {"name": "wang", "role": "viewer"}, status=201)
    one_time = first_password(server, "wang")
    with server.client() as browser:
        browser.headers["Origin"] = server.address
        browser.post("/session", json={"name": "wang", "password": one_time})
        for body, code in (
            ({"current": one_time, "password": "short"}, "password_weak"),
            ({"current": one_time, "password": "aaaaaaaaaaaa"}, "password_weak"),
            ({"current": "wrong one", "password": PASSWORD}, "password_wrong"),
            ({"current": one_time, "password": one_time}, "password_same"),
        ):
            answer = browser.put("/session/password", json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
    browser, _ = sign_in(server, "wang", one_time)
    assert browser.get("/session").json()["name"] == "wang"
    assert browser.delete("/session").status_code == 204
    assert browser.get("/tasks").status_code == 401


def test_guessing_runs_into_a_lock_that_a_reset_opens(server):
    server.post("/users", {"name": "locked", "role": "viewer"}, status=201)
    with server.client() as guesser:

        def guess(name="locked"):
            return guesser.post("/session", json={"name": name, "password": "not it"})

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: guess(), range(8)))
        codes = [answer.json()["code"] for answer in answers]
        assert codes.count("sign_in_failed") <= 5, "many at once are not free"
        refused = guess()
        assert (refused.status_code, refused.json()["code"]) == (429, "sign_in_locked")
        assert int(refused.headers["retry-after"]) >= 1
        unknown = guess("nobody-of-that-name")
        assert unknown.json()["code"] in ("sign_in_failed", "sign_in_locked")
    assert server.refused("POST", "/session", 429, "sign_in_locked", {"name": "locked", "password": "x"})
    one_time = first_password(server, "locked")
    browser, _ = sign_in(server, "locked", one_time)
    assert browser.get("/session").json()["signed_in"]


def test_a_cookie_alone_does_not_change_anything(server):
    server.post("/users", {"name": "forged", "role": "admin"}, status=201)
    browser, _ = sign_in(server, "forged", first_password(server, "forged"))
    del browser.headers["Origin"]
    answer = browser.post("/users", json={"name": "made-by-forgery"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_missing")
    elsewhere = browser.post("/users", json={"name": "made-by-forgery"}, headers={"Origin": "http://evil.example"})
    assert elsewhere.json()["code"] == "origin_refused"
    cross = browser.post("/users", json={"name": "made-by-forgery"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    assert browser.get("/users").status_code == 200
    assert "made-by-forgery" not in [item["name"] for item in server.get("/users", limit=200)["items"]]


def test_disabling_ends_sessions_and_tokens_and_the_last_admin_stays(server):
    caller = person(server, "leaving")
    browser, _ = sign_in(server, "leaving", first_password(server, "leaving"))
    assert caller.get("/tasks").status_code == browser.get("/tasks").status_code == 200
    server.http.patch("/users/leaving", json={"disabled": True})
    assert caller.get("/tasks").json()["code"] == "token_invalid"
    assert browser.get("/tasks").json()["code"] == "session_over"
    for user in server.get("/users", limit=200)["items"]:
        if user["role"] == "admin" and user["name"] != "admin":
            server.http.patch(f"/users/{user['name']}", json={"role": "viewer"})
    server.refused("PATCH", "/users/admin", 409, "last_admin", {"disabled": True})
    server.refused("PATCH", "/users/admin", 409, "last_admin", {"role": "viewer"})
    server.refused("POST", "/users", 409, "user_name_taken", {"name": "ADMIN"})


def test_a_token_is_shown_once_may_do_less_and_is_revoked_at_once(server):
    caller = person(server, "tokens-p")
    made = caller.post("/account/tokens", json={"name": "reader", "role": "viewer", "days": 1}).json()
    assert made["secret"].startswith(made["prefix"])
    listed = caller.get("/account/tokens").json()["items"]
    assert made["secret"] not in json.dumps(listed)
    above = caller.post("/account/tokens", json={"name": "more", "role": "admin"})
    assert (above.status_code, above.json()["code"]) == (403, "role_above")
    with server.client(made["secret"]) as reader:
        assert reader.get("/tasks").status_code == 200
        assert reader.post("/tasks", json={}).json()["details"] == {"needs": "developer"}
        begotten = reader.post("/account/tokens", json={"name": "child"}).json()
        assert begotten["role"] == "viewer"
        assert caller.get("/account/tokens").json()["items"][-2]["used_at"] is not None
        assert caller.delete(f"/account/tokens/{made['prefix']}").json()["state"] == "revoked"
        assert reader.get("/tasks").json()["code"] == "token_invalid"
    other = person(server, "tokens-other")
    mine = other.post("/account/tokens", json={"name": "mine"}).json()
    assert caller.delete(f"/account/tokens/{mine['id']}").status_code == 404
    short = caller.post("/account/tokens", json={"name": "short", "days": 1e-5}).json()
    with server.client(short["secret"]) as late:
        wait_for(lambda: late.get("/tasks").status_code == 401, what="the end of the token", seconds=10)
    with server.client("sgt_" + "x" * 43) as stranger:
        assert stranger.get("/tasks").json()["code"] == "token_invalid"


@pytest.fixture
def service(server):
    server.post("/services", {"name": "keyed", "task": "trained", "spec": "1C2G"}, status=202)
    server.wait_service("keyed", "running")
    yield "keyed"
    server.post("/services/keyed/stop")
    server.wait_service("keyed", "stopped")
    server.http.delete("/services/keyed")


def test_a_key_opens_the_prediction_of_its_service_until_it_is_revoked(server, service):
    from pictures import picture

    files = {"files": ("a.png", picture(40), "image/png")}
    key = server.post(f"/services/{service}/keys", {"name": "till"}, status=201)
    with server.client(key["secret"]) as till:
        assert till.post(f"/services/{service}/predict", files=files).status_code == 200
        service_id = server.get(f"/services/{service}")["id"]
        assert till.post(f"/services/{service_id}/predict", files=files).status_code == 200
        for method, path in (("GET", f"/services/{service}"), ("GET", "/tasks"), ("POST", f"/services/{service}/stop")):
            answer = till.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "key_out_of_scope")
        other = till.post("/services/another/predict", files=files)
        assert (other.status_code, other.json()["code"]) == (403, "key_out_of_scope")
        assert server.get(f"/services/{service}/keys")["items"][0]["used_at"] is not None
        revoked = server.http.delete(f"/services/{service}/keys/{key['id']}")
        assert revoked.json()["state"] == "revoked"
        assert till.post(f"/services/{service}/predict", files=files).status_code == 401
    with server.client() as nobody:
        assert nobody.post(f"/services/{service}/predict", files=files).status_code == 401
    stranger = person(server, "stranger-p")
    assert stranger.post(f"/services/{service}/predict", files=files).status_code == 404
    server.http.put(f"/sharing/service/{service}", json={"shares": [{"user": "stranger-p", "right": "see"}]})
    assert stranger.post(f"/services/{service}/predict", files=files).status_code == 200
    shown = stranger.get(f"/services/{service}").json()
    assert shown["versions"][0]["task"] == "trained", (
        "what a shared service serves is known, though its task is not shared"
    )
    assert stranger.get("/tasks/trained").status_code == 404
    keys = stranger.post(f"/services/{service}/keys", json={"name": "mine"})
    assert keys.json()["code"] == "right_missing"


def test_the_log_holds_every_change_with_before_and_after_and_every_refusal(server):
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    caller = person(server, "logged", "viewer")
    caller.post("/tasks", json={"name": "x"}, headers={"X-Request-Id": "wish-1"})
    server.http.patch("/users/logged", json={"role": "annotator"})
    first_password(server, "logged")
    items = server.get("/audit", since=began, limit=200)["items"]
    refused = next(item for item in items if item["user"] == "logged" and item["action"] == "task.create")
    assert (refused["status"], refused["code"], refused["request_id"]) == (403, "role_missing", "wish-1")
    assert refused["address"] == "127.0.0.1"
    changed = next(item for item in items if item["action"] == "user.change" and item["target"] == "logged")
    assert (changed["user"], changed["entrance"], changed["status"]) == ("admin", "owner", 200)
    assert changed["changes"][0]["before"] == {"role": "viewer"}
    assert changed["changes"][0]["after"] == {"role": "annotator"}
    reset = next(item for item in items if item["action"] == "password.reset")
    assert reset["changes"][0]["after"]["password"] == "changed"
    everything = json.dumps(items)
    assert "argon2" not in everything
    assert PASSWORD not in everything
    made = next(item for item in items if item["action"] == "user.create" and item["target"] == "logged")
    assert made["changes"][0]["before"] is None
    assert made["status"] == 201 or made["status"] == 200
    only = server.get("/audit", user="logged", refused=True, since=began)
    assert {item["action"] for item in only["items"]} == {"task.create"}
    assert server.get("/audit", q="wish-1")["total"] == 1
    exported = server.http.get("/audit/export", params={"since": began, "format": "jsonl"}).text.splitlines()
    assert len(exported) >= len(items)
    assert json.loads(exported[0])["id"] < json.loads(exported[-1])["id"]
    table = list(csv.DictReader(io.StringIO(server.http.get("/audit/export", params={"since": began}).text)))
    assert {"task.create", "user.change"} <= {row["action"] for row in table}
    first = server.get("/audit", limit=2)
    assert server.get("/audit", limit=2, cursor=first["next"])["items"][0]["id"] < first["items"][-1]["id"]
