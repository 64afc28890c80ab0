"""``sandglass evaluation``: measure a task's model on test data and show the numbers at a threshold."""

from typing import Annotated, Any

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import EXIT_NOT_SUCCEEDED, JsonFlag, print_json, print_table, progress_bar, screen
from sandglass.cli.tasks import print_run
from sandglass.client import Client
from sandglass.core.errors import NotFound
from sandglass.core.text import Text

app = typer.Typer(help="Evaluations: run, show.", no_args_is_help=True)


@app.command()
def run(
    task: str,
    test: Annotated[list[str], typer.Option(help="DATASET or DATASET@vN; may be given several times.")],
    text: Annotated[
        str, typer.Option(help="OCR: 'given' takes the dataset's own text, 'read' reads the pictures.")
    ] = "read",
    version: int | None = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end and show the numbers.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure a task's best model on a test set."""
    with connect() as client:
        number = client.task_version(task, version)["number"]
        started = client.evaluate(task, number, test=test, text=text)
        if not wait:
            print_json(started) if as_json else print_run(started)
            return
        with progress_bar("Evaluation", quiet=as_json) as bar:
            ended = client.wait_for_run(started["id"], lambda state: bar(state["progress"], state["status"]))
        if ended["status"] != "succeeded":
            print_json(ended) if as_json else print_run(ended)
            raise typer.Exit(EXIT_NOT_SUCCEEDED)
        summary = newest(client, task, number, None)
        print_json(summary) if as_json else print_summary(summary)


@app.command()
def show(
    task: str,
    threshold: Annotated[float | None, typer.Option(help="0.05 to 0.95; 0.5 unless given.")] = None,
    badcases: Annotated[bool, typer.Option("--badcases", help="List the samples that are wrong.")] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Count a value as right only when it is the same to the letter.")
    ] = False,
    version: int | None = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the newest evaluation of a task at a threshold."""
    with connect() as client:
        number = client.task_version(task, version)["number"]
        summary = newest(client, task, number, threshold, exact=exact)
        if badcases:
            wrong: list[dict[str, Any]] = []
            while True:
                page = client.badcases(
                    summary["evaluation"], threshold=summary["threshold"], exact=exact, limit=200, offset=len(wrong)
                )
                wrong += page["items"]
                if not page["items"] or len(wrong) >= page["total"]:
                    break
            summary["badcases"] = wrong
    if as_json:
        print_json(summary)
        return
    print_summary(summary)
    for case in summary.get("badcases", []):
        screen.print(case["path"], style="bold", highlight=False)
        for match in case["matches"]:
            shown = f"  {match['truth'] or match['predicted']}: {match['cause']}"
            if match["truth_text"] is not None or match["predicted_text"] is not None:
                shown += f": {match['truth_text']!r} → {match['predicted_text']!r}"
            elif match["truth"] and match["predicted"] and match["truth"] != match["predicted"]:
                shown += f": {match['truth']} → {match['predicted']}"
            screen.print(shown, markup=False, highlight=False)


def newest(client: Client, task: str, version: int, threshold: float | None, *, exact: bool = False) -> dict[str, Any]:
    """Summary of the newest evaluation.

    Raises:
        NotFound: the task was not evaluated yet.
    """
    found = client.evaluations(task, version)["items"]
    done = [item for item in found if item.get("evaluation") is not None]
    if not done:
        raise NotFound(
            "not_evaluated",
            Text(en=f"{task} v{version} has no finished evaluation.", zh=f"{task} v{version} 还没有完成的评测。"),
            Text(en="Run 'sandglass evaluation run'.", zh="请运行 sandglass evaluation run。"),
        )
    answer: dict[str, Any] = client.evaluation_summary(done[0]["evaluation"], threshold=threshold, exact=exact)
    return answer


def print_summary(summary: dict[str, Any], *, title: str | None = None) -> None:
    """Numbers of an evaluation as a table."""
    columns = ["label", "precision", "recall", "f1", "support"]
    rows = [[label[column] for column in columns] for label in summary["labels"]]
    overall = summary["overall"]
    rows.append(["all", overall["precision"], overall["recall"], overall["f1"], sum(row[4] for row in rows)])
    print_table(
        columns, rows, title=title or f"threshold {summary['threshold']:.2f}, {summary['sample_count']} samples"
    )
    extra = {name: value for name, value in overall.items() if name not in columns and value is not None}
    if extra:
        screen.print("  ".join(f"{name} {value:.3f}" for name, value in extra.items()), highlight=False)


@app.command()
def compare(
    task: str,
    other: Annotated[int, typer.Argument(help="Version to compare with.")],
    version: Annotated[int | None, typer.Option(help="Version that is compared; the newest unless given.")] = None,
    threshold: Annotated[float, typer.Option(help="0.05 to 0.95.")] = 0.5,
    exact: Annotated[
        bool, typer.Option("--exact", help="Count a value as right only when it is the same to the letter.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compare the newest evaluations of two versions on the same pictures, with significance."""
    with connect() as client:
        number = client.task_version(task, version)["number"]
        here, there = (newest(client, task, one, None)["evaluation"] for one in (number, other))
        query = {"other": there, "threshold": threshold, "exact": exact}
        found = client.request("GET", f"/evaluations/{here}/comparison", params=query)
    if as_json:
        print_json(found)
        return

    def shown(value: float | None, form: str = ".3f") -> str:
        return "-" if value is None else format(value, form)

    screen.print(
        f"{found['sample_count']} pictures: F1 {shown(found['f1'])} against {shown(found['other_f1'])} "
        f"(p {shown(found['f1_p'])}); {found['samples']['fixed']} pictures fixed, {found['samples']['broken']} broken "
        f"(p {shown(found['samples']['p'])})",
        highlight=False,
    )
    rows = [
        [
            item["label"],
            shown(item["f1"]),
            shown(item["other_f1"]),
            item["truths"]["fixed"],
            item["truths"]["broken"],
            shown(item["truths"]["p"]),
        ]
        for item in found["labels"]
    ]
    print_table(["label", f"F1 v{number}", f"F1 v{other}", "fixed", "broken", "p"], rows)
