"""``sandglass dataset label`` and ``dataset dictionary``: labels or fields of a dataset, and its key dictionary."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import JsonFlag, print_json, print_table, screen
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text

app = typer.Typer(help="Labels or fields of a dataset: list, rename, merge, delete.", no_args_is_help=True)


@app.command("list")
def list_(dataset: str, as_json: JsonFlag = False) -> None:
    """List labels or fields with how many samples carry them."""
    with connect() as client:
        answer = client.labels(dataset)
    if as_json:
        print_json(answer)
        return
    rows = [[item["label"], item["samples"], item["occurrences"]] for item in answer["items"]]
    print_table(["label", "samples", "occurrences"], rows)


@app.command()
def rename(dataset: str, label: str, to: str, as_json: JsonFlag = False) -> None:
    """Rename a label on all samples."""
    _rename(dataset, label, to, merge=False, as_json=as_json)


@app.command()
def merge(dataset: str, label: str, into: str, as_json: JsonFlag = False) -> None:
    """Make two labels one: LABEL becomes INTO on all samples."""
    _rename(dataset, label, into, merge=True, as_json=as_json)


def _rename(dataset: str, label: str, to: str, *, merge: bool, as_json: bool) -> None:
    with connect() as client:
        answer = client.rename_label(dataset, label, to, merge=merge)
    print_json(answer) if as_json else screen.print(f"{answer['samples']} samples changed", highlight=False)


@app.command()
def delete(dataset: str, label: str, as_json: JsonFlag = False) -> None:
    """Take a label off all samples; the samples stay."""
    with connect() as client:
        answer = client.delete_label(dataset, label)
    print_json(answer) if as_json else screen.print(f"{answer['samples']} samples changed", highlight=False)


def dictionary(
    dataset: str,
    set_from: Annotated[
        Path | None,
        typer.Option("--set", help='JSON file: {"keys": {"printed key": "field"}, "additional": ["field"]}.'),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show or replace the key dictionary of a dataset of documents."""
    with connect() as client:
        answer = client.dictionary(dataset) if set_from is None else client.set_dictionary(dataset, _read(set_from))
    if as_json:
        print_json(answer)
        return
    print_table(["printed key", "field"], list(answer["keys"].items()))
    if answer["additional"]:
        screen.print(", ".join(answer["additional"]), highlight=False)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            "file_unreadable",
            Text(en=f"{path} cannot be read as JSON: {error}", zh=f"无法将 {path} 读取为 JSON：{error}"),
            field="set",
        ) from error
