"""The annotation workspace: drawing, keys, undo, a lost network, two people on one picture, suggestions, classes."""

import pytest
from harness import wait_for
from labelled_pictures import document_folder, objects_folder
from pictures import class_folder
from playwright.sync_api import expect

SAVED = "[data-saving=saved]"


@pytest.fixture(scope="module")
def pages(server, tmp_path_factory):
    """Dataset ``letters`` of four documents, all unlabelled, with the field ``total``."""
    folder = document_folder(tmp_path_factory.mktemp("letters"), labelled=())
    assert server.import_folder("letters", folder, scenario="ocr")["status"] == "done"
    server.post("/datasets/letters/labels", {"label": "total"})
    return [item["id"] for item in server.get("/datasets/letters/samples")["items"]]


def stored(server, dataset, sample):
    return server.get(f"/datasets/{dataset}/samples/{sample}/annotation")


def texts(server, dataset, sample):
    annotation = stored(server, dataset, sample)["annotation"] or {"boxes": []}
    return sorted(box["text"] for box in annotation["boxes"])


def ready(visit):
    """The picture is there and the keys work."""
    visit.page.locator(".sg-stage canvas").first.wait_for()
    visit.page.wait_for_function("() => window.sandglassStage?.picture.image")
    visit.page.locator(".sg-stage").focus()


def at(visit, x, y):
    """A point of the picture on the screen."""
    return visit.page.evaluate(
        """([x, y]) => {
             const stage = window.sandglassStage;
             const box = stage.element.getBoundingClientRect();
             return [box.left + x * stage.view.scale + stage.view.x, box.top + y * stage.view.scale + stage.view.y];
           }""",
        [x, y],
    )


