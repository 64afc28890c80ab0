"""What is wrong gets a clear problem that names it, in the caller's language, and changes nothing."""

import io
import json
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from pictures import class_folder, picture

BOUNDARY = "edge"


def test_two_tasks_with_one_name(server):
    server.refused("POST", "/tasks", 409, "task_name_taken", task("trained"))
    check = server.get("/tasks/name-check", name="trained")
    assert (check["available"], check["message"]) == (False, "There is already a task 'trained'.")
    assert server.get("/tasks/name-check", name="another")["available"]


def test_two_tasks_with_one_name_at_the_same_moment(server):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: server.http.post("/tasks", json=task("same-moment")), range(6)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.is_error} == {"task_name_taken"}
    created = next(answer.json() for answer in answers if answer.is_success)
    server.wait_run(created["run"]["id"])
    assert server.get("/tasks", q="same-moment")["total"] == 1


def task(name, **more):
    return {"name": name, "scenario": "brightness", "train": ["grey"]} | more


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (task("a b"), 422, "name_invalid", "name"),
        (task("x" * 61), 422, "name_invalid", "name"),
        (task("name-check"), 409, "task_name_taken", "name"),
        ({"scenario": "brightness", "train": ["grey"]}, 422, "name_missing", "name"),
        (task("t1", scenario="magic"), 404, "scenario_unknown", "scenario"),
        (task("t1", train=[]), 422, "invalid_request", "train"),
        (task("t1", train=["nothing"]), 404, "dataset_not_found", "train"),
        (task("t1", train=["grey@v99"]), 404, "dataset_version_not_found", "train"),
        (task("t1", train=["grey@2"]), 422, "dataset_ref_invalid", "train"),
        (task("t1", test=["nothing"]), 404, "dataset_not_found", "test"),
        (task("t1", scenario="ocr"), 422, "dataset_scenario_mismatch", "train"),
        (task("t1", max_seconds=0), 422, "invalid_request", "max_seconds"),
        (task("t1", max_seconds="soon"), 422, "invalid_request", "max_seconds"),
        (task("t1", validation_percent=99), 422, "invalid_request", "validation_percent"),
        (task("t1", preference="cheapest"), 422, "invalid_request", "preference"),
        (task("t1", spec="1000C1G"), 404, "spec_unknown", "spec"),
        (task("t1", spec="32C64G"), 422, "spec_too_large", "spec"),
        (task("t1", parameters={"pieces": 0}), 422, "parameters_invalid", "parameters.pieces"),
        (task("t1", parameters={"piecse": 3}), 422, "parameters_invalid", "parameters.piecse"),
        (task("t1", labels=["purple"]), 422, "data_check_failed", "train"),
        (task("t1", new_version_of="nothing"), 404, "task_not_found", "task"),
        (task("t1", colour="red"), 422, "invalid_request", "colour"),
    ],
)
def test_a_form_that_is_wrong_makes_no_task(server, body, status, code, field):
    before = server.get("/tasks")["total"]
    problem = server.refused("POST", "/tasks", status, code, body)
    assert field in {error["field"] for error in problem["errors"]}
    assert all(error["message"] for error in problem["errors"])
    assert server.get("/tasks")["total"] == before


def test_problems_are_told_in_chinese_and_english(server):
    chinese = server.refused("GET", "/datasets/无", 404, "dataset_not_found", headers={"Accept-Language": "zh-CN,en"})
    assert chinese["detail"] == "没有数据集“无”。"
    fields = server.refused(
        "POST", "/tasks", 422, "invalid_request", task("t1", max_seconds=-1), headers={"Accept-Language": "zh"}
    )
    assert fields["errors"] == [{"field": "max_seconds", "message": "必须大于 0。"}]
    english = server.refused("GET", "/datasets/none", 404, "dataset_not_found", headers={"Accept-Language": "fr"})
    assert english["detail"] == "There is no dataset 'none'."
    assert english["action"]


def test_unknown_fields_of_a_dataset_are_named_with_those_that_exist(server):
    problem = server.refused("POST", "/tasks", 422, "data_check_failed", task("t1", labels=["purple", "dark"]))
    assert "purple" in problem["errors"][0]["message"]
    assert "dark, light" in problem["errors"][0]["message"] or "light, dark" in problem["errors"][0]["message"]


