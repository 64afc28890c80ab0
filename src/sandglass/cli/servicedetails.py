"""``sandglass service versions|weights|update|scale|rollback|events|metrics|logs|…``: change and watch a service."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import JsonFlag, print_json, print_table, screen
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.core.time import parse_duration

Wait = Annotated[bool, typer.Option("--wait", help="Wait until every process is what the settings say.")]


def _show_versions(state: dict[str, Any]) -> None:
    rows = [
        [
            f"v{one['number']}",
            f"{one['weight']} %",
            f"{one['task']} v{one['task_version']}",
            one["score"],
            one["threshold"],
            f"{one['ready_count']}/{one['instance_count']}",
        ]
        for one in state["versions"]
    ]
    print_table(["version", "traffic", "model", "score", "threshold", "ready"], rows)


def _done(client: Any, service: str, state: dict[str, Any], *, wait: bool, as_json: bool) -> None:  # noqa: ANN401
    if wait:
        state = client.wait_for_rollout(service)
    if as_json:
        print_json(state)
        return
    updating = ", updating" if state["updating"] else ""
    screen.print(f"{service}: {state['status']}{updating}, r{state['revision']}", highlight=False)
    _show_versions(state)


def versions(service: str, as_json: JsonFlag = False) -> None:
    """Show the versions of a service and their traffic."""
    with connect() as client:
        state = client.service(service)
    print_json(state["versions"]) if as_json else _show_versions(state)


def add_version(
    service: str,
    task: str,
    version: Annotated[int | None, typer.Option(help="Version of the task; the newest unless given.")] = None,
    weight: Annotated[int, typer.Option(help="Percent of the traffic; the others share the rest.")] = 0,
    threshold: Annotated[
        float | None, typer.Option(help="Confidence threshold; the recommended one unless given.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Although its score is below the present one's.")] = False,
    wait: Wait = False,
    as_json: JsonFlag = False,
) -> None:
    """Publish the best model of a task as a new version of a service."""
    with connect() as client:
        state = client.add_service_version(
            service, task, version=version, weight=weight, threshold=threshold, confirm=confirm
        )
        _done(client, service, state, wait=wait, as_json=as_json)


def remove_version(service: str, version: int, as_json: JsonFlag = False) -> None:
    """Remove a version that has no traffic."""
    with connect() as client:
        _done(client, service, client.remove_service_version(service, version), wait=False, as_json=as_json)


def weights(
    service: str,
    shares: Annotated[list[str], typer.Argument(help="VERSION=PERCENT for all versions, e.g. 1=90 2=10.")],
    wait: Wait = False,
    as_json: JsonFlag = False,
) -> None:
    """Set the traffic of all versions together; it sums to 100."""
    with connect() as client:
        state = client.set_weights(service, dict(parse_share(share) for share in shares))
        _done(client, service, state, wait=wait, as_json=as_json)


def parse_share(text: str) -> tuple[int, int]:
    """Read ``2=10`` or ``v2=10``.

    >>> parse_share("v2=10")
    (2, 10)

    Raises:
        InvalidInput: ``invalid_weights``.
    """
    number, _, percent = text.lower().removeprefix("v").partition("=")
    if not (number.isdecimal() and percent.rstrip("%").isdecimal()):
        raise InvalidInput(
            "invalid_weights",
            Text(en=f"'{text}' is no share of the traffic.", zh=f"“{text}”不是有效的流量权重。"),
            Text(en="Write VERSION=PERCENT, e.g. 1=90 2=10.", zh="请写成 版本=百分比，例如 1=90 2=10。"),
        )
    return int(number), int(percent.rstrip("%"))


def update(
    service: str,
    spec: Annotated[str | None, typer.Option(help="Compute spec of each process.")] = None,
    instances: Annotated[int | None, typer.Option(help="Number of processes.")] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(help="VERSION=VALUE, or VERSION=auto for the model's own; may be repeated.")
    ] = None,
    max_run_time: Annotated[str | None, typer.Option(help="From its start: 30m, 1h, 2d; -1 = no limit.")] = None,
    limits: Annotated[str | None, typer.Option(help='JSON, e.g. {"rate_per_second": 20, "concurrency": 8}.')] = None,
    keep: Annotated[
        str | None, typer.Option(help='JSON, e.g. {"dataset": "d", "share": 0.1}; off = keep none.')
    ] = None,
    wait: Wait = False,
    as_json: JsonFlag = False,
) -> None:
    """Change settings; processes are replaced without a request being lost."""
    changes: dict[str, Any] = {}
    if spec is not None:
        changes["spec"] = spec
    if instances is not None:
        changes["instances"] = instances
    if threshold:
        changes["thresholds"] = dict(_threshold(text) for text in threshold)
    if max_run_time is not None:
        changes["max_run_seconds"] = parse_duration(max_run_time)
    if limits is not None:
        changes["limits"] = _json("limits", limits)
    if keep is not None:
        changes["keep"] = None if keep == "off" else _json("keep", keep)
    _require(changes, "--spec, --instances, --threshold, --max-run-time, --limits, --keep")
    with connect() as client:
        _done(client, service, client.change_service(service, **changes), wait=wait, as_json=as_json)


def scale(
    service: str,
    instances: Annotated[int | None, typer.Option(help="By hand: so many processes.")] = None,
    by: Annotated[Literal["manual", "load", "schedule"] | None, typer.Option(help="What decides.")] = None,
    minimum: Annotated[int | None, typer.Option("--min", help="Fewest processes.")] = None,
    maximum: Annotated[int | None, typer.Option("--max", help="Most processes.")] = None,
    concurrency: Annotated[float | None, typer.Option(help="Open requests per process to aim at.")] = None,
    p95: Annotated[float | None, typer.Option(help="Milliseconds of p95 above which a process is added.")] = None,
    cooldown: Annotated[str | None, typer.Option(help="Shortest time between two changes, e.g. 30s.")] = None,
    idle: Annotated[str | None, typer.Option(help="No processes after so long without a request; -1 = never.")] = None,
    at: Annotated[
        list[str] | None, typer.Option(help='"CRON=N": N processes from then, e.g. "0 8 * * 1-5=4"; may be repeated.')
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Of the schedule, e.g. Asia/Shanghai.")] = None,
    wait: Wait = False,
    as_json: JsonFlag = False,
) -> None:
    """Set how many processes there are: by hand, by load, on a schedule, none when idle."""
    rules: dict[str, Any] = {
        "mode": by,
        "minimum": minimum,
        "maximum": maximum,
        "target_concurrency": concurrency,
        "target_p95_ms": p95,
        "cooldown_seconds": None if cooldown is None else parse_duration(cooldown),
        "timezone": timezone,
        "schedule": None if at is None else [_entry(text) for text in at],
    }
    rules = {name: value for name, value in rules.items() if value is not None}
    if idle is not None:
        rules["idle_seconds"] = parse_duration(idle)
    changes: dict[str, Any] = {} if instances is None else {"instances": instances}
    _require(changes | rules, "--instances, --by, --min, --max, --concurrency, --p95, --cooldown, --idle, --at")
    with connect() as client:
        if rules:
            changes["scaling"] = client.service(service)["scaling"] | rules
        _done(client, service, client.change_service(service, **changes), wait=wait, as_json=as_json)


def _entry(text: str) -> dict[str, Any]:
    cron, _, count = text.rpartition("=")
    if not (cron.strip() and count.strip().isdecimal()):
        raise InvalidInput(
            "invalid_schedule",
            Text(en=f"'{text}' is no schedule entry.", zh=f"“{text}”不是有效的计划。"),
            Text(en='Write "CRON=N", e.g. "0 8 * * 1-5=4".', zh="请写成“CRON=N”，例如“0 8 * * 1-5=4”。"),
        )
    return {"cron": cron.strip(), "instances": int(count)}


def _threshold(text: str) -> tuple[str, float | None]:
    number, _, value = text.lower().removeprefix("v").partition("=")
    try:
        return str(int(number)), None if value == "auto" else float(value)
    except ValueError:
        raise InvalidInput(
            "invalid_threshold",
            Text(en=f"'{text}' is no threshold of a version.", zh=f"“{text}”不是有效的版本阈值。"),
            Text(en="Write VERSION=VALUE, e.g. 1=0.65 or 1=auto.", zh="请写成 版本=数值，例如 1=0.65 或 1=auto。"),
        ) from None


def _json(name: str, text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(
            "invalid_json",
            Text(en=f"--{name} is no JSON: {error}", zh=f"--{name} 不是有效的 JSON：{error}"),
        ) from error


def _require(changes: dict[str, Any], options: str) -> None:
    if not changes:
        raise InvalidInput(
            "nothing_to_change",
            Text(en="Nothing is to be changed.", zh="没有要修改的内容。"),
            Text(en=f"Give one of {options}.", zh=f"请给出以下选项之一：{options}。"),
        )


def updates(service: str, as_json: JsonFlag = False) -> None:
    """Show the update records: who changed what when."""
    with connect() as client:
        answer = client.service_updates(service)
    if as_json:
        print_json(answer)
        return
    rows = [
        [
            f"r{one['number']}",
            one["at"][:19].replace("T", " "),
            one["actor"],
            one["action"],
            "\n".join(f"{change['field']}: {change['before']} > {change['after']}" for change in one["changes"][:8]),
        ]
        for one in answer["items"]
    ]
    print_table(["record", "time (UTC)", "who", "action", "changes"], rows)


def rollback(service: str, record: str, wait: Wait = False, as_json: JsonFlag = False) -> None:
    """Restore all settings of an update record, e.g. r3."""
    number = record.lower().removeprefix("r")
    if not number.isdecimal():
        raise InvalidInput(
            "invalid_record",
            Text(en=f"'{record}' is no update record.", zh=f"“{record}”不是有效的更新记录。"),
            Text(en="Write its number, e.g. r3.", zh="请写编号，例如 r3。"),
        )
    with connect() as client:
        _done(client, service, client.roll_back(service, int(number)), wait=wait, as_json=as_json)


def events(
    service: str,
    warnings: Annotated[bool, typer.Option("--warnings", help="Only warnings.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what happened to a service."""
    with connect() as client:
        answer = client.service_events(service, **({"severity": "warning"} if warnings else {}))
    if as_json:
        print_json(answer)
        return
    rows = [
        [one["last_at"][:19].replace("T", " "), one["severity"], one["count"], one["message"], one["instance"]]
        for one in answer["items"]
    ]
    print_table(["last (UTC)", "kind", "times", "what", "instance"], rows)