def drag(visit, start, end):
    mouse = visit.page.mouse
    mouse.move(*at(visit, *start))
    mouse.down()
    mouse.move(*at(visit, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    mouse.move(*at(visit, *end))
    mouse.up()


def test_a_page_is_annotated_with_mouse_and_keys_and_undone_after_coming_back(visit, server, pages):
    visit.open(f"/datasets/letters/annotate/{pages[0]}")
    ready(visit)
    keyboard = visit.page.keyboard
    keyboard.press("w")
    drag(visit, (8, 38), (82, 70))
    rows = visit.page.get_by_role("listitem").filter(has=visit.page.locator(".sg-crop"))
    expect(rows).to_have_count(1)
    # The product's own reader reads what was drawn.
    expect(rows.first.get_by_role("textbox")).to_have_value("Total", timeout=60_000)
    drag(visit, (144, 38), (226, 70))
    expect(rows).to_have_count(2)
    expect(rows.nth(1).get_by_role("textbox")).to_have_value("02.50", timeout=60_000)
    keyboard.press("v")
    keyboard.press("1")
    keyboard.press("l")
    visit.page.mouse.click(*at(visit, 40, 54))
    keyboard.press("l")
    expect(visit.page.locator(SAVED)).to_be_visible()
    boxes = {box["text"]: box for box in stored(server, "letters", pages[0])["annotation"]["boxes"]}
    assert boxes["02.50"]["key_ids"] == [boxes["Total"]["id"]]
    assert (boxes["Total"]["role"], boxes["02.50"]["role"], boxes["02.50"]["field"]) == ("key", "value", "total")
    keyboard.press("Enter")
    editor = visit.page.locator(".sg-editor input")
    editor.fill("12.50")
    editor.press("Enter")
    keyboard.press("Control+Enter")
    visit.page.wait_for_url(f"**/annotate/{pages[1]}*")
    wait_for(lambda: stored(server, "letters", pages[0])["state"] == "labelled", what="the first page being labelled")
    told = stored(server, "letters", pages[0])["annotation"]
    assert [(value["field"], value["text"]) for value in told["values"]] == [("total", "12.50")]
    # Leaving and coming back keeps undo: marking, then the text.
    ready(visit)
    keyboard.press("a")
    visit.page.wait_for_url(f"**/annotate/{pages[0]}*")
    ready(visit)
    keyboard.press("Control+z")
    keyboard.press("Control+z")
    wait_for(lambda: texts(server, "letters", pages[0]) == ["02.50", "Total"], what="the old text")
    assert stored(server, "letters", pages[0])["state"] == "unlabelled"
    keyboard.press("Control+Shift+z")
    wait_for(lambda: texts(server, "letters", pages[0]) == ["12.50", "Total"], what="the text again")
    visit.page.reload()
    ready(visit)
    keyboard.press("Control+z")
    wait_for(lambda: texts(server, "letters", pages[0]) == ["02.50", "Total"], what="undo after a reload")
    # The keyboard alone makes, moves and removes a box.
    keyboard.press("b")
    expect(rows).to_have_count(3)
    keyboard.press("Shift+ArrowDown")
    keyboard.press("Delete")
    expect(rows).to_have_count(2)
    keyboard.press("?")
    expect(visit.page.get_by_role("dialog")).to_contain_text(visit.text("annotation.keys.join"))


def test_work_goes_on_without_a_network_and_is_saved_afterwards(visit, server, pages):
    visit.expect_failure("net::ERR_INTERNET_DISCONNECTED", "/annotation")
    visit.expect_failure("net::ERR_INTERNET_DISCONNECTED", "/read")
    visit.open(f"/datasets/letters/annotate/{pages[1]}")
    ready(visit)
    visit.page.context.set_offline(True)
    keyboard = visit.page.keyboard
    keyboard.press("b")
    keyboard.press("Enter")
    editor = visit.page.locator(".sg-editor input")
    editor.fill("typed offline")
    editor.press("Enter")
    expect(visit.page.locator("[data-saving=offline]")).to_be_visible()
    expect(visit.page.locator(".sg-alert")).to_be_visible()
    assert stored(server, "letters", pages[1])["annotation"] is None
    visit.page.context.set_offline(False)
    expect(visit.page.locator(SAVED)).to_be_visible(timeout=40_000)
    assert "typed offline" in texts(server, "letters", pages[1])


def test_two_people_on_one_picture_are_merged_and_asked(visitors, server, pages):
    one, two = visitors(), visitors()
    for visit in (one, two):
        visit.open(f"/datasets/letters/annotate/{pages[2]}")
        ready(visit)
    one.page.keyboard.press("b")
    expect(one.page.locator(SAVED)).to_be_visible()
    wait_for(lambda: stored(server, "letters", pages[2])["annotation"], what="the first box")
    # The second one does not know of it, draws another, and gets both.
    two.expect_failure(412, "/annotation")
    two.page.keyboard.press("w")
    drag(two, (10, 110), (160, 150))
    rows = two.page.get_by_role("listitem").filter(has=two.page.locator(".sg-crop"))
    expect(rows).to_have_count(2)
    expect(two.page.locator(SAVED)).to_be_visible()
    one.page.reload()
    ready(one)
    for visit, text in ((one, "from one"), (two, "from two")):
        ready(visit)
        visit.page.keyboard.press("v") if visit is two else None
        box = visit.page.get_by_role("listitem").filter(has=visit.page.locator(".sg-crop")).first.get_by_role("textbox")
        box.fill(text)
        box.press("Enter")
        if visit is one:
            wait_for(lambda: "from one" in texts(server, "letters", pages[2]), what="the first text")
    dialog = two.page.get_by_role("dialog")
    expect(dialog).to_contain_text("from one")
    expect(dialog).to_contain_text("from two")
    assert "from one" in texts(server, "letters", pages[2])
    two.check_accessible()
    dialog.get_by_label(two.text("annotation.choices.both")).check()
    dialog.get_by_role("button", name=two.text("annotation.conflictKeep")).click()
    expect(two.page.locator(SAVED)).to_be_visible()
    assert {"from one", "from two"} <= set(texts(server, "letters", pages[2]))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_kind_is_whole_and_accessible(visitors, server, tmp_path, language):
    names = {kind: f"{kind}-{language.lower()}" for kind in ("document", "objects", "classes")}
    folders = {kind: tmp_path / kind for kind in names}
    for kind in ("document", "objects"):
        folders[kind].mkdir()
    document_folder(folders["document"], labelled=(0, 1, 2, 3))
    objects_folder(folders["objects"])
    class_folder(folders["classes"], 3)
    scenarios = {"document": "ocr", "objects": "detection", "classes": "classification"}
    visit = visitors(language=language)
    for kind, name in names.items():
        assert server.import_folder(name, folders[kind], scenario=scenarios[kind])["status"] == "done"
        visit.open(f"/datasets/{name}/annotate")
        ready(visit)
        if kind != "classes":
            visit.page.keyboard.press("Tab")
        visit.inspect(f"annotation-{kind}", docs=True)
    visit.open(f"/datasets/{names['classes']}/annotate?mode=grid")
    tiles = visit.page.locator(".sg-grid-row .sg-thumb")
    tiles.nth(0).click()
    tiles.nth(1).click(modifiers=["Shift"])
    visit.page.keyboard.press("2")
    expect(visit.page.locator(SAVED)).to_be_visible()
    wait_for(
        lambda: server.get(f"/datasets/{names['classes']}")["label_counts"] == {"light": 5, "dark": 1},
        what="two pictures being labelled",
    )
    visit.inspect("annotation-grid")


def test_digits_label_pictures_and_a_box_needs_no_mouse(visit, server, tmp_path):
    assert (
        server.import_folder("shades", class_folder(tmp_path / "shades", 2), scenario="classification")["status"]
        == "done"
    )
    visit.open("/datasets/shades/annotate")
    ready(visit)
    first = visit.page.url
    visit.page.keyboard.press("2")
    visit.page.wait_for_url(lambda url: url != first)
    wait_for(lambda: server.get("/datasets/shades")["label_counts"] == {"light": 3, "dark": 1}, what="the label")
    objects = tmp_path / "mugs"
    objects.mkdir()
    server.import_folder("mugs", objects_folder(objects), scenario="detection")
    visit.open("/datasets/mugs/annotate")
    ready(visit)
    visit.page.keyboard.press("b")
    sample = server.get("/datasets/mugs/samples")["items"][0]["id"]
    wait_for(lambda: len(stored(server, "mugs", sample)["annotation"]["objects"]) == 2, what="the new box")
    visit.page.keyboard.press("Control+a")
    visit.page.keyboard.press("Delete")
    visit.page.keyboard.press("Control+Enter")
    wait_for(lambda: stored(server, "mugs", sample)["annotation"]["objects"] == [], what="nothing here")
    assert stored(server, "mugs", sample)["state"] == "labelled"
