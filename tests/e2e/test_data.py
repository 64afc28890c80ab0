"""Data in the browser: imported with its report looked at first, browsed, changed in bulk, relabelled, versioned, exported."""

import io
import zipfile

import pytest
from pictures import class_folder
from playwright.sync_api import expect
from receipts import write_receipts
from visitor import LANGUAGES

from sandglass.scenarios.ocr.scenario import Ocr

SCENARIO = {language: getattr(Ocr.name, language[:2]) for language in LANGUAGES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten receipts, one of which is broken."""
    folder = write_receipts(tmp_path_factory.mktemp("data") / "receipts", 10, seed=61, language="en")
    pictures = sorted((folder / "images").glob("*.png"))
    pictures[0].write_bytes(b"no picture")
    return folder


def button(visit, key, **values):
    return visit.page.get_by_role("button", name=visit.text(key, **values), exact=True)


def link(visit, key, **values):
    return visit.page.get_by_role("link", name=visit.text(key, **values), exact=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_from_files_on_this_machine_to_a_version_that_is_compared_and_exported(visitors, server, folder, language):
    visit = visitors(language=language)
    page, text = visit.page, visit.text
    name = f"data-{language}"

    visit.open("/datasets")
    page.get_by_role("button", name=text("datasets.new")).first.click()
    page.get_by_label(text("newDataset.name"), exact=True).fill(name)
    page.get_by_role("radio", name=SCENARIO[language], exact=True).check()
    page.get_by_label(text("newDataset.description")).fill("Rendered receipts")
    visit.inspect("new-dataset")
    button(visit, "newDataset.create").click()

    page.wait_for_url(f"**/datasets/{name}/imports/new")
    expect(button(visit, "importing.check")).to_have_attribute("aria-disabled", "true")
    page.get_by_label(text("importing.chooseFolder")).locator("visible=false").or_(
        page.locator("input[webkitdirectory]")
    ).last.set_input_files(folder)
    expect(page.get_by_text(text("upload.status.done")).first).to_be_visible()
    visit.inspect("import-source")
    link(visit, "shell.pages.tasks").click()  # the upload is not lost on the way
    expect(page.get_by_text(text("upload.tray", percent=100))).to_be_visible()
    page.wait_for_url("**/tasks*")
    page.go_back()
    button(visit, "importing.check").click()
    confirm = button(visit, "importing.confirmWithout", count=1, ready=9, out=1)
    expect(confirm).to_be_visible()
    address = page.url
    assert server.get(f"/datasets/{name}")["sample_count"] == 0, "nothing is stored before it is confirmed"
    visit.inspect("import-findings", docs=True)

    visit.open("/datasets")
    page.get_by_role("row").filter(has_text=name).get_by_text(text("status.dataset.waiting")).click()
    page.wait_for_url(address)  # an unfinished import is taken up again at its address
    page.get_by_label(text("importing.nameOf", label="total"), exact=True).fill("amount")
    expect(page.get_by_text(text("importing.isRenamed"), exact=True)).to_be_visible()
    confirm.click()
    expect(page.get_by_text(text("importing.doneTitle", count=9, shown=9, name=name))).to_be_visible()
    visit.shot("import-done")
    link(visit, "importing.browse").click()

    visit.settle()
    cells = page.get_by_role("gridcell")
    expect(cells).to_have_count(9)
    expect(page.locator(".sg-tile-picture svg").first).to_be_visible()
    visit.inspect("dataset", docs=True)
    cells.first.get_by_role("button").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    visit.shot("dataset-sample")
    page.get_by_role("dialog").get_by_role("button", name=text("samples.close"), exact=True).click()
    page.get_by_label(text("samples.search")).fill("-003")
    expect(cells).to_have_count(1)
    button(visit, "samples.removeFilter", filter=text("samples.chip.text", value="-003")).click()
    expect(cells).to_have_count(9)

    boxes = page.get_by_role("checkbox", name=text("samples.select", path="").strip())
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.get_by_text(text("samples.chosen", count=3, shown=3), exact=True)).to_be_visible()
    visit.shot("dataset-selected")
    page.get_by_label(text("samples.mark"), exact=True).select_option("test")
    expect(page.get_by_text(text("samples.done.mark", count=3))).to_be_visible()
    page.get_by_label(text("samples.part"), exact=True).select_option("test")
    expect(cells).to_have_count(3)
    assert "part=test" in page.url
    button(visit, "dataset.publish", version=1).click()
    expect(page.get_by_text(text("dataset.same", version=1))).to_be_visible()

    link(visit, "dataset.tab.fields").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="amount", exact=True))
    row.get_by_role("button", name=text("labels.rename"), exact=True).click()
    page.get_by_label(text("labels.newName")).fill("grand_total")
    visit.shot("label-rename")
    button(visit, "labels.renameConfirm", count=9).click()
    expect(page.get_by_role("link", name="grand_total")).to_be_visible()
    visit.inspect("dataset-labels")
    expect(page.get_by_text(text("dataset.draft", count=1, version=1))).to_be_visible()

    link(visit, "dataset.tab.versions").click()
    button(visit, "versions.compare").click()
    expect(page.get_by_role("cell", name="grand_total", exact=True).first).to_be_visible()
    assert "a=1" in page.url
    visit.inspect("dataset-versions", docs=True)
    button(visit, "dataset.publish", version=2).click()
    expect(page.get_by_role("cell", name="v2", exact=True)).to_be_visible()

    button(visit, "dataset.export").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(text("export.format"), exact=True).select_option("ti-ocr")
    visit.shot("dataset-export")
    dialog.get_by_role("button", name=text("export.start"), exact=True).click()
    with page.expect_download() as download:
        dialog.get_by_role("link", name=text("export.download")).click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert len([entry for entry in archive.namelist() if entry.endswith(".png")]) == 9
    dialog.get_by_role("button", name=text("export.again")).press("Escape")

    link(visit, "dataset.tab.imports").click()
    expect(page.get_by_text(text("status.import.done"))).to_be_visible()
    visit.inspect("dataset-imports")
    link(visit, "dataset.tab.settings").click()
    visit.inspect("dataset-settings")
    visit.open("/datasets")
    visit.inspect("datasets", docs=True)


def test_pictures_of_a_class_are_relabelled_together_by_pointer_and_by_keys(visitors, server, tmp_path):
    server.import_folder("classes", class_folder(tmp_path / "classes", 6))
    visit = visitors()
    page, text = visit.page, visit.text
    visit.open("/datasets/classes")
    page.get_by_role("button", name="dark 6", exact=True).click()
    expect(page.get_by_role("gridcell")).to_have_count(6)
    button(visit, "samples.selectAll", count=6).click()
    button(visit, "samples.label").click()
    page.get_by_role("dialog").get_by_label(text("samples.newLabel"), exact=True).fill("night")
    button(visit, "samples.labelConfirm", count=6).click()
    expect(page.get_by_text(text("samples.noMatch"))).to_be_visible()
    page.get_by_role("button", name=text("common.clearFilters")).first.click()
    expect(page.get_by_role("gridcell")).to_have_count(12)
    assert server.get("/datasets/classes")["label_counts"] == {"light": 6, "night": 6}

    page.get_by_role("gridcell").first.get_by_role("button").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_text(text("samples.chosen", count=1, shown=1), exact=True)).to_be_visible()
    page.keyboard.press("Control+a")
    expect(page.get_by_text(text("samples.chosen", count=12, shown=12), exact=True)).to_be_visible()
    page.keyboard.press("Escape")


def test_a_dataset_that_a_task_uses_says_so(visitors, server, folder):
    assert server.import_folder("used", folder, scenario="ocr")["status"] == "done"
    created = server.create_task("user", "used", scenario="ocr", max_seconds=30, preference="fastest")
    server.post(f"/runs/{created['run']['id']}/stop")
    visit = visitors()
    page, text = visit.page, visit.text
    visit.expect_failure(409, "/datasets/used")
    visit.open("/datasets/used/settings")
    button(visit, "deleteDataset.confirm").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="user v1")).to_be_visible()
    dialog.get_by_role("button", name=text("deleteDataset.confirm"), exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("user v1")
    visit.shot("dataset-delete-refused")
    assert server.get("/datasets/used")["sample_count"] == 9


def test_an_upload_goes_on_after_a_lost_connection(visitors, server, tmp_path):
    server.post("/datasets", {"name": "lost-line", "scenario": "classification"}, status=201)
    visit = visitors()
    page, text = visit.page, visit.text
    files = sorted(class_folder(tmp_path / "many", 30).rglob("*.png"))
    lost = {"requests": 0}

    def lose(route):
        lost["requests"] += 1
        if lost["requests"] == 1:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/uploads/*/files", lose)
    visit.expect_failure("net::ERR_CONNECTION_RESET", "/files")
    visit.open("/datasets/lost-line/imports/new")
    page.locator("input[type=file]").first.set_input_files(files[:30])
    expect(page.get_by_text(text("upload.offline")).first).to_be_visible()
    expect(button(visit, "importing.check")).not_to_have_attribute("aria-disabled", "true")
    button(visit, "importing.check").click()
    expect(button(visit, "importing.confirm", count=30, ready=30)).to_be_visible()
    button(visit, "importing.cancel").click()
    expect(page.get_by_text(text("importing.cancelled"))).to_be_visible()
    assert server.get("/datasets/lost-line")["sample_count"] == 0
