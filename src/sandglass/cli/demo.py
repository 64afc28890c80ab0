"""``sandglass demo``: the whole flow on rendered receipts, or on the person's own folder: data → training → service."""

import json
import statistics
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from sandglass.cli.connection import connect
from sandglass.cli.evaluations import newest, print_summary
from sandglass.cli.findings import print_findings
from sandglass.cli.output import EXIT_NOT_SUCCEEDED, progress_bar, screen
from sandglass.cli.predict import print_result
from sandglass.cli.services import print_service
from sandglass.cli.tasks import print_run, wait_for_evaluation, wait_for_training
from sandglass.client import Client
from sandglass.core.picture import SUFFIXES
from sandglass.core.settings import Settings
from sandglass.core.time import parse_duration

TRAIN, TEST = 48, 12
"""Rendered receipts to learn from and to test on; no merchant is in both."""
TIMED = 12
"""Pictures by which the service is timed."""


def demo(
    data: Annotated[
        Path | None, typer.Option(help="Folder of labelled documents; rendered receipts when not given.")
    ] = None,
    max_time: Annotated[
        str | None, typer.Option(help="Longest training time; 4m for rendered receipts, else 20m.")
    ] = None,
    max_run_time: Annotated[str, typer.Option(help="How long the service answers.")] = "1h",
) -> None:
    """Run the whole flow: import, train, evaluate, publish, predict."""
    settings = Settings()
    stamp = datetime.now().astimezone().strftime("%m%d-%H%M%S")
    name = f"demo-{stamp}"
    folder = data if data is not None else rendered_receipts(settings.home / "demo")
    seconds = parse_duration(max_time or ("20m" if data is not None else "4m"))
    with connect(settings) as client:
        show_console(client, "Watch it in the browser:", "/")
        step("Data")
        train, test = import_parts(client, folder, name)
        step("Training")
        started = time.monotonic()
        body = {
            "name": name,
            "scenario": "ocr",
            "train": [train],
            "test": [test] if test else [],
            "max_seconds": seconds,
        }
        created = client.create_task(body)
        print_findings(created.get("findings") or [])
        run = wait_for_training(client, created["run"]["id"], quiet=False)
        print_run(run)
        if run["status"] != "succeeded":
            raise typer.Exit(EXIT_NOT_SUCCEEDED)
        screen.print(f"Trained for {(time.monotonic() - started) / 60:.1f} minutes.", highlight=False)
        step("Evaluation")
        evaluate(client, name, test)
        step("Service")
        service = {
            "name": name,
            "task": name,
            "version": 1,
            "spec": all_cores(client),
            "max_run_seconds": parse_duration(max_run_time),
        }
        client.publish(service)
        with progress_bar(f"Publishing {name}", quiet=False) as bar:
            state = client.wait_for_service(name, lambda seen: bar(float(seen["status"] == "running"), seen["status"]))
        print_service(state, client.address)
        if state["status"] != "running":
            raise typer.Exit(EXIT_NOT_SUCCEEDED)
        pictures = test_pictures(folder)
        step("Three kinds of answer")
        predict_three_ways(client, name, pictures[0])
        step("Speed")
        time_service(client, name, pictures[:TIMED])
        screen.print(f"\nThe service answers at {client.address}/v1/services/{name}/predict", highlight=False)
        screen.print(f"Try: sandglass predict {name} PICTURE --keys all", highlight=False)
        show_console(client, "Or in the browser:", f"/services/{name}/test")


def step(title: str) -> None:
    """A heading."""
    screen.rule(f"[bold]{title}[/]", align="left")


def show_console(client: Client, invitation: str, path: str) -> None:
    """Where the console answers, in an installation that has one, and how to sign in where nobody has yet."""
    from sandglass.api.console import is_shipped

    if not is_shipped():
        return
    screen.print(f"{invitation} {client.address}{path}", highlight=False, soft_wrap=True)
    if not client.request("GET", "/session")["login"]:
        return
    admins = [user for user in client.request("GET", "/users")["items"] if user["role"] == "admin"]
    if admins and all(admin["signed_in_at"] is None for admin in admins):
        given = client.request("POST", f"/users/{admins[0]['id']}/reset-password")
        name, password = given["user"]["name"], given["one_time_password"]
        screen.print(f"Sign in as '{name}' with the one-time password {password}", highlight=False, markup=False)


