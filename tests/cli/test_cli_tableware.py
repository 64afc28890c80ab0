"""From labelled tables to a totalled tray, by commands alone."""

import json

import pytest
from shell import Shell

from sandglass.formats import get_format
from sandglass.scenarios.detection.examples import table_samples

LABELS = ("杯", "碗", "plate")


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("tableware") / "home")
    yield shell
    shell.stop()


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    samples = [(sample, lambda data=data: data) for sample, data in table_samples(40, seed=4, labels=LABELS)]
    get_format("coco").write(samples, folder)
    return folder


def test_a_table_is_learnt_evaluated_served_and_totalled(shell, tables):
    imported = shell("dataset", "import", tables, "--name", "tables", "--scenario", "tableware", "--json")
    assert imported["import"]["stored"] == 40
    shell(
        *("task", "create", "tray", "--scenario", "tableware", "--train", "tables", "--max-time", "3m"),
        # A first model that knows anything is enough here.
        *("--target", "0.2", "--set", "resolution=256", "--set", "prices=杯=2.50,碗=4", "--wait"),
    )
    summary = shell("evaluation", "show", "tray", "--threshold", "0.05", "--json")
    assert summary["overall"]["map50"] > 0.1
    assert summary["overall"]["map"] > 0.05
    assert {row["label"] for row in summary["labels"]} == set(LABELS)
    shown = shell("evaluation", "show", "tray", "--badcases")
    assert "map50" in shown
    shell("service", "publish", "tray", "--name", "till", "--max-run-time", "10m", "--wait")
    picture = next(path for path in sorted((tables / "images").rglob("*.jpg")))
    answer = shell("predict", "till", picture, "--threshold", "0.05", "--json")["results"][0]
    assert answer["kind"] == "objects"
    assert sum(row["count"] for row in answer["tally"]["counts"]) == len(answer["objects"])
    assert answer["tally"]["currency"] == "CNY"
    prices = {"杯": 2.5, "碗": 4}
    expected = sum(prices.get(item["label"], 0) for item in answer["objects"])
    assert float(answer["tally"]["total"]) == expected
    assert "total" in shell("predict", "till", picture, "--threshold", "0.05")
    assert "stopped" in shell("service", "stop", "till")


def test_a_wrong_price_list_is_refused_before_anything_starts(shell, tables):
    said = shell(
        *("task", "create", "dear", "--scenario", "tableware", "--train", "tables", "--set", "prices=cup", "--json"),
        code=2,
    )
    assert "prices" in json.dumps(said)