def metrics(
    service: str,
    range_: Annotated[Literal["1h", "24h", "7d"], typer.Option("--range", help="Up to now.")] = "1h",
    by: Annotated[Literal["service", "version", "instance"], typer.Option(help="One row each.")] = "service",
    as_json: JsonFlag = False,
) -> None:
    """Show calls, latency, processor and memory over a range (all points with --json)."""
    with connect() as client:
        answer = client.service_metrics(service, range=range_, by=by)
    if as_json:
        print_json(answer)
        return
    rows = []
    for series in answer["series"]:
        total = series["total"] or {}
        names = ("calls", "success", "invalid", "limited", "errors", "p50", "p95", "p99", "memory_mb")
        whole = [None if total.get(name) is None else round(total[name]) for name in names]
        shares = [
            None if total.get(name) is None else f"{total[name]:.2f}" for name in ("cpu", "low_share", "empty_share")
        ]
        rows.append([series["subject"], *whole, *shares])
    columns = ["", "calls", "ok", "bad", "limited", "errors", "p50", "p95", "p99", "MiB", "cores", "unsure", "empty"]
    print_table(columns, rows)


def logs(
    service: str,
    instance: Annotated[str | None, typer.Option(help="Only this process.")] = None,
    search: Annotated[str, typer.Option(help="Only lines that hold this.")] = "",
    level: Annotated[Literal["debug", "info", "warning", "error"] | None, typer.Option(help="Or above.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the service has ended.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write the whole log to this file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the log of a service's processes."""
    filters: dict[str, str | int] = {"q": search, "limit": 5000}
    if instance is not None:
        filters["instance"] = instance
    if level is not None:
        filters["level"] = level
    with connect() as client:
        if output is not None:
            size = client.download_service_logs(service, output, instance=instance)
            print_json({"file": str(output), "bytes": size}) if as_json else screen.print(f"{output}: {size} bytes")
            return
        if follow:
            for line in client.follow_service_log(service, **filters):
                _print_line(line)
            return
        lines: list[Any] = []
        page = client.service_logs(service, **filters)
        lines += page["items"]
        while not page["end"]:
            page = client.service_logs(service, cursor=page["next"], **filters)
            lines += page["items"]
    if as_json:
        print_json({"items": lines})
        return
    for line in lines:
        _print_line(line)


def _print_line(line: dict[str, Any]) -> None:
    screen.print(
        f"{line['at'] or '-'} {line['instance']} {line['message']}", markup=False, highlight=False, soft_wrap=True
    )


def extend(
    service: str,
    by: Annotated[str, typer.Option(help="So much longer: 30m, 1h; -1 = no limit any more.")] = "1h",
    as_json: JsonFlag = False,
) -> None:
    """Let a service run longer."""
    with connect() as client:
        answer = client.extend_service(service, parse_duration(by))
    left = answer["remaining_seconds"]
    shown = "no limit" if left is None else f"{left / 60:.0f} min left"
    print_json(answer) if as_json else screen.print(f"{service}: {shown}", highlight=False)


def restart_instance(service: str, instance: str, wait: Wait = False, as_json: JsonFlag = False) -> None:
    """Replace one process by a new one."""
    with connect() as client:
        _done(client, service, client.restart_instance(service, instance), wait=wait, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands to ``sandglass service``."""
    for command in (versions, weights, update, scale, updates, rollback, events, metrics, logs, extend):
        app.command(command.__name__)(command)
    app.command("add-version")(add_version)
    app.command("remove-version")(remove_version)
    app.command("restart-instance")(restart_instance)