def test_a_data_check_counts_and_warns_without_storing(server, tmp_path):
    overlap = class_folder(tmp_path / "overlap", 2)  # the same pictures as the first of ``grey``
    server.import_folder("overlap", overlap)
    check = server.post("/tasks/check", {"scenario": "brightness", "train": ["grey"], "test": ["overlap"]})
    codes = {finding["code"]: finding for finding in check["findings"]}
    assert codes["duplicates_across_test"]["severity"] == "warning"
    assert codes["duplicates_across_test"]["count"] == 4
    assert check["test"] == 4
    assert check["train"] + check["validation"] == 24
    assert {label["label"] for label in check["labels"]} == {"dark", "light"}
    excluded = server.post(
        "/tasks/check", {"scenario": "brightness", "train": ["grey"], "test": ["overlap"], "exclude_duplicates": True}
    )
    assert "duplicates_across_test" not in {finding["code"] for finding in excluded["findings"]}
    assert (excluded["test"], excluded["train"] + excluded["validation"]) == (4, 20)
    assert server.get("/datasets/overlap")["latest_version"] is None, "a check publishes nothing"


def test_one_document_only_is_learnt_from_with_a_warning(server, tmp_path):
    (tmp_path / "one" / "dark").mkdir(parents=True)
    (tmp_path / "one" / "dark" / "a.png").write_bytes(picture(30))
    server.import_folder("one", tmp_path / "one")
    check = server.post("/tasks/check", {"scenario": "brightness", "train": ["one"]})
    assert [finding["code"] for finding in check["findings"]] == ["few_samples"]


def test_unlabelled_data_cannot_be_learnt_from(server, tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.png").write_bytes(picture(30))
    job = server.import_folder("plain", tmp_path / "plain", format="pictures")
    assert job["status"] == "done"
    problem = server.refused("POST", "/tasks", 422, "data_check_failed", task("t1", train=["plain"]))
    assert "labelled" in problem["errors"][0]["message"]
    server.refused("POST", "/tasks/trained/versions/1/evaluations", 422, "nothing_labelled", {"test": ["plain"]})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "bad name!", "task": "trained"}, 422, "name_invalid"),
        ({"name": "s1", "task": "nothing"}, 404, "task_not_found"),
        ({"name": "s1", "task": "trained", "version": 9}, 404, "task_version_not_found"),
        ({"name": "s1", "task": "trained", "spec": "9C9G"}, 404, "spec_unknown"),
        ({"name": "s1", "task": "trained", "instances": 0}, 422, "invalid_request"),
        ({"name": "s1", "task": "trained", "threshold": 1.5}, 422, "invalid_request"),
        ({"name": "s1", "task": "trained", "max_run_seconds": 0}, 422, "invalid_request"),
    ],
)
def test_a_service_form_that_is_wrong_publishes_nothing(server, body, status, code):
    server.refused("POST", "/services", status, code, body)
    assert server.get("/services")["total"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/runs/run-none", 404, "run_not_found"),
        ("GET", "/evaluations/ev-none", 404, "evaluation_not_found"),
        ("GET", "/imports/im-none", 404, "import_not_found"),
        ("GET", "/services/none", 404, "service_not_found"),
        ("GET", "/datasets/grey/samples/sm-none", 404, "sample_not_found"),
        ("GET", "/datasets/grey/samples?cursor=zzz", 422, "cursor_invalid"),
        ("GET", "/datasets/grey/samples?state=odd", 422, "invalid_request"),
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/tasks", 405, "method_not_allowed"),
        ("POST", "/tasks/trained/versions/1/stop", 409, "run_ended"),
        ("POST", "/tasks/trained/versions/1/restart", 409, "run_not_restartable"),
        ("POST", "/tasks/trained/versions/2/stop", 404, "task_version_not_found"),
    ],
)
def test_what_is_not_there_or_not_possible(server, method, path, status, code):
    server.refused(method, path, status, code)


