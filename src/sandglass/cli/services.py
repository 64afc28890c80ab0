"""``sandglass service``: publish models as online services, watch and stop them."""

from typing import Annotated, Any

import typer

from sandglass.cli import servicedetails
from sandglass.cli.connection import connect
from sandglass.cli.findings import sentence
from sandglass.cli.output import EXIT_NOT_SUCCEEDED, JsonFlag, print_json, print_table, progress_bar, screen
from sandglass.core.time import parse_duration

app = typer.Typer(help="Services: publish, change, scale, watch, stop.", no_args_is_help=True)


@app.command()
def publish(
    task: str,
    name: Annotated[str, typer.Option(help="Name of the service.")],
    version: int | None = None,
    spec: Annotated[str | None, typer.Option(help="Compute spec of one instance, e.g. 1C2G.")] = None,
    instances: Annotated[int, typer.Option(help="Number of processes.")] = 1,
    max_run_time: Annotated[str, typer.Option(help="Stop by itself after: 30m, 1h, 2d; -1 = no limit.")] = "1h",
    threshold: Annotated[
        float | None, typer.Option(help="Confidence threshold; the recommended one unless given.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it answers.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Publish the best model of a task as an online service."""
    with connect() as client:
        body: dict[str, Any] = {
            "name": name,
            "task": task,
            "version": client.task_version(task, version)["number"],
            "instances": instances,
            "max_run_seconds": parse_duration(max_run_time),
            "threshold": threshold,
        }
        if spec is not None:
            body["spec"] = spec
        state = client.publish(body)
        if wait:
            with progress_bar(f"Publishing {name}", quiet=as_json) as bar:
                state = client.wait_for_service(
                    name, lambda seen: bar(float(seen["status"] == "running"), seen["status"])
                )
        if as_json:
            print_json(state)
        else:
            print_service(state, client.address)
    if wait and state["status"] != "running":
        raise typer.Exit(EXIT_NOT_SUCCEEDED)


def print_service(state: dict[str, Any], address: str) -> None:
    """A service in two lines."""
    left = state.get("remaining_seconds")
    shown = "no limit" if left is None else f"{left / 60:.0f} min left"
    screen.print(f"{state['name']}: {state['status']}, {shown}", highlight=False)
    if state.get("error"):
        screen.print(sentence(state["error"]["message"]), markup=False, style="red")
    screen.print(f"POST {address}/v1/services/{state['name']}/predict", highlight=False)


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List services."""
    with connect() as client:
        answer = client.request("GET", "/services", params={"limit": 200})
    if as_json:
        print_json(answer)
        return
    rows = [[item["name"], item["status"], item["spec"], item["remaining_seconds"]] for item in answer["items"]]
    print_table(["name", "status", "spec", "seconds left"], rows)


@app.command()
def show(service: str, as_json: JsonFlag = False) -> None:
    """Show one service with its instances."""
    with connect() as client:
        answer = client.service(service)
        if as_json:
            print_json(answer)
            return
        print_service(answer, client.address)
    rows = [[item["id"], item["status"], item["restarts"], item["reason"]] for item in answer["instances"]]
    print_table(["instance", "status", "restarts", "reason"], rows)


@app.command()
def stop(
    service: str,
    wait: Annotated[bool, typer.Option(help="Wait until its processes are gone.")] = True,
    as_json: JsonFlag = False,
) -> None:
    """Stop a service."""
    with connect() as client:
        answer = client.stop_service(service)
        if wait:
            answer = client.wait_for_service(service, until=("stopped", "create_failed", "arrears_stopped"))
    print_json(answer) if as_json else screen.print(f"{service}: {answer['status']}", highlight=False)


@app.command("resume")
@app.command()
def start(service: str, as_json: JsonFlag = False) -> None:
    """Start a stopped service again."""
    with connect() as client:
        answer = client.request("POST", f"/services/{service}/start")
    print_json(answer) if as_json else screen.print(f"{service}: {answer['status']}", highlight=False)


@app.command()
def delete(service: str, as_json: JsonFlag = False) -> None:
    """Delete a stopped service."""
    with connect() as client:
        client.request("DELETE", f"/services/{service}")
    print_json({"deleted": service}) if as_json else screen.print(f"{service} deleted", highlight=False)


servicedetails.register(app)
