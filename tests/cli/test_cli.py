import json
import subprocess
import sys
import zipfile

import pytest
from shell import Shell

from sandglass.cli.predict import parse_keys
from sandglass.core.errors import InvalidInput
from sandglass.formats import get_format
from sandglass.scenarios.ocr.synthesis import generate_receipts, to_samples


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("cli") / "home")
    yield shell
    shell.stop()


@pytest.fixture(scope="module")
def receipts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("receipts")
    samples = list(to_samples(generate_receipts(14, seed=12, language="mixed", strength=0.2)))
    get_format("sroie").write([(sample, lambda data=data: data) for sample, data in samples], folder)
    names = [sample.path.removesuffix(".jpg") for sample, _ in samples]
    (folder / "split.json").write_text(json.dumps({"train": names[:10], "test": names[10:]}))
    return folder


def test_the_whole_flow_by_commands(shell, receipts):
    for part, count in (("train", 10), ("test", 4)):
        done = shell(
            "dataset",
            "import",
            receipts,
            "--name",
            part,
            "--scenario",
            "ocr",
            "--split",
            receipts / "split.json",
            "--part",
            part,
            "--json",
        )
        assert done["import"]["stored"] == count
    assert {item["name"] for item in shell("dataset", "list", "--json")["items"]} == {"train", "test"}

    created = shell(
        "task", "create", "receipts", "--scenario", "ocr", "--train", "train", "--test", "test", "--fields", "total,date",
        "--preference", "fastest", "--set", "reader=fast", "--max-time", "60s", "--wait", "--json",
    )  # fmt: skip
    assert created["run"]["status"] == "succeeded"
    assert created["run"]["used_seconds"] < 70
    assert "succeeded" in shell("task", "show", "receipts")
    assert any("best model" in line["message"] for line in shell("task", "logs", "receipts", "--json")["items"])

    shown = shell("evaluation", "show", "receipts", "--json")
    assert shown["threshold"] == 0.5
    assert {"precision", "recall", "f1", "cer", "line_f1"} <= shown["overall"].keys()
    assert [label["label"] for label in shown["labels"]] == ["total", "date"]
    assert {"label", "precision", "recall", "f1", "support"} <= shown["labels"][0].keys()
    given = shell("evaluation", "run", "receipts", "--test", "test", "--text", "given", "--wait", "--json")
    assert given["overall"]["line_f1"] == 1
    strict = shell("evaluation", "show", "receipts", "--threshold", "0.95", "--badcases", "--exact", "--json")
    assert strict["threshold"] == 0.95
    assert len(strict["badcases"]) == strict["badcase_count"]

    service = shell("service", "publish", "receipts", "--name", "till", "--max-run-time", "10m", "--wait", "--json")
    assert service["status"] == "running"
    picture = next(iter(sorted((receipts / "images").glob("*.jpg"))))
    labelled = shell("predict", "till", picture, "--json")["results"][0]
    assert [field["key"] for field in labelled["fields"]] == ["total", "date"]
    assert labelled["lines"]
    every = shell("predict", "till", picture, "--keys", "all", "--json")["results"][0]
    assert "found" in {field["source"] for field in every["fields"]}
    custom = shell("predict", "till", picture, picture, "--keys", "custom:日期,Blood group", "--json")["results"]
    assert [[field["key"] for field in result["fields"]] for result in custom] == [["日期", "Blood group"]] * 2
    assert "running" in shell("service", "show", "till")
    assert "stopped" in shell("service", "stop", "till")
    shell("predict", "till", picture, code=5)