@pytest.mark.parametrize("threshold", ["0.52", "0", "1", "x"])
def test_thresholds_are_those_of_the_scale(server, threshold):
    evaluation = server.get("/tasks/trained/versions/1/evaluations")["items"][0]["evaluation"]
    for part in ("summary", "badcases"):
        answer = server.http.get(f"/evaluations/{evaluation}/{part}", params={"threshold": threshold})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "threshold"


# Imports


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"folder": "/no/such/folder"}, 422, "folder_not_found"),
        ({"folder": "relative"}, 422, "folder_not_found"),
        ({"folder": None}, 422, "source_missing"),
        ({"dataset": "a@v1"}, 422, "name_invalid"),
        ({"scenario": "magic"}, 404, "scenario_unknown"),
        ({"format": "magic"}, 404, "format_unknown"),
        ({"format": "sroie"}, 422, "format_unfit"),
        ({"part": "train"}, 422, "part_without_split"),
        ({"split_file": "/no/such/file"}, 422, "split_file_not_found"),
        ({"dataset": "grey", "scenario": "ocr"}, 409, "dataset_scenario_differs"),
    ],
)
def test_an_import_form_that_is_wrong_starts_nothing(server, tmp_path, changes, status, code):
    class_folder(tmp_path / "data", 1)
    before = server.get("/imports")["total"]
    body = {"dataset": "new", "scenario": "classification", "folder": str(tmp_path / "data")} | changes
    server.refused("POST", "/imports", status, code, body)
    assert server.get("/imports")["total"] == before


