"""``sandglass dataset``: make, import, browse, label, publish, compare, export and delete datasets."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sandglass.cli import labels, samples, versions
from sandglass.cli.connection import connect
from sandglass.cli.findings import print_counts, print_findings
from sandglass.cli.output import JsonFlag, print_json, print_table, progress_bar, say, screen
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text

app = typer.Typer(help="Datasets: make, import, browse, label, publish, compare, export, delete.", no_args_is_help=True)
app.add_typer(labels.app, name="label")
app.command("samples")(samples.list_)
app.command("mark")(samples.mark)
app.command("classify")(samples.classify)
app.command("remove")(samples.remove)
app.command("publish")(versions.publish)
app.command("versions")(versions.list_)
app.command("compare")(versions.compare)
app.command("restore")(versions.restore)
app.command("delete-version")(versions.delete)
app.command("dictionary")(labels.dictionary)

Tags = Annotated[list[str] | None, typer.Option("--tag", help="Tag; may be given several times.")]


@app.command()
def create(
    name: str,
    scenario: Annotated[str, typer.Option(help="ocr, classification, detection or tableware.")],
    description: Annotated[str, typer.Option(help="What it is.")] = "",
    tag: Tags = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an empty dataset."""
    with connect() as client:
        answer = client.create_dataset(name, scenario, description=description, tags=tag or [])
    print_json(answer) if as_json else screen.print(f"{answer['name']} ({answer['scenario']})", highlight=False)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder with pictures and labels, or an archive of one.")],
    name: Annotated[str, typer.Option(help="Name of the dataset; an existing one gets the pictures added.")],
    scenario: Annotated[str, typer.Option(help="ocr, classification, detection or tableware.")],
    format: Annotated[str, typer.Option(help="Format of the labels; found out when not given.")] = "auto",  # noqa: A002
    split: Annotated[Path | None, typer.Option(help="JSON file with lists train, test and maybe validation.")] = None,
    part: Annotated[str | None, typer.Option(help="Which part of the split to import.")] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option("--map", help="Label as OLD=NEW; two with one new name are merged, OLD= leaves it out."),
    ] = None,
    upload: Annotated[
        bool, typer.Option("--upload", help="Send the files, for a server that cannot see them.")
    ] = False,
    check_only: Annotated[bool, typer.Option("--check", help="Check and report, store nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check a folder of labelled pictures and store it as a dataset; all or nothing."""
    label_map = dict(map(_renaming, rename or []))
    with connect() as client:
        title = say(Text(en=f"Importing {name}", zh=f"导入 {name}"))
        with progress_bar(title, quiet=as_json) as bar:
            if upload:
                _require_readable(folder)
                sent = client.upload_folder(folder, lambda done, every: bar(done / max(1, every), "upload"))
                job = client.start_import(
                    dataset=name,
                    scenario=scenario,
                    format=format,
                    upload=sent,
                    label_map=label_map,
                    confirm=not check_only,
                )
            else:
                job = client.import_folder(
                    folder,
                    dataset=name,
                    scenario=scenario,
                    format=format,
                    split_file=split,
                    part=part,
                    label_map=label_map,
                    confirm=not check_only,
                )
            job = client.wait_for_import(job["id"], lambda state: bar(state["progress"], state["status"]))
        if job["status"] == "checked":
            job = client.cancel_import(job["id"]) | {"status": "checked"}
        dataset = None if check_only else client.dataset(name)
    if as_json:
        print_json({"import": job, "dataset": dataset})
        return
    print_findings(job["findings"])
    if dataset is None:
        screen.print(f"{job['found']} pictures ready ({job['format']}), {job['left_out']} left out; nothing stored.")
        print_table(["label", "samples"], list(job["labels"].items()))
        return
    screen.print(f"{dataset['name']}: {job['stored']} pictures stored ({job['format']}), {job['left_out']} left out.")
    print_counts(dataset)


def _renaming(text: str) -> tuple[str, str | None]:
    old, separator, new = text.rpartition("=")
    if not separator or not old:
        raise InvalidInput(
            "invalid_map",
            Text(en=f"'{text}' is not of the form OLD=NEW.", zh=f"“{text}”不是 旧=新 的形式。"),
            field="map",
        )
    return old, new or None


def _require_readable(folder: Path) -> None:
    if not folder.exists():
        raise InvalidInput(
            "folder_not_found",
            Text(en=f"There is no folder or archive '{folder}'.", zh=f"没有文件夹或压缩包“{folder}”。"),
            field="folder",
        )


@app.command("list")
def list_(
    q: Annotated[str, typer.Option("--search", help="A part of the name.")] = "",
    scenario: Annotated[str | None, typer.Option(help="Only of this scenario.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List datasets."""
    filters = {"q": q, "scenario": scenario, "tag": tag}
    with connect() as client:
        answer = client.datasets(limit=200, **{name: value for name, value in filters.items() if value})
    if as_json:
        print_json(answer)
        return
    rows = [
        [
            item["name"],
            item["scenario"],
            item["state"],
            item["sample_count"],
            item["labelled_count"],
            _versions(item),
        ]
        for item in answer["items"]
    ]
    print_table(["name", "scenario", "state", "pictures", "labelled", "version"], rows)


def _versions(item: dict[str, Any]) -> str | None:
    if item["latest_version"] is None:
        return None
    return f"v{item['latest_version']}" + (f" + {item['changes']}" if item["changes"] else "")


@app.command()
def show(dataset: str, as_json: JsonFlag = False) -> None:
    """Show one dataset."""
    with connect() as client:
        answer = client.dataset(dataset)
    if as_json:
        print_json(answer)
        return
    screen.print(f"{answer['name']} ({answer['scenario']}): {answer['sample_count']} pictures", highlight=False)
    if answer["description"]:
        screen.print(answer["description"], markup=False, highlight=False)
    print_counts(answer)


@app.command()
def edit(
    dataset: str,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    tag: Tags = None,
    as_json: JsonFlag = False,
) -> None:
    """Change name, description or tags; what is not given stays."""
    given = {"name": name, "description": description, "tags": tag}
    with connect() as client:
        answer = client.change_dataset(dataset, **{key: value for key, value in given.items() if value is not None})
    print_json(answer) if as_json else screen.print(answer["name"], highlight=False)


@app.command()
def export(
    dataset: str,
    folder: Annotated[Path, typer.Argument(help="New or empty folder; or a file NAME.zip, which is downloaded.")],
    format: Annotated[str, typer.Option(help="Format to write.")],  # noqa: A002
    version: Annotated[int | None, typer.Option(help="Published version; the draft when not given.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a dataset to a folder or an archive, in any format that can hold it."""
    with connect() as client, progress_bar(f"Exporting {dataset}", quiet=as_json) as bar:
        if folder.suffix == ".zip":
            answer = client.export_archive(
                dataset,
                folder,
                format,
                version,
                lambda state: bar(state["written"] / max(1, state["total"]), state["status"]),
            )
        else:
            answer = client.export_folder(dataset, folder, format, version)
    if as_json:
        print_json(answer)
        return
    print_findings(answer["findings"])
    screen.print(f"{answer['written']} pictures written to {folder}", highlight=False)


@app.command()
def delete(dataset: str, as_json: JsonFlag = False) -> None:
    """Delete a dataset that no task uses."""
    with connect() as client:
        client.delete_dataset(dataset)
    print_json({"deleted": dataset}) if as_json else screen.print(f"{dataset} deleted", highlight=False)
