"""Datasets over the interface: made, found, browsed, changed in bulk, relabelled, versioned."""

import pytest
from pictures import class_folder


@pytest.fixture(scope="module")
def shapes(server, tmp_path_factory):
    """A dataset of twenty pictures, ten of each class, imported once and not changed by tests."""
    folder = class_folder(tmp_path_factory.mktemp("shapes"), 10, seed=7)
    assert server.import_folder("shapes", folder)["status"] == "done"
    return "shapes"


@pytest.fixture
def draft(server, tmp_path, request):
    """A dataset of a test's own: eight pictures, published as v1."""
    name = request.node.name.replace("test_", "")[:50]
    server.import_folder(name, class_folder(tmp_path / "draft", 4, seed=11))
    server.post(f"/datasets/{name}/versions", status=201)
    return name


def test_an_empty_dataset_is_made_renamed_described_and_deleted(server):
    made = server.post("/datasets", {"name": "空的", "scenario": "classification", "tags": ["a", "a "]}, status=201)
    assert (made["state"], made["sample_count"], made["latest_version"]) == ("empty", 0, None)
    assert made["tags"] == ["a"]
    server.refused("POST", "/datasets", 409, "dataset_name_taken", {"name": "空的", "scenario": "ocr"})
    answer = server.http.patch("/datasets/空的", json={"name": "renamed", "description": "d"})
    assert (answer.json()["id"], answer.json()["name"], answer.json()["tags"]) == (made["id"], "renamed", ["a"])
    server.refused("PATCH", "/datasets/renamed", 409, "dataset_name_taken", {"name": "grey"})
    server.refused("PATCH", "/datasets/renamed", 422, "name_invalid", {"name": "a b"})
    server.refused("POST", "/datasets/renamed/versions", 422, "dataset_empty")
    assert server.http.delete("/datasets/renamed").status_code == 204
    server.refused("GET", "/datasets/renamed", 404, "dataset_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "a b", "scenario": "ocr"}, 422, "name_invalid"),
        ({"name": "x", "scenario": "magic"}, 404, "scenario_unknown"),
        ({"scenario": "ocr"}, 422, "invalid_request"),
        ({"name": "x", "scenario": "ocr", "tags": [""]}, 422, "invalid_request"),
        ({"name": "x", "scenario": "ocr", "colour": 1}, 422, "invalid_request"),
    ],
)
def test_a_dataset_form_that_is_wrong_makes_nothing(server, body, status, code):
    server.refused("POST", "/datasets", status, code, body)


def test_the_list_is_searched_filtered_sorted_and_paged_on_the_server(server, shapes):
    server.post("/datasets", {"name": "sort-a", "scenario": "ocr", "tags": ["till"]}, status=201)
    by_size = server.get("/datasets", sort="pictures", descending=True, limit=2)
    counts = [item["sample_count"] for item in by_size["items"]]
    assert counts == sorted(counts, reverse=True)
    assert by_size["total"] > 2
    names = [item["name"] for item in server.get("/datasets", sort="name", descending=False, limit=200)["items"]]
    assert names == sorted(names, key=str.casefold)
    assert [item["name"] for item in server.get("/datasets", tag="till")["items"]] == ["sort-a"]
    assert "sort-a" in [item["name"] for item in server.get("/datasets", state="empty")["items"]]
    assert {item["scenario"] for item in server.get("/datasets", scenario="classification")["items"]} == {
        "classification"
    }
    assert server.get("/datasets", name="shape")["total"] == 0
    assert server.get("/datasets", q="shape")["total"] == 1


def test_samples_come_page_by_page_in_every_order(server, shapes):
    seen, cursor = [], None
    while True:
        page = server.get(f"/datasets/{shapes}/samples", limit=7, **({"cursor": cursor} if cursor else {}))
        seen += [item["path"] for item in page["items"]]
        assert page["total"] == 20
        if (cursor := page["next"]) is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == 20
    jumped = server.get(f"/datasets/{shapes}/samples", limit=3, offset=10)
    assert [item["path"] for item in jumped["items"]] == seen[10:13]
    first = server.get(f"/datasets/{shapes}/samples", limit=12, sort="updated")
    rest = server.get(f"/datasets/{shapes}/samples", limit=12, sort="updated", cursor=first["next"])
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert len(set(ids)) == 20
    server.refused(
        "GET", f"/datasets/{shapes}/samples?sort=updated&cursor={page['items'][0]['id']}", 422, "cursor_invalid"
    )


