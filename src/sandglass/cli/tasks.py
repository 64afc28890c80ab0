"""``sandglass task``: create, watch, stop, restart and delete learning tasks."""

from typing import Annotated, Any

import typer

from sandglass.cli.connection import connect
from sandglass.cli.findings import print_findings, sentence
from sandglass.cli.output import EXIT_NOT_SUCCEEDED, JsonFlag, print_json, print_table, progress_bar, screen
from sandglass.client import Client
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text
from sandglass.core.time import parse_duration

app = typer.Typer(help="Tasks: create, show, stop, restart, logs.", no_args_is_help=True)


@app.command()
def create(
    name: str,
    scenario: Annotated[str, typer.Option(help="ocr, classification, detection or tableware.")],
    train: Annotated[list[str], typer.Option(help="DATASET or DATASET@vN; may be given several times.")],
    test: Annotated[list[str] | None, typer.Option(help="DATASET or DATASET@vN to evaluate on.")] = None,
    fields: Annotated[str | None, typer.Option(help="Labels or fields to learn, separated by commas.")] = None,
    use: Annotated[str | None, typer.Option(help="OCR: print or handwriting.")] = None,
    max_time: Annotated[str, typer.Option(help="Longest training time: 10m, 1.5h; -1 = no limit.")] = "1h",
    preference: Annotated[str, typer.Option(help="fastest, balanced or most_accurate.")] = "balanced",
    target: Annotated[float | None, typer.Option(help="Stop early when the main metric reaches this (0..1).")] = None,
    validation: Annotated[int, typer.Option(help="Percent of the training data to validate on.")] = 20,
    spec: Annotated[str | None, typer.Option(help="Compute spec, e.g. 2C4G.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Advanced parameter as name=value.")] = None,
    new_version_of: Annotated[str | None, typer.Option(help="Existing task that this is a new version of.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the training and the evaluation after it.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Create a task and start its training."""
    parameters = dict(map(_assignment, set_ or []))
    if use is not None:
        parameters["use"] = use
    body: dict[str, Any] = {
        "name": name,
        "scenario": scenario,
        "train": train,
        "test": test or [],
        "labels": [field.strip() for field in fields.split(",") if field.strip()] if fields else None,
        "max_seconds": parse_duration(max_time),
        "preference": preference,
        "target_score": target,
        "validation_percent": validation,
        "parameters": parameters,
        "seed": seed,
    }
    if spec is not None:
        body["spec"] = spec
    if new_version_of is not None:
        body["new_version_of"] = new_version_of
    with connect() as client:
        created = client.create_task(body)
        if not as_json:
            print_findings(created.get("findings", []))
        if not wait:
            if as_json:
                print_json(created)
            else:
                screen.print(f"{name} v{created['version']['number']}: run {created['run']['id']}", highlight=False)
            return
        run = wait_for_training(client, created["run"]["id"], quiet=as_json)
        evaluation = wait_for_evaluation(client, name, created["version"]["number"], quiet=as_json)
        if as_json:
            print_json({**created, "run": run, "evaluation_run": evaluation})
        else:
            print_run(run)
    if run["status"] != "succeeded" or (evaluation is not None and evaluation["status"] != "succeeded"):
        raise typer.Exit(EXIT_NOT_SUCCEEDED)


@app.command()
def example(
    scenario: Annotated[str, typer.Argument(help="ocr, classification, detection or tableware.")],
    preset: Annotated[str | None, typer.Argument(help="Catalogue entry; the first one when not given.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Start a task of five minutes on example data that Sandglass makes itself."""
    with connect() as client:
        if preset is None:
            found = [item for item in client.request("GET", "/scenarios")["items"] if item["id"] == scenario]
            preset = found[0]["presets"][0]["id"] if found and found[0]["presets"] else scenario
        created = client.try_example(scenario, preset)
    if as_json:
        print_json(created)
    else:
        screen.print(f"{created['task']} v{created['version']['number']}: run {created['run']['id']}", highlight=False)


def _assignment(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise InvalidInput(
            "invalid_parameter",
            Text(en=f"'{text}' is not of the form name=value.", zh=f"“{text}”不是 name=value 的形式。"),
            field="parameters",
        )
    return name, int(value) if value.lstrip("-").isdigit() else value


def wait_for_training(client: Client, run: str, *, quiet: bool) -> dict[str, Any]:
    """Wait for a run under a progress bar."""
    with progress_bar("Training", quiet=quiet) as bar:

        def seen(state: dict[str, Any]) -> None:
            best = state.get("best_score")
            note = f"{state['status']} {state.get('stage') or ''}" + (f" best {best:.3f}" if best is not None else "")
            bar(state["progress"], note)

        answer: dict[str, Any] = client.wait_for_run(run, seen)
    return answer


def wait_for_evaluation(client: Client, task: str, version: int, *, quiet: bool) -> dict[str, Any] | None:
    """Wait for the evaluation that follows a training by itself; None when none follows."""
    state = client.task_version(task, version)
    run = state.get("evaluation_run")
    if run is None:
        return None
    with progress_bar("Evaluation", quiet=quiet) as bar:
        answer: dict[str, Any] = client.wait_for_run(run["id"], lambda seen: bar(seen["progress"], seen["status"]))
    return answer


def print_run(run: dict[str, Any]) -> None:
    """A run in a few lines."""
    minutes = (run.get("used_seconds") or 0.0) / 60
    best = run.get("best_score")
    shown = f"{run['kind']} {run['status']} ({run.get('reason') or '-'}), {minutes:.1f} min"
    screen.print(shown + (f", best score {best:.3f}" if best is not None else ""), highlight=False)
    if run.get("error"):
        screen.print(sentence(run["error"]["message"]), markup=False, style="red")
        if run["error"].get("action"):
            screen.print(sentence(run["error"]["action"]), markup=False)


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List tasks."""
    with connect() as client:
        answer = client.request("GET", "/tasks", params={"limit": 200})
    if as_json:
        print_json(answer)
        return
    rows = [
        [item["name"], item["scenario"], item["stage"], item["status"], item["progress"]] for item in answer["items"]
    ]
    print_table(["name", "scenario", "stage", "status", "progress"], rows)


@app.command()
def show(task: str, version: int | None = None, as_json: JsonFlag = False) -> None:
    """Show one task: settings, run, stages, best score."""
    with connect() as client:
        answer = client.task_version(task, version)
    if as_json:
        print_json(answer)
        return
    screen.print(f"{task} v{answer['number']}", highlight=False)
    for run in (answer["training_run"], answer.get("evaluation_run")):
        if run:
            print_run(run)
    stages = answer["training_run"]["stages"] if answer["training_run"] else []
    print_table(["stage", "seconds"], [[stage["name"], stage.get("seconds")] for stage in stages])


@app.command()
def stop(task: str, version: int | None = None, as_json: JsonFlag = False) -> None:
    """Stop a training; the best model so far is kept."""
    _act(task, version, "stop", as_json=as_json)


@app.command()
def restart(task: str, version: int | None = None, as_json: JsonFlag = False) -> None:
    """Restart a failed, interrupted or stopped training from its last checkpoint."""
    _act(task, version, "restart", as_json=as_json)


def _act(task: str, version: int | None, action: str, *, as_json: bool) -> None:
    with connect() as client:
        number = client.task_version(task, version)["number"]
        answer = client.request("POST", f"/tasks/{task}/versions/{number}/{action}")
    print_json(answer) if as_json else print_run(answer)


@app.command()
def logs(task: str, version: int | None = None, follow: bool = False, as_json: JsonFlag = False) -> None:
    """Print the log of a task's training."""
    with connect() as client:
        run = client.task_version(task, version)["training_run"]
        if as_json:
            print_json(client.run_logs(run["id"], limit=10000))
            return
        lines = client.follow_log(run["id"]) if follow else client.run_logs(run["id"], limit=10000)["items"]
        for line in lines:
            screen.print(f"{line['at']} {line['level']:7} {line['message']}", markup=False, highlight=False)


@app.command()
def delete(task: str, as_json: JsonFlag = False) -> None:
    """Delete a task with its models; a service that uses one of them forbids it."""
    with connect() as client:
        client.request("DELETE", f"/tasks/{task}")
    print_json({"deleted": task}) if as_json else screen.print(f"{task} deleted", highlight=False)
