"""Accounts, tokens, sharing, specs, money and the log by commands, on this machine and on a server elsewhere."""

import json
import os
import subprocess
import sys

import pytest
from harness import Server


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    server = Server(folder / "home").start()
    base = {key: value for key, value in os.environ.items() if key not in ("SANDGLASS_TOKEN", "SANDGLASS_SERVER")}
    here = base | {"SANDGLASS_HOME": str(server.home), "SANDGLASS_LANGUAGE": "en", "COLUMNS": "160"}

    def run(*arguments, code=0, **variables):
        command = [sys.executable, "-m", "sandglass.cli", *map(str, arguments)]
        done = subprocess.run(command, env=here | variables, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    run.server, run.folder = server, folder
    yield run
    server.stop()


def test_accounts_by_commands(shell):
    made = shell("admin", "user", "add", "lin", "--role", "developer", "--json")
    assert made["user"]["role"] == "developer"
    assert len(made["one_time_password"]) == 17
    assert "annotator" in shell("admin", "user", "role", "lin", "annotator")
    assert "one-time password" in shell("admin", "user", "reset", "lin")
    assert "disabled" in shell("admin", "user", "disable", "lin")
    shell("admin", "user", "enable", "lin")
    assert {user["name"] for user in shell("admin", "user", "list", "--json")["items"]} == {"admin", "lin"}
    shell("admin", "user", "add", "lin", "--json", code=5)
    shell("admin", "user", "role", "nobody", "viewer", "--json", code=4)
    entries = shell("admin", "audit", "list", "--action", "user", "--json")["items"]
    assert {entry["action"] for entry in entries} == {"user.create", "user.change"}
    path = shell.folder / "audit.jsonl"
    shell("admin", "audit", "export", path, "--format", "jsonl")
    assert len(path.read_text().splitlines()) >= len(entries)


def test_a_server_elsewhere_is_opened_by_a_token(shell):
    token = shell("token", "create", "laptop", "--role", "viewer", "--json")
    away = {"SANDGLASS_HOME": str(shell.folder / "elsewhere"), "SANDGLASS_TOKEN": token["secret"]}
    assert shell("--server", shell.server.address, "task", "list", "--json", **away)["items"] == []
    refused = shell("--server", shell.server.address, "admin", "user", "list", "--json", code=8, **away)
    assert refused["error"]["code"] == "role_missing"
    assert not (shell.folder / "elsewhere").exists(), "no server is started here"
    assert "revoked" in shell("token", "revoke", token["prefix"])
    gone = shell("--server", shell.server.address, "task", "list", "--json", code=7, **away)
    assert gone["error"]["code"] == "token_invalid"
    assert [item["state"] for item in shell("token", "list", "--json")["items"]] == ["revoked"]


def test_money_and_specs_by_commands(shell):
    assert shell("account", "balance", "--json")["free"] == "1000.00"
    assert shell("admin", "topup", "admin", "12.50", "--note", "cash", "--json")["balance"] == "1012.50"
    assert shell("account", "ledger", "--json")["items"][0]["note"] == "cash"
    shell("admin", "topup", "admin", "0.00001", "--json", code=2)
    assert shell("admin", "specs", "set", "1c2g", "--price", "0.35", "--json")["price"] == "0.35"
    assert not shell("admin", "specs", "set", "1C2G", "--disable", "--json")["enabled"]
    assert "disabled" in shell("admin", "specs", "list")
    assert shell("admin", "specs", "set", "1C2G", "--enable", "--json")["price"] == "0.35"
    shell("admin", "specs", "delete", "NONE", "--json", code=4)


def test_sharing_by_commands(shell, tmp_path):
    from pictures import class_folder

    shell.server.import_folder("mine", class_folder(tmp_path / "mine", 1))
    assert shell("share", "dataset", "mine", "--see", "*", "--change", "lin", "--json")["shares"] == [
        {"user": "*", "right": "see"},
        {"user": "lin", "right": "change"},
    ]
    assert "belongs to admin" in shell("share", "dataset", "mine")
    assert shell("share", "dataset", "mine", "--nobody", "--json")["shares"] == []
    shell("share", "dataset", "none", "--json", code=4)
