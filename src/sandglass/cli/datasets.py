"""``sandglass dataset``: import, list, show, export and delete datasets."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import JsonFlag, errors, print_json, print_table, progress_bar, say, screen
from sandglass.core.text import Text

app = typer.Typer(help="Datasets: import, list, show, export, delete.", no_args_is_help=True)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder with pictures and labels, or an archive of one.")],
    name: Annotated[str, typer.Option(help="Name of the dataset; an existing one gets the pictures added.")],
    scenario: Annotated[str, typer.Option(help="ocr, classification, detection or tableware.")],
    format: Annotated[str, typer.Option(help="Format of the labels; found out when not given.")] = "auto",  # noqa: A002
    split: Annotated[Path | None, typer.Option(help="JSON file with lists train, test and maybe validation.")] = None,
    part: Annotated[str | None, typer.Option(help="Which part of the split to import.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a folder of labelled pictures and store it as a dataset; all or nothing."""
    with connect() as client:
        job = client.import_folder(folder, dataset=name, scenario=scenario, format=format, split_file=split, part=part)
        with progress_bar(say(Text(en=f"Importing {name}", zh=f"导入 {name}")), quiet=as_json) as bar:
            job = client.wait_for_import(job["id"], lambda state: bar(state["progress"], state["status"]))
        dataset = client.dataset(name)
    if as_json:
        print_json({"import": job, "dataset": dataset})
        return
    print_findings(job["findings"])
    screen.print(f"{dataset['name']}: {job['stored']} pictures stored ({job['format']}), {job['found']} found.")
    print_counts(dataset)


def print_findings(findings: list[dict[str, Any]], *, most: int = 12) -> None:
    """Findings grouped by code: how many, the first example, what happens to them."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for finding in findings:
        groups.setdefault(finding["code"], []).append(finding)
    for code, group in list(groups.items())[:most]:
        first = group[0]
        count = sum(finding["count"] for finding in group)
        where = (
            f" ({first['file']}{':' + str(first['line']) if first.get('line') else ''})" if first.get("file") else ""
        )
        message, outcome = sentence(first["message"]), sentence(first["outcome"])
        errors.print(f"  {first['severity']} {code} x{count}: {message}{where} → {outcome}", markup=False)


def sentence(value: str | dict[str, str]) -> str:
    """A sentence that the server sent in one language or in both."""
    return value if isinstance(value, str) else say(Text(**value))


def print_counts(dataset: dict[str, Any]) -> None:
    """Label counts of a dataset as a table."""
    counts = dataset.get("label_counts") or {}
    if counts:
        print_table(["label", "samples"], list(counts.items()))


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List datasets."""
    with connect() as client:
        answer = client.datasets(limit=200)
    if as_json:
        print_json(answer)
        return
    rows = [
        [item["name"], item["scenario"], item["sample_count"], item["labelled_count"], item.get("latest_version")]
        for item in answer["items"]
    ]
    print_table(["name", "scenario", "pictures", "labelled", "version"], rows)


@app.command()
def show(dataset: str, as_json: JsonFlag = False) -> None:
    """Show one dataset."""
    with connect() as client:
        answer = client.dataset(dataset)
    if as_json:
        print_json(answer)
        return
    screen.print(f"{answer['name']} ({answer['scenario']}): {answer['sample_count']} pictures", highlight=False)
    print_counts(answer)


@app.command()
def publish(dataset: str, as_json: JsonFlag = False) -> None:
    """Publish the draft as a version that never changes."""
    with connect() as client:
        answer = client.request("POST", f"/datasets/{dataset}/versions")
    print_json(answer) if as_json else screen.print(f"{dataset}@v{answer['number']}", highlight=False)


@app.command()
def export(
    dataset: str,
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")],
    format: Annotated[str, typer.Option(help="Format to write.")],  # noqa: A002
    as_json: JsonFlag = False,
) -> None:
    """Write a dataset to a folder in any format that can hold it."""
    with connect() as client:
        body = {"format": format, "folder": str(folder.absolute())}
        answer = client.request("POST", f"/datasets/{dataset}/export", json=body)
    if as_json:
        print_json(answer)
        return
    print_findings(answer["findings"])
    screen.print(f"{answer['written']} pictures written to {folder}", highlight=False)


@app.command()
def delete(dataset: str, as_json: JsonFlag = False) -> None:
    """Delete a dataset that no task uses."""
    with connect() as client:
        client.request("DELETE", f"/datasets/{dataset}")
    print_json({"deleted": dataset}) if as_json else screen.print(f"{dataset} deleted", highlight=False)