def test_filters_narrow_samples_and_their_total(server, shapes):
    def total(**query):
        page = server.get(f"/datasets/{shapes}/samples", **query)
        assert page["total"] == len(page["items"])
        return page["total"]

    assert total(label="dark") == 10
    assert total(label="nothing") == 0
    assert total(state="labelled") == 20
    assert total(state="unlabelled") == 0
    assert total(part="none") == 20
    assert total(q="light/000") == 10
    assert total(label="dark", q="0003") == 1


def test_many_samples_are_marked_by_ids_or_by_filter_in_one_change(server, draft):
    samples = server.get(f"/datasets/{draft}/samples")["items"]
    before = server.get(f"/datasets/{draft}")
    ids = [item["id"] for item in samples[:3]]
    body = {"action": "mark", "part": "test", "selection": {"ids": ids}, "revision": before["revision"]}
    assert server.post(f"/datasets/{draft}/samples/bulk", body)["samples"] == 3
    after = server.get(f"/datasets/{draft}")
    assert after["parts"] == {"none": 5, "test": 3}
    assert (after["revision"], after["changes"]) == (before["revision"] + 1, 1)
    server.refused("POST", f"/datasets/{draft}/samples/bulk", 409, "dataset_changed", body)
    selection = {"filter": {"label": "light"}, "without": [samples[-1]["id"]]}
    body = {"action": "mark", "part": "validation", "selection": selection}
    assert server.post(f"/datasets/{draft}/samples/bulk", body)["samples"] == 3
    assert server.get(f"/datasets/{draft}")["parts"] == {"none": 2, "test": 3, "validation": 3}
    body = {"action": "mark", "selection": {"filter": {}}}
    assert server.post(f"/datasets/{draft}/samples/bulk", body)["samples"] == 8
    assert server.get(f"/datasets/{draft}")["parts"] == {"none": 8}


def test_many_samples_are_classified_or_removed(server, draft):
    path = f"/datasets/{draft}/samples/bulk"
    body = {"action": "label", "labels": ["grey"], "selection": {"filter": {"q": "dark/"}}}
    assert server.post(path, body)["samples"] == 4
    assert server.get(f"/datasets/{draft}")["label_counts"] == {"grey": 4, "light": 4}
    body = {"action": "remove", "selection": {"filter": {"label": "grey"}}}
    assert server.post(path, body)["samples"] == 4
    assert server.get(f"/datasets/{draft}")["sample_count"] == 4
    server.refused("POST", path, 422, "nothing_selected", body)
    server.refused("POST", path, 422, "labels_missing", {"action": "label", "selection": {"filter": {}}})
    server.refused("POST", path, 422, "invalid_request", {"action": "burn", "selection": {"filter": {}}})
    assert server.get(f"/datasets/{draft}/versions")["items"][0]["sample_count"] == 8