def test_data_by_commands(shell, receipts, tmp_path):
    made = shell("dataset", "create", "books", "--scenario", "ocr", "--tag", "till", "--json")
    assert (made["state"], made["tags"]) == ("empty", ["till"])
    shell("dataset", "create", "books", "--scenario", "ocr", "--json", code=5)
    source = ("dataset", "import", receipts, "--name", "books", "--scenario", "ocr")
    checked = shell(*source, "--check", "--json")["import"]
    assert (checked["status"], checked["found"], checked["labels"]["total"]) == ("checked", 14, 14)
    assert shell("dataset", "show", "books", "--json")["sample_count"] == 0
    done = shell(*source, "--upload", "--map", "total=amount", "--map", "number=", "--json")
    assert done["import"]["stored"] == 14
    assert "number" not in done["dataset"]["label_counts"]
    assert done["dataset"]["label_counts"]["amount"] == 14
    assert shell("dataset", "list", "--tag", "till", "--json")["total"] == 1
    assert shell("dataset", "edit", "books", "--description", "old", "--json")["description"] == "old"

    first = shell("dataset", "samples", "books", "--limit", 1, "--json")
    assert first["total"] == 14
    name = first["items"][0]["path"]
    assert shell("dataset", "mark", "books", "--to", "test", "--search", name, "--json")["samples"] == 1
    assert "test" in shell("dataset", "samples", "books", "--part", "test")
    shell("dataset", "remove", "books", "--json", code=2)
    shell("dataset", "classify", "books", "--to", "x", "--all", "--json", code=2)

    assert shell("dataset", "publish", "books", "--json")["number"] == 1
    assert "Nothing new" in shell("dataset", "publish", "books")
    assert "14 samples changed" in shell("dataset", "label", "rename", "books", "amount", "sum")
    shell("dataset", "label", "rename", "books", "sum", "date", "--json", code=5)
    assert shell("dataset", "label", "merge", "books", "sum", "date", "--json")["samples"] == 14
    assert "date" in shell("dataset", "label", "list", "books")
    compared = shell("dataset", "compare", "books", 1, "--json")
    assert compared["counts"]["annotation"] == 14
    assert "14 changed" in shell("dataset", "restore", "books", 1)
    assert shell("dataset", "compare", "books", 1, "--json")["counts"] == {"same": 14}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": {"TOTAL": "amount"}, "additional": ["stamp"]}))
    told = shell("dataset", "dictionary", "books", "--set", tmp_path / "keys.json", "--json")
    assert shell("dataset", "dictionary", "books", "--json") == told

    archive = shell(
        "dataset", "export", "books", tmp_path / "books.zip", "--format", "ti-ocr", "--version", 1, "--json"
    )
    assert archive["written"] == 14
    assert zipfile.is_zipfile(tmp_path / "books.zip")
    assert shell("dataset", "export", "books", tmp_path / "out", "--format", "sroie", "--json")["written"] == 14
    shell("dataset", "export", "books", tmp_path / "out", "--format", "sroie", "--json", code=5)
    shell("dataset", "delete-version", "books", 1)
    assert shell("dataset", "versions", "books", "--json")["total"] == 0
    shell("dataset", "delete", "books")
    shell("dataset", "show", "books", "--json", code=4)


BAD = [
    (("dataset", "import", "/tmp", "--name", "x", "--scenario", "ocr", "--map", "="), 2, "invalid_map"),
    (("dataset", "import", "/no/such", "--name", "x", "--scenario", "ocr", "--upload"), 2, "folder_not_found"),
    (("dataset", "dictionary", "none", "--set", "/no/such"), 2, "file_unreadable"),
    (("dataset", "compare", "none", "1"), 4, "dataset_not_found"),
    (("dataset", "show", "none"), 4, "dataset_not_found"),
    (("dataset", "import", "/no/such/folder", "--name", "x", "--scenario", "ocr"), 2, None),
    (("dataset", "import", "/tmp", "--name", "x", "--scenario", "nonsense"), 4, "scenario_unknown"),
    (("task", "create", "t", "--scenario", "ocr", "--train", "none"), 4, "dataset_not_found"),
    (("task", "create", "t", "--scenario", "ocr", "--train", "none", "--max-time", "soon"), 2, "invalid_duration"),
    (("task", "create", "t", "--scenario", "ocr", "--train", "none", "--set", "x"), 2, "invalid_parameter"),
    (("service", "show", "none"), 4, None),
    (("predict", "none", __file__), 4, None),
    (("predict", "none", "/no/such.jpg"), 2, "file_missing"),
    (("predict", "none", __file__, "--keys", "custom:"), 2, "invalid_keys"),
    (("weights", "pull", "no/such"), 4, "weights_unknown"),
]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"), BAD, ids=[" ".join(row[0][:2]) + str(i) for i, row in enumerate(BAD)]
)
def test_wrong_input_ends_with_its_exit_code_and_a_reason(shell, arguments, exit_code, code):
    answer = shell(*arguments, "--json", code=exit_code)
    assert answer["error"]["message"]
    assert code is None or answer["error"]["code"] == code


def test_sentences_come_in_chinese_when_asked(shell):
    shell.environment["SANDGLASS_LANGUAGE"] = "zh-CN"
    try:
        answer = shell("dataset", "show", "没有", "--json", code=4)
    finally:
        shell.environment["SANDGLASS_LANGUAGE"] = "en"
    assert "没有" in answer["error"]["message"]
    assert "数据集" in answer["error"]["message"]


def test_every_command_explains_itself():
    for command in ("", "dataset", "task", "evaluation", "service", "weights", "predict", "up", "demo"):
        done = subprocess.run(
            [sys.executable, "-m", "sandglass.cli", *command.split(), "--help"], capture_output=True, text=True
        )
        assert done.returncode == 0
        assert "Usage" in done.stdout


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("labelled", ("labelled", [])), ("all", ("all", [])), ("custom:a，b, c", ("custom", ["a", "b", "c"]))],
)
def test_keys_are_read(text, parsed):
    assert parse_keys(text) == parsed


@pytest.mark.parametrize("text", ["", "custom", "custom:", "all:a", "some"])
def test_wrong_keys_are_refused(text):
    with pytest.raises(InvalidInput):
        parse_keys(text)
