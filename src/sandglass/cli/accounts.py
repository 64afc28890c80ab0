"""``sandglass admin``, ``token``, ``key``, ``share`` and ``account``: who may do what, and what it costs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import JsonFlag, errors, print_json, print_table, screen
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text

admin = typer.Typer(help="Accounts, compute specs, top-ups and the audit log; for admins.", no_args_is_help=True)
users = typer.Typer(help="Accounts.", no_args_is_help=True)
specs = typer.Typer(help="The catalogue of compute specs.", no_args_is_help=True)
audit = typer.Typer(help="What was done by whom.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens of your account.", no_args_is_help=True)
keys = typer.Typer(help="Keys of a service: each opens its prediction and nothing else.", no_args_is_help=True)
account = typer.Typer(help="Your balance and ledger.", no_args_is_help=True)
admin.add_typer(users, name="user")
admin.add_typer(specs, name="specs")
admin.add_typer(audit, name="audit")

Days = Annotated[float | None, typer.Option(help="How long it lasts; 0 = until it is revoked.")]


# Accounts


@users.command("add")
def add_user(name: str, role: str = "developer", as_json: JsonFlag = False) -> None:
    """Make an account and print its one-time password."""
    with connect() as client:
        _show_password(client.request("POST", "/users", json={"name": name, "role": role}), as_json=as_json)


@users.command("list")
def list_users(as_json: JsonFlag = False) -> None:
    """List accounts."""
    with connect() as client:
        answer = client.request("GET", "/users", params={"limit": 1000})
    rows = [
        [user["name"], user["role"], "disabled" if user["disabled"] else "", user["signed_in_at"]]
        for user in answer["items"]
    ]
    print_json(answer) if as_json else print_table(["name", "role", "state", "last sign-in"], rows)


@users.command("role")
def set_role(name: str, role: str, as_json: JsonFlag = False) -> None:
    """Give an account another role: viewer, annotator, developer or admin."""
    _change_user(name, {"role": role}, as_json=as_json)


@users.command("disable")
def disable_user(name: str, as_json: JsonFlag = False) -> None:
    """Disable an account: its sessions end and its tokens stop working."""
    _change_user(name, {"disabled": True}, as_json=as_json)


@users.command("enable")
def enable_user(name: str, as_json: JsonFlag = False) -> None:
    """Enable an account again."""
    _change_user(name, {"disabled": False}, as_json=as_json)


@users.command("reset")
def reset_user(name: str, as_json: JsonFlag = False) -> None:
    """Give an account a new one-time password and sign it out everywhere."""
    with connect() as client:
        _show_password(client.request("POST", f"/users/{name}/reset-password"), as_json=as_json)


def _change_user(name: str, changes: dict[str, Any], *, as_json: bool) -> None:
    with connect() as client:
        user = client.request("PATCH", f"/users/{name}", json=changes)
    state = ", disabled" if user["disabled"] else ""
    print_json(user) if as_json else screen.print(f"{user['name']}: {user['role']}{state}", highlight=False)


def _show_password(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    user = made["user"]
    screen.print(f"{user['name']} ({user['role']}): one-time password {made['one_time_password']}", highlight=False)


@admin.command("topup")
def top_up(user: str, amount: str, note: str = "", as_json: JsonFlag = False) -> None:
    """Add money to an account."""
    with connect() as client:
        balance = client.request("POST", f"/users/{user}/top-ups", json={"amount": amount, "note": note})
    print_json(balance) if as_json else _print_balance(balance)


# Specs


@specs.command("list")
def list_specs(as_json: JsonFlag = False) -> None:
    """List compute specs."""
    with connect() as client:
        answer = client.request("GET", "/specs")
    rows = [
        [
            spec["id"],
            spec["cpu"],
            f"{spec['memory_mb'] / 1024:g} GB",
            spec["gpu"] or None,
            spec["price"],
            "enabled" if spec["enabled"] else "disabled",
            spec["in_use"],
        ]
        for spec in answer["items"]
    ]
    columns = ["spec", "cores", "memory", "GPU", "price/h", "state", "in use"]
    print_json(answer) if as_json else print_table(columns, rows)


@specs.command("set")
def set_spec(
    spec: str,
    cpu: int | None = None,
    memory_mb: int | None = None,
    gpu: int | None = None,
    price: Annotated[
        str | None, typer.Option(help="For an hour, e.g. 1.20; holds for what starts from now on.")
    ] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a compute spec or change one; what is not given stays."""
    with connect() as client:
        known = {item["id"]: item for item in client.request("GET", "/specs")["items"]}.get(spec.upper(), {})
        given = {"cpu": cpu, "memory_mb": memory_mb, "gpu": gpu, "price": price, "enabled": enabled}
        kept = {name: known[name] for name in given if name in known}
        body = kept | {name: value for name, value in given.items() if value is not None}
        answer = client.request("PUT", f"/specs/{spec.upper()}", json=body)
    state = "enabled" if answer["enabled"] else "disabled"
    print_json(answer) if as_json else screen.print(f"{answer['id']}: {answer['price']}/h, {state}", highlight=False)