def rendered_receipts(folder: Path) -> Path:
    """Receipts in Chinese and English made by the project's own generator, as a folder in SROIE format; made once."""
    if (folder / "split.json").exists():
        return folder
    from sandglass.formats import get_format
    from sandglass.scenarios.ocr.synthesis import generate_receipts, to_samples

    parts: dict[str, list[str]] = {}
    groups: dict[str, list[str]] = {}
    for part, count, seed in (("train", TRAIN, 1), ("test", TEST, 2)):
        samples = list(to_samples(generate_receipts(count, seed=seed), prefix=part))
        parts[part] = [Path(sample.path).stem for sample, _ in samples]
        for sample, _ in samples:
            groups.setdefault(str(sample.group), []).append(Path(sample.path).stem)
        get_format("sroie").write(((sample, partial(bytes, data)) for sample, data in samples), folder)
    split = {**parts, "merchants": list(groups.values())}
    (folder / "split.json").write_text(json.dumps(split, indent=1), "utf-8")
    screen.print(f"Rendered {TRAIN + TEST} receipts into {folder}", highlight=False)
    return folder


def import_parts(client: Client, folder: Path, name: str) -> tuple[str, str | None]:
    """Import a folder: its training and test part where it has a split, else all of it (a part is held out later)."""
    split = folder / "split.json"
    parts = ("train", "test") if split.exists() else (None,)
    names = []
    for part in parts:
        dataset = f"{name}-{part or 'data'}"
        job = client.import_folder(
            folder, dataset=dataset, scenario="ocr", split_file=split if part else None, part=part
        )
        with progress_bar(f"Importing {dataset}", quiet=False) as bar:
            job = client.wait_for_import(job["id"], lambda state: bar(state["progress"], state["status"]))
        print_findings(job["findings"])
        counts = client.dataset(dataset).get("label_counts") or {}
        fields = ", ".join(f"{field} {count}" for field, count in counts.items())
        screen.print(f"{dataset}: {job['stored']} pictures ({job['format']}); {fields}", highlight=False)
        names.append(dataset)
    return names[0], names[1] if len(names) > 1 else None


def evaluate(client: Client, name: str, test: str | None) -> None:
    """Show the evaluation that followed by itself (pictures read), then one with the labels' own text."""
    followed = wait_for_evaluation(client, name, 1, quiet=False)
    if followed is None or followed["status"] != "succeeded":
        raise typer.Exit(EXIT_NOT_SUCCEEDED)
    print_summary(newest(client, name, 1, None), title="End to end (pictures read by the service's reader)")
    if test is None:
        return
    run = client.evaluate(name, 1, test=[test], text="given")
    with progress_bar("Evaluation", quiet=False) as bar:
        ended = client.wait_for_run(run["id"], lambda state: bar(state["progress"], state["status"]))
    if ended["status"] == "succeeded":
        print_summary(newest(client, name, 1, None), title="With given text (the labels' own)")
    else:
        print_run(ended)


def test_pictures(folder: Path) -> list[Path]:
    """Pictures that the model has not seen, or all of them when there is no split."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    split = folder / "split.json"
    if split.exists():
        unseen = {Path(item).stem for item in json.loads(split.read_text("utf-8")).get("test", [])}
        files = [path for path in files if path.stem in unseen] or files
    return files


def all_cores(client: Client) -> str | None:
    """The smallest spec with all cores of the machine, as the reader that the service is timed against takes them."""
    specs = [spec for spec in client.request("GET", "/specs")["items"] if spec["available"]]
    if not specs:
        return None
    return str(min(specs, key=lambda spec: (-spec["cpu"], spec["memory_mb"]))["id"])


def predict_three_ways(client: Client, name: str, picture: Path) -> None:
    """One picture with labelled, all and custom keys."""
    for keys, custom in (("labelled", []), ("all", []), ("custom", ["日期", "Total amount", "电话"])):
        answer = client.predict(name, [picture], keys=keys, custom_keys=custom)  # type: ignore[arg-type]
        screen.print(f"keys: {keys}" + (f" ({', '.join(custom)})" if custom else ""), style="bold", highlight=False)
        print_result(answer["results"][0])


def time_service(client: Client, name: str, pictures: Sequence[Path]) -> None:
    """Milliseconds a page of the service over HTTP, against stock RapidOCR on the same pictures where it is installed."""
    rivals: dict[str, Any] = {"Sandglass service": lambda path: client.predict(name, [path])}
    stock = stock_reader()
    if stock is not None:
        rivals["stock RapidOCR (reading only)"] = stock
    times: dict[str, list[float]] = {rival: [] for rival in rivals}
    for number, picture in enumerate([pictures[0], *pictures]):
        for rival, call in rivals.items():
            started = time.perf_counter()
            call(picture)
            if number:  # the first picture only warms up
                times[rival].append((time.perf_counter() - started) * 1000)
    for rival, taken in times.items():
        screen.print(f"{rival}: {statistics.median(taken):.0f} ms a page (median of {len(taken)})", highlight=False)


def stock_reader() -> Any:  # noqa: ANN401
    """Stock RapidOCR as a function of a picture file; None when it is not installed."""
    try:
        from rapidocr import RapidOCR
    except ImportError:
        return None
    engine = RapidOCR(params={"Global.log_level": "critical"})
    return lambda path: engine(path.read_bytes())
