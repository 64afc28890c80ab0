"""``sandglass dataset samples|mark|classify|remove``: browse samples of a draft and change many at once."""

from typing import Annotated, Any, Literal

import typer

from sandglass.cli.connection import connect
from sandglass.cli.output import JsonFlag, print_json, print_table, screen
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text

Label = Annotated[str | None, typer.Option(help="Only samples that carry this label or field.")]
State = Annotated[str | None, typer.Option(help="Only unlabelled, pre_labelled or labelled ones.")]
PartFilter = Annotated[str | None, typer.Option("--part", help="Only those marked train, validation, test or none.")]
Search = Annotated[str | None, typer.Option("--search", help="Only those with this in their path.")]
All = Annotated[bool, typer.Option("--all", help="Every sample, when no filter is given.")]


def _filter(label: str | None, state: str | None, part: str | None, search: str | None) -> dict[str, Any]:
    given = {"label": label, "state": state, "part": part, "q": search}
    return {name: value for name, value in given.items() if value is not None}


def list_(
    dataset: str,
    label: Label = None,
    state: State = None,
    part: PartFilter = None,
    search: Search = None,
    limit: Annotated[int, typer.Option(help="Most samples to show.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List samples of a draft."""
    with connect() as client:
        answer = client.samples(dataset, limit=limit, **_filter(label, state, part, search))
    if as_json:
        print_json(answer)
        return
    rows = [[item["path"], item["state"], item["part"], ", ".join(item["labels"])] for item in answer["items"]]
    print_table(["path", "state", "part", "labels"], rows)
    screen.print(f"{len(rows)} of {answer['total']}", highlight=False)


def mark(
    dataset: str,
    to: Annotated[Literal["train", "validation", "test", "none"], typer.Option(help="The mark; none takes it away.")],
    label: Label = None,
    state: State = None,
    part: PartFilter = None,
    search: Search = None,
    every: All = False,
    as_json: JsonFlag = False,
) -> None:
    """Mark samples as training, validation or test data."""
    chosen = _filter(label, state, part, search)
    _change(dataset, "mark", chosen, every=every, as_json=as_json, part=None if to == "none" else to)


def classify(
    dataset: str,
    to: Annotated[list[str], typer.Option(help="The label; may be given several times.")],
    label: Label = None,
    state: State = None,
    part: PartFilter = None,
    search: Search = None,
    every: All = False,
    as_json: JsonFlag = False,
) -> None:
    """Give samples of a classification dataset these labels and no others."""
    _change(dataset, "label", _filter(label, state, part, search), every=every, as_json=as_json, labels=to)


def remove(
    dataset: str,
    label: Label = None,
    state: State = None,
    part: PartFilter = None,
    search: Search = None,
    every: All = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove samples from the draft; published versions keep them."""
    _change(dataset, "remove", _filter(label, state, part, search), every=every, as_json=as_json)


def _change(dataset: str, action: str, chosen: dict[str, Any], *, every: bool, as_json: bool, **more: object) -> None:
    if not chosen and not every:
        raise InvalidInput(
            "selection_missing",
            Text(en="No filter says which samples are meant.", zh="没有筛选条件说明要处理哪些样本。"),
            Text(en="Give a filter such as --search, or --all.", zh="请给出筛选条件（如 --search），或使用 --all。"),
        )
    with connect() as client:
        answer = client.change_samples(dataset, action, {"filter": chosen}, **more)
    print_json(answer) if as_json else screen.print(f"{answer['samples']} samples changed", highlight=False)
