"""How the command line speaks: tables and progress for people, JSON for scripts, exit codes for both."""

import json
import locale
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandglass.core.errors import SandglassError
from sandglass.core.text import Language, Text, choose_language

EXIT_CODES = {
    "error": 1,
    "broken": 1,
    "invalid": 2,
    "too_large": 2,
    "not_found": 4,
    "conflict": 5,
    "stale": 5,
    "busy": 6,
    "limited": 6,
    "timed_out": 6,
    "not_signed_in": 7,
    "forbidden": 8,
    "payment_needed": 9,
}
"""Exit code by kind of failure; 3 = a run or service that was waited for did not succeed."""
EXIT_NOT_SUCCEEDED = 3

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

screen = Console()
errors = Console(stderr=True)


def language() -> Language:
    """The language of sentences: ``SANDGLASS_LANGUAGE``, else that of the locale."""
    chosen = os.environ.get("SANDGLASS_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG")
    return choose_language((chosen or locale.getlocale()[0] or "en").replace("_", "-"))


def say(text: Text) -> str:
    """The sentence in the person's language."""
    return text.to(language())


def print_json(value: Any) -> None:  # noqa: ANN401
    """Print one JSON document to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None) -> None:
    """Print rows under columns; numbers stand to the right, nothing is shown as ``-``."""
    if title:
        # Not the table's own title, which is wrapped to the width of its columns.
        screen.print(title, style="italic", highlight=False, markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    screen.print(table)


def cell(value: object) -> str:
    """One table cell: three decimals for shares, ``-`` for nothing."""
    if value is None or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def print_error(error: SandglassError, *, as_json: bool) -> int:
    """Show a failure and return its exit code."""
    if as_json:
        shown = {"error": {"code": error.code, "message": say(error.message)}}
        if error.action:
            shown["error"]["action"] = say(error.action)
        print_json(shown)
    else:
        errors.print(f"[bold red]{say(Text(en='Error', zh='错误'))}[/] ({error.code}): ", end="")
        errors.print(say(error.message), markup=False, highlight=False)
        if error.action:
            errors.print(say(error.action), markup=False, highlight=False, style="dim")
    return EXIT_CODES.get(error.kind, 1)


@contextmanager
def progress_bar(description: str, *, quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """A progress bar on standard error; call it with a share 0..1 and what is going on. Silent when ``quiet`` or nobody watches."""
    if quiet:
        yield lambda _share, _note: None
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=errors,
        disable=not errors.is_terminal,
    ) as bar:
        task = bar.add_task(description, total=1.0, note="")

        def update(share: float, note: str) -> None:
            bar.update(task, completed=share, note=note)

        yield update
