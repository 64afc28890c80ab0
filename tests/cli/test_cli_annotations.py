"""``sandglass dataset annotate``, ``annotation`` and ``prelabel`` as a person types them."""

import json

import pytest
from labelled_pictures import document_folder
from shell import Shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotations")
    shell = Shell(folder / "home")
    (folder / "pages").mkdir()
    document_folder(folder / "pages")
    shell("dataset", "import", folder / "pages", "--name", "pages", "--scenario", "ocr")
    yield shell
    shell.stop()


def test_one_picture_is_annotated_from_a_file(shell, tmp_path):
    file = tmp_path / "0.json"
    box = {"id": "v", "polygon": [[150, 42], [220, 42], [220, 64], [150, 64]], "text": "02.50", "role": "value"}
    values = [{"field": "amount", "text": "2.50", "box_ids": ["v"]}]
    file.write_text(json.dumps({"kind": "document", "boxes": [box], "values": values}))
    refused = shell("dataset", "annotate", "pages", "0.png", file, "--json", code=2)
    assert refused["error"]["code"] == "label_unknown"
    stored = shell("dataset", "annotate", "pages", "0.png", file, "--create", "amount", "--part", "test", "--json")
    assert (stored["state"], stored["part"], stored["labels"]) == ("labelled", "test", {"amount": 1})
    stale = shell("dataset", "annotate", "pages", "0.png", file, "--revision", "1", "--json", code=5)
    assert stale["error"]["code"] == "sample_changed"
    told = json.loads(shell("dataset", "annotation", "pages", "0.png"))
    assert told["boxes"][0]["text"] == "02.50"
    told["boxes"][0]["text"] = "2.50"
    file.write_text(json.dumps(told))
    shell("dataset", "annotate", "pages", "0.png", file)
    assert json.loads(shell("dataset", "annotation", "pages", "0.png"))["boxes"][0]["text"] == "2.50"
    file.write_text("{")
    assert shell("dataset", "annotate", "pages", "0.png", file, "--json", code=2)["error"]["code"] == "json_invalid"
    assert shell("dataset", "annotate", "pages", "9.png", file, "--json", code=2)


def test_a_dataset_is_pre_labelled_with_the_base_model(shell):
    assert shell("dataset", "prelabel", "pages", "--json", code=2)["error"]["code"] == "model_not_chosen"
    assert (
        shell("dataset", "prelabel", "pages", "--task", "none", "--json", code=4)["error"]["code"] == "task_not_found"
    )
    before = shell("dataset", "show", "pages", "--json")["states"]
    done = shell("dataset", "prelabel", "pages", "--base", "--wait", "--json")
    assert done["run"]["status"] == "succeeded"
    assert done["states"]["labelled"] == before["labelled"]
    assert done["states"]["pre_labelled"] == before["unlabelled"]
    read = json.loads(shell("dataset", "annotation", "pages", "3.png"))
    texts = {box["text"] for box in read["boxes"]}
    assert "Total" in {text.split(" ")[0] for text in texts}
    assert any("32.50" in text for text in texts)
    assert not read["values"], "a base model knows no field"