@specs.command("delete")
def delete_spec(spec: str, as_json: JsonFlag = False) -> None:
    """Remove a compute spec that nothing has."""
    with connect() as client:
        client.request("DELETE", f"/specs/{spec.upper()}")
    print_json({"deleted": spec}) if as_json else screen.print(f"{spec} deleted", highlight=False)


# Audit


@audit.command("list")
def list_audit(
    q: Annotated[str, typer.Option("--search", help="A part of the target, action, address or request id.")] = "",
    user: str | None = None,
    action: Annotated[str | None, typer.Option(help="Its beginning, such as service or service.publish.")] = None,
    refused: Annotated[
        bool | None, typer.Option("--refused/--done", help="Only refused calls, or only others.")
    ] = None,
    limit: int = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show the latest entries."""
    asked = {"q": q, "user": user, "action": action, "refused": refused, "limit": limit}
    with connect() as client:
        answer = client.request(
            "GET", "/audit", params={name: value for name, value in asked.items() if value is not None}
        )
    rows = [
        [item["at"][:19], item["user"], item["action"], item["target"], item["code"] or "ok", item["address"]]
        for item in answer["items"]
    ]
    print_json(answer) if as_json else print_table(["at", "who", "action", "target", "result", "from"], rows)


@audit.command("export")
def export_audit(
    path: Path,
    format: Annotated[str, typer.Option(help="csv or jsonl.")] = "csv",  # noqa: A002
    as_json: JsonFlag = False,
) -> None:
    """Write the whole log to a file."""
    if format not in ("csv", "jsonl"):
        raise InvalidInput(
            "format_unknown",
            Text(en=f"'{format}' is no format of the log.", zh=f"审计日志没有“{format}”格式。"),
            Text(en="Choose csv or jsonl.", zh="可选 csv 或 jsonl。"),
        )
    with connect() as client:
        size = client.download(f"/audit/export?format={format}", path)
    print_json({"path": str(path), "bytes": size}) if as_json else screen.print(
        f"{path}: {size} bytes", highlight=False
    )


# Tokens and keys


@tokens.command("create")
def create_token(
    name: str,
    role: Annotated[str | None, typer.Option(help="What it may do at most; all that you may if not given.")] = None,
    days: Days = 90,
    as_json: JsonFlag = False,
) -> None:
    """Make a token; it is shown this once."""
    with connect() as client:
        made = client.request("POST", "/account/tokens", json={"name": name, "role": role, "days": days or None})
    _show_secret(made, as_json=as_json)


@tokens.command("list")
def list_tokens(as_json: JsonFlag = False) -> None:
    """List your tokens."""
    with connect() as client:
        answer = client.request("GET", "/account/tokens")
    print_json(answer) if as_json else _print_tokens(answer)


@tokens.command("revoke")
def revoke_token(token: str, as_json: JsonFlag = False) -> None:
    """Make a token useless at once; name it by its id or prefix."""
    with connect() as client:
        answer = client.request("DELETE", f"/account/tokens/{token}")
    print_json(answer) if as_json else screen.print(f"{answer['name']} {answer['state']}", highlight=False)


@keys.command("create")
def create_key(service: str, name: str = "key", days: Days = 90, as_json: JsonFlag = False) -> None:
    """Make a key of a service; it is shown this once."""
    with connect() as client:
        made = client.request("POST", f"/services/{service}/keys", json={"name": name, "days": days or None})
    _show_secret(made, as_json=as_json)


@keys.command("list")
def list_keys(service: str, as_json: JsonFlag = False) -> None:
    """List keys of a service."""
    with connect() as client:
        answer = client.request("GET", f"/services/{service}/keys")
    print_json(answer) if as_json else _print_tokens(answer)


@keys.command("revoke")
def revoke_key(service: str, key: str, as_json: JsonFlag = False) -> None:
    """Make a key useless at once; name it by its id or prefix."""
    with connect() as client:
        answer = client.request("DELETE", f"/services/{service}/keys/{key}")
    print_json(answer) if as_json else screen.print(f"{answer['name']} {answer['state']}", highlight=False)


def _show_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    screen.print(made["secret"], highlight=False, markup=False)
    errors.print("Keep it now: it is not shown again.", style="dim")


def _print_tokens(answer: dict[str, Any]) -> None:
    rows = [
        [item["name"], item["prefix"] + "…", item["state"], item["role"], item["expires_at"], item["used_at"]]
        for item in answer["items"]
    ]
    print_table(["name", "begins with", "state", "role", "expires", "last used"], rows)


# Sharing


def share(
    kind: Annotated[str, typer.Argument(help="dataset, task or service.")],
    name: str,
    see: Annotated[list[str] | None, typer.Option(help="Account that may see it; '*' = everybody.")] = None,
    change: Annotated[list[str] | None, typer.Option(help="Account that may change it; '*' = everybody.")] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="End all shares.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show or set with whom a dataset, task or service is shared; what is given replaces all shares."""
    lines = [{"user": user, "right": "see"} for user in see or []]
    lines += [{"user": user, "right": "change"} for user in change or []]
    with connect() as client:
        if lines or nobody:
            answer = client.request("PUT", f"/sharing/{kind}/{name}", json={"shares": lines})
        else:
            answer = client.request("GET", f"/sharing/{kind}/{name}")
    if as_json:
        print_json(answer)
        return
    screen.print(f"{answer['name']} belongs to {answer['owner'] or '-'}", highlight=False)
    print_table(["shared with", "right"], [[line["user"], line["right"]] for line in answer["shares"]])


# Money


@account.command("balance")
def balance(as_json: JsonFlag = False) -> None:
    """Show your balance."""
    with connect() as client:
        answer = client.request("GET", "/account/balance")
    print_json(answer) if as_json else _print_balance(answer)


@account.command("ledger")
def ledger(limit: int = 50, as_json: JsonFlag = False) -> None:
    """Show your latest ledger entries."""
    with connect() as client:
        answer = client.request("GET", "/account/ledger", params={"limit": limit})
    rows = [
        [
            item["at"][:19],
            item["kind"],
            item["amount"],
            item["subject"],
            item["frozen_after"],
            item["balance_after"],
            item["note"],
        ]
        for item in answer["items"]
    ]
    columns = ["at", "kind", "amount", "for", "frozen after", "balance after", "note"]
    print_json(answer) if as_json else print_table(columns, rows)


def _print_balance(answer: dict[str, Any]) -> None:
    screen.print(f"balance {answer['balance']}, frozen {answer['frozen']}, free {answer['free']}", highlight=False)
