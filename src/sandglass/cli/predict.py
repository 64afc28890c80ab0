"""``sandglass predict``: recognise pictures with a running service."""

from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from sandglass.cli.connection import connect
from sandglass.cli.findings import sentence
from sandglass.cli.output import JsonFlag, print_json, print_table, screen
from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text


def predict(
    service: str,
    images: Annotated[list[Path], typer.Argument(help="Picture files.")],
    keys: Annotated[str, typer.Option(help="OCR: labelled, all, or custom:key,key.")] = "labelled",
    threshold: Annotated[
        float | None, typer.Option(help="Leave out answers below this; the service's own unless given.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Recognise pictures with a running service."""
    mode, custom = parse_keys(keys)
    with connect() as client:
        answer = client.predict(service, images, keys=mode, custom_keys=custom, threshold=threshold)
    if as_json:
        print_json(answer)
        return
    for result in answer["results"]:
        print_result(result)


def parse_keys(text: str) -> tuple[Literal["labelled", "all", "custom"], list[str]]:
    """Read ``labelled``, ``all`` or ``custom:a,b``.

    >>> parse_keys("custom:Date, 电话")
    ('custom', ['Date', '电话'])

    Raises:
        InvalidInput: anything else, or no key after ``custom:``.
    """
    mode, _, listed = text.partition(":")
    custom = [key.strip() for key in listed.replace("，", ",").split(",") if key.strip()]
    if mode not in ("labelled", "all", "custom") or (mode == "custom") != bool(custom):
        raise InvalidInput(
            "invalid_keys",
            Text(en=f"'{text}' is no choice of keys.", zh=f"“{text}”不是有效的 key 选项。"),
            Text(en="Write labelled, all or custom:key,key.", zh="请写 labelled、all 或 custom:key,key。"),
            field="keys",
        )
    return cast("Literal['labelled', 'all', 'custom']", mode), custom


def print_result(result: dict[str, Any]) -> None:
    """One picture's answer for people."""
    total = (result.get("timings") or {}).get("total")
    shown = f"{result['file']}" + (f"  {total:.0f} ms" if total is not None else "")
    screen.print(shown, style="bold", highlight=False)
    if result.get("error"):
        screen.print(sentence(result["error"]["detail"]), markup=False, style="red")
        return
    if "fields" in result:
        missing = "not found"
        rows = [
            [field["key"], field["value"] if field["value"] is not None else missing, field["score"], field["source"]]
            for field in result["fields"]
        ]
        print_table(["key", "value", "score", "source"], rows)
    if result.get("ratio"):
        ratio = result["ratio"]
        eye = f", {ratio['eye']} eye" if ratio.get("eye") else ""
        screen.print(f"cup-to-disc ratio {ratio['vertical']:.2f} (score {ratio['score']:.2f}{eye})", highlight=False)
    if result.get("tally"):
        print_tally(result["tally"])
    for name in ("labels", "objects"):
        if name in result:
            print_table(["label", "score"], [[item["label"], item["score"]] for item in result[name]])


def print_tally(tally: dict[str, Any]) -> None:
    """Counts per label, and the total where there is a price list."""
    if tally.get("total") is None:
        print_table(["label", "count"], [[item["label"], item["count"]] for item in tally["counts"]])
        return
    rows = [[item["label"], item["count"], item.get("price"), item.get("amount")] for item in tally["counts"]]
    rows.append(["total", None, None, f"{tally['total']} {tally['currency']}"])
    print_table(["label", "count", "price", "amount"], rows)
    if tally.get("unpriced"):
        screen.print(f"without a price, not in the total: {', '.join(tally['unpriced'])}", markup=False)
