"""``sandglass dataset publish|versions|compare|restore|delete-version``: states of a dataset that never change."""

from typing import Annotated

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import JsonFlag, print_json, print_table, say, screen
from sandglass.core.text import Text


def publish(dataset: str, as_json: JsonFlag = False) -> None:
    """Publish the draft as a version that never changes."""
    with connect() as client:
        answer = client.publish_dataset(dataset)
    if as_json:
        print_json(answer)
        return
    title = f"{dataset}@v{answer['number']}"
    nothing = Text(en=f"Nothing new since {title}.", zh=f"自 {title} 以来没有变化。")
    screen.print(title if answer["new"] else say(nothing), highlight=False)


def list_(dataset: str, as_json: JsonFlag = False) -> None:
    """List published versions."""
    with connect() as client:
        answer = client.versions(dataset)
    if as_json:
        print_json(answer)
        return
    rows = [
        [f"v{item['number']}", item["sample_count"], item["labelled_count"], item["created_at"]]
        for item in answer["items"]
    ]
    print_table(["version", "pictures", "labelled", "published"], rows)


def compare(
    dataset: str,
    a: Annotated[int, typer.Argument(help="Number of the first version.")],
    b: Annotated[int | None, typer.Argument(help="Number of the second version; the draft when not given.")] = None,
    limit: Annotated[int, typer.Option(help="Most samples to show.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show what differs between two versions, or between a version and the draft."""
    with connect() as client:
        answer = client.compare_versions(dataset, a, b, limit=limit)
    if as_json:
        print_json(answer)
        return
    print_table(["change", "samples"], list(answer["counts"].items()))
    print_table(["label", "before", "after"], [[row["label"], row["before"], row["after"]] for row in answer["labels"]])
    rows = [[row["path"], row["kind"], ", ".join(row["before"]), ", ".join(row["after"])] for row in answer["changes"]]
    print_table(["path", "change", "before", "after"], rows)
    screen.print(f"{len(rows)} of {answer['total']}", highlight=False)


def restore(dataset: str, version: int, as_json: JsonFlag = False) -> None:
    """Make the draft equal to a version."""
    with connect() as client:
        answer = client.restore_version(dataset, version)
    if as_json:
        print_json(answer)
        return
    changes = ", ".join(f"{answer[kind]} {kind}" for kind in ("added", "removed", "changed"))
    screen.print(f"{dataset} is v{version} again: {changes}", highlight=False)


def delete(dataset: str, version: int, as_json: JsonFlag = False) -> None:
    """Delete a version that no task uses."""
    with connect() as client:
        client.delete_version(dataset, version)
    title = f"{dataset}@v{version}"
    print_json({"deleted": title}) if as_json else screen.print(f"{title} deleted", highlight=False)