def test_bad_pictures_are_left_out_and_told(server, tmp_path):
    folder = class_folder(tmp_path / "mixed", 2)
    good = picture(40, kind="JPEG", size=(300, 200))
    (folder / "dark" / "empty.png").write_bytes(b"")
    (folder / "dark" / "cut.jpg").write_bytes(good[: len(good) // 2])
    (folder / "dark" / "text.jpg").write_text("no picture")
    (folder / "dark" / "wrong.png").write_bytes(good)
    (folder / "dark" / "twin.png").write_bytes((folder / "dark" / "0000.png").read_bytes())
    job = server.import_folder("mixed", folder)
    assert (job["status"], job["stored"]) == ("done", 6)
    told = {(finding["file"], finding["code"]) for finding in job["findings"]}
    assert ("dark/empty.png", "picture_unreadable") in told
    assert ("dark/cut.jpg", "picture_damaged") in told
    assert ("dark/text.jpg", "picture_unreadable") in told
    assert ("dark/wrong.png", "wrong_suffix") in told
    assert ("dark/twin.png", "duplicate_picture") in told


@pytest.mark.parametrize("content", ["nothing", "only broken"])
def test_an_import_with_nothing_usable_fails_and_leaves_no_dataset(server, tmp_path, content):
    folder = tmp_path / "void"
    folder.mkdir()
    if content == "only broken":
        (folder / "dark").mkdir()
        (folder / "dark" / "a.png").write_bytes(b"")
    job = server.import_folder("void", folder, format="class-folders")
    assert job["status"] == "failed"
    assert job["error"]["code"] in ("nothing_found", "nothing_to_import")
    server.refused("GET", "/datasets/void", 404, "dataset_not_found")


def test_an_import_adds_and_never_overwrites(server, tmp_path):
    first = class_folder(tmp_path / "first", 3, seed=1)
    server.import_folder("growing", first)
    (first / "dark" / "0000.png").write_bytes(picture(60, seed=99))
    (first / "dark" / "new.png").write_bytes(picture(60, seed=100))
    job = server.import_folder("growing", first)
    assert job["stored"] == 1
    kept = [finding["file"] for finding in job["findings"] if finding["code"] == "path_exists"]
    assert len(kept) == 6
    assert server.get("/datasets/growing")["sample_count"] == 7
    assert server.import_folder("growing", first)["error"]["code"] == "nothing_to_import"
    assert server.get("/datasets/growing")["revision"] == 2


def zipped(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred_link():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("dark/a.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("evil.zip", zipped([("../../evil.png", picture(30))]), "archive_unsafe"),
        ("evil.zip", zipped([("/tmp/evil.png", picture(30))]), "archive_unsafe"),
        ("evil.tar", tarred_link(), "archive_unsafe"),
    ],
)
def test_archives_that_reach_outside_are_refused(server, name, data, code):
    job = upload(server, [("files", (name, data))], dataset="evil")
    job = server.wait_import(job["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", code)
    server.refused("GET", "/datasets/evil", 404, "dataset_not_found")
    assert not (server.home / "imports" / job["id"]).exists()


def upload(server, files, **fields):
    answer = server.http.post("/imports", data={"scenario": "classification"} | fields, files=files)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_files_and_archives_can_be_uploaded(server):
    entries = [(f"set/{label}/{index}.png", picture(grey, seed=index)) for index in range(3) for label, grey in GREYS]
    job = server.wait_import(upload(server, [("files", ("set.zip", zipped(entries)))], dataset="zipped")["id"])
    assert (job["status"], job["stored"]) == ("done", 6)
    files = [("files", (name, data)) for name, data in entries]
    job = server.wait_import(upload(server, files, dataset="loose")["id"])
    assert (job["status"], job["stored"]) == ("done", 6)
    assert server.get("/datasets/loose")["label_counts"] == {"dark": 3, "light": 3}
    assert not list((server.home / "imports").iterdir())


GREYS = (("dark", 40), ("light", 210))


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", ".hidden/a.png"])
def test_upload_names_stay_inside(server, name):
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="dataset"\r\n\r\nevil\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="scenario"\r\n\r\nclassification\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\nx\r\n--{BOUNDARY}--\r\n'
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    # A backslash inside quotes is an escape, so the Windows path arrives as a plain name inside the folder.
    if "\\" in name:
        answer = server.http.post("/imports", content=body.encode(), headers=headers)
        assert answer.status_code in (202, 422)
        if answer.status_code == 202:
            server.wait_import(answer.json()["id"])
    else:
        server.refused("POST", "/imports", 422, "upload_name_unsafe", content=body.encode(), headers=headers)
    assert not list(server.home.parent.rglob("evil.png"))


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"broken", "multipart/form-data; boundary=edge", 422, "upload_unreadable"),
        (
            b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nhalf a',
            "multipart/form-data; boundary=edge",
            422,
            "upload_cut",
        ),
        (b"", "multipart/form-data", 422, "upload_unreadable"),
        (b"{", "application/json", 422, "invalid_request"),
        (b"[]", "application/json", 422, "invalid_request"),
        (b"x", "text/plain", 422, "content_type_unknown"),
    ],
)
def test_bodies_that_cannot_be_read(server, content, kind, status, code):
    server.refused("POST", "/imports", status, code, content=content, headers={"Content-Type": kind})
    assert not list((server.home / "imports").iterdir())


def test_a_body_that_is_too_large(server):
    server.refused("POST", "/tasks", 413, "request_too_large", content=b"x" * (9 << 20))


def test_json_that_is_none(server):
    problem = server.refused(
        "POST", "/tasks", 422, "invalid_request", content=b"{oops", headers={"Content-Type": "application/json"}
    )
    assert "JSON" in problem["errors"][0]["message"]


# Other sites


def test_requests_of_other_sites_are_refused(server):
    server.refused("GET", "/health", 403, "host_refused", headers={"Host": "evil.example"})
    server.refused("POST", "/tasks", 403, "origin_refused", task("t1"), headers={"Origin": "http://evil.example"})
    own = server.http.post("/tasks/check", json={}, headers={"Origin": server.address})
    assert own.status_code == 422
    answer = server.http.options("/tasks", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_the_description_of_the_interface_is_whole(server):
    schema = server.get("/openapi.json")
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert {"list_datasets", "create_task", "stream_run_events", "predict", "publish_version"} <= set(names)
    for operation in operations:
        assert operation["tags"], operation
        assert operation["responses"]["422"]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}
        }
    text = json.dumps(schema)
    known = schema["components"]["schemas"]
    for reference in set(json_references(schema)):
        assert reference.removeprefix("#/components/schemas/") in known, reference
    assert "HTTPValidationError" not in text


def json_references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from json_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from json_references(item)
