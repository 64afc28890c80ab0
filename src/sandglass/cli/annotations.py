"""``sandglass dataset annotate`` and ``prelabel``: one picture's annotation from a file, suggestions for a whole dataset."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import EXIT_NOT_SUCCEEDED, JsonFlag, print_json, progress_bar, say, screen
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text


def register(app: typer.Typer) -> None:
    """Add the commands to ``sandglass dataset``."""
    app.command()(annotate)
    app.command()(annotation)
    app.command()(prelabel)


def annotate(
    dataset: str,
    sample: Annotated[str, typer.Argument(help="Path of the picture in the dataset, or its id.")],
    file: Annotated[Path, typer.Argument(help="JSON file with the annotation; - for standard input.")],
    state: Annotated[str, typer.Option(help="labelled, pre_labelled or unlabelled.")] = "labelled",
    part: Annotated[str | None, typer.Option(help="Mark: train, validation, test or none.")] = None,
    create: Annotated[list[str] | None, typer.Option(help="A label or field that is new to the dataset.")] = None,
    revision: Annotated[int | None, typer.Option(help="Write only if the sample is still at this revision.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the annotation of one picture; what it replaces stays in the picture's history."""
    told = _read(file)
    with connect() as client:
        if revision is None:
            revision = client.annotation(dataset, sample)["revision"]
        answer = client.annotate(dataset, sample, told, revision=revision, state=state, part=part, create=create or ())
    print_json(answer) if as_json else print_sample(answer)


def annotation(
    dataset: str,
    sample: Annotated[str, typer.Argument(help="Path of the picture in the dataset, or its id.")],
    history: Annotated[bool, typer.Option("--history", help="Show what was replaced instead.")] = False,
) -> None:
    """Print a picture's annotation as JSON, as `annotate` takes it."""
    with connect() as client:
        print_json(
            client.annotation_history(dataset, sample)["items"]
            if history
            else client.annotation(dataset, sample)["annotation"]
        )


def prelabel(
    dataset: str,
    task: Annotated[str | None, typer.Option(help="Task whose best model suggests.")] = None,
    base: Annotated[
        bool, typer.Option("--base", help="Use the scenario's base model, which needs no training.")
    ] = False,
    version: Annotated[int | None, typer.Option(help="Version of the task; the newest unless given.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave what an earlier run has suggested as it is.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Suggest annotations for all pictures that no person has worked on; labelled pictures are never touched."""
    if (task is None) == (not base):
        raise InvalidInput(
            "model_not_chosen",
            Text(en="It is not clear which model is meant.", zh="未指定使用哪个模型。"),
            Text(en="Give either --task NAME or --base.", zh="请指定 --task 名称 或 --base。"),
        )
    with connect() as client:
        run = client.prelabel(dataset, task=task, version=version, again=not keep)
        if wait:
            title = say(Text(en=f"Pre-labelling {dataset}", zh=f"预标注 {dataset}"))
            with progress_bar(title, quiet=as_json) as bar:
                run = client.wait_for_run(run["id"], lambda state: bar(state["progress"], state["status"]))
        states = client.dataset(dataset)["states"]
    if as_json:
        print_json({"run": run, "states": states})
    else:
        screen.print(f"{run['id']}: {run['status']}", highlight=False)
        if run.get("error"):
            screen.print(run["error"]["message"], markup=False, highlight=False)
        screen.print(", ".join(f"{name} {count}" for name, count in states.items()), highlight=False)
    if wait and run["status"] != "succeeded":
        raise typer.Exit(EXIT_NOT_SUCCEEDED)


def print_sample(sample: dict[str, Any]) -> None:
    """One line about a sample."""
    labels = ", ".join(f"{label} x{count}" for label, count in sample["labels"].items()) or "-"
    shown = f"{sample['path']}: {sample['state']}, revision {sample['revision']}, {labels}"
    screen.print(shown, markup=False, highlight=False)


def _read(file: Path) -> Any:  # noqa: ANN401
    try:
        return json.loads(sys.stdin.read() if str(file) == "-" else file.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(
            "file_missing",
            Text(en=f"{file} cannot be read: {error.strerror}.", zh=f"无法读取 {file}：{error.strerror}。"),
        ) from error
    except ValueError as error:
        raise InvalidInput(
            "json_invalid",
            Text(en=f"{file} is no valid JSON: {error}", zh=f"{file} 不是有效的 JSON：{error}"),
            Text(
                en="See 'sandglass dataset annotation' for the shape.",
                zh="可用 sandglass dataset annotation 查看格式。",
            ),
        ) from error