def test_labels_are_renamed_merged_and_deleted_on_all_samples(server, draft):
    labels = server.get(f"/datasets/{draft}/labels")["items"]
    assert [(item["label"], item["samples"]) for item in labels] == [("dark", 4), ("light", 4)]
    assert len({item["colour"] for item in labels}) == 2
    colour = labels[0]["colour"]
    path = f"/datasets/{draft}/labels"
    assert server.post(f"{path}/rename", {"label": "dark", "to": "night"})["samples"] == 4
    named = {item["label"]: item for item in server.get(path)["items"]}
    assert named["night"]["colour"] == colour
    server.refused("POST", f"{path}/rename", 409, "label_exists", {"label": "night", "to": "light"})
    server.refused("POST", f"{path}/rename", 404, "label_not_found", {"label": "dark", "to": "x"})
    server.refused("POST", f"{path}/rename", 422, "label_invalid", {"label": "night", "to": " "})
    server.refused("POST", f"{path}/rename", 422, "label_same", {"label": "night", "to": "night "})
    assert server.post(f"{path}/rename", {"label": "night", "to": "light", "merge": True})["samples"] == 4
    assert server.get(f"/datasets/{draft}")["label_counts"] == {"light": 8}
    assert server.post(path, {"label": "dusk", "colour": 5}) == {
        "label": "dusk",
        "colour": 5,
        "samples": 0,
        "occurrences": 0,
    }
    assert server.post(f"{path}/delete", {"label": "light"})["samples"] == 8
    assert [item["label"] for item in server.get(path)["items"]] == ["dusk"]
    dataset = server.get(f"/datasets/{draft}")
    assert dataset["states"] == {"labelled": 8}
    server.refused("PUT", f"/datasets/{draft}/dictionary", 422, "dictionary_unfit", {"keys": {"a": "b"}})


def test_versions_are_compared_restored_and_deleted(server, draft):
    path = f"/datasets/{draft}"
    again = server.http.post(f"{path}/versions")
    assert (again.status_code, again.json()["new"], again.json()["number"]) == (200, False, 1)
    server.post(f"{path}/samples/bulk", {"action": "remove", "selection": {"filter": {"q": "dark/0000"}}})
    bulk = {"action": "label", "labels": ["grey"], "selection": {"filter": {"q": "dark/0001"}}}
    server.post(f"{path}/samples/bulk", bulk)
    server.post(
        f"{path}/samples/bulk", {"action": "mark", "part": "test", "selection": {"filter": {"q": "light/0000"}}}
    )
    compared = server.get(f"{path}/compare", a=1)
    assert compared["counts"] == {"removed": 1, "annotation": 1, "part": 1, "same": 5}
    relabelled = next(change for change in compared["changes"] if change["kind"] == "annotation")
    assert (relabelled["before"], relabelled["after"]) == (["dark"], ["grey"])
    assert {row["label"]: (row["before"], row["after"]) for row in compared["labels"]} == {
        "dark": (4, 2),
        "grey": (0, 1),
    }
    assert [change["kind"] for change in server.get(f"{path}/compare", a=1, kind="removed")["changes"]] == ["removed"]
    assert server.post(f"{path}/versions", status=201)["number"] == 2
    assert server.get(f"{path}/compare", a=2, b=1)["counts"] == {"added": 1, "annotation": 1, "part": 1, "same": 5}
    restored = server.post(f"{path}/versions/1/restore")
    assert (restored["added"], restored["removed"], restored["changed"]) == (1, 0, 2)
    assert server.get(f"{path}/compare", a=1)["counts"] == {"same": 8}
    server.refused("POST", f"{path}/versions/9/restore", 404, "dataset_version_not_found")
    server.refused("POST", f"{path}/versions/1/restore", 409, "dataset_changed", {"revision": 1})
    assert server.http.delete(f"{path}/versions/2").status_code == 204
    server.refused("DELETE", f"{path}/versions/2", 404, "dataset_version_not_found")
    back = server.http.post(f"{path}/versions")
    assert (back.status_code, back.json()["number"]) == (200, 1), "the draft is what v1 holds"
    server.post(f"{path}/samples/bulk", {"action": "remove", "selection": {"filter": {"q": "dark/0000"}}})
    assert server.post(f"{path}/versions", status=201)["number"] == 3, "the number of a deleted version does not return"


def test_what_a_task_uses_is_not_deleted(server):
    problem = server.refused("DELETE", "/datasets/grey", 409, "dataset_in_use")
    assert "trained v1" in problem["detail"]
    assert server.get("/datasets/grey/uses")["items"] == [{"task": "trained", "task_version": 1, "versions": [1]}]
    problem = server.refused("DELETE", "/datasets/grey/versions/1", 409, "version_in_use")
    assert "trained v1" in problem["detail"]
