"""The entire flow as a person walks it in the browser: data, task, training, evaluation, service, answers, stop.

Once in each language, against a home of its own, with real training on rendered receipts. Every page on the way is looked at with
axe in both themes, and its picture is what the documentation shows.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import Server
from people import PASSWORD, first_password
from playwright.sync_api import expect
from receipts import write_pictures, write_receipts
from visitor import LANGUAGES, Visitor

TRAINING = 400_000
"""Milliseconds within which a training must have reached its target and been evaluated, also on a busy machine."""
NAMES = {"en": ("receipts", "receipts-test", "receipts"), "zh-CN": ("票据", "票据-测试", "票据识别")}


@pytest.fixture
def own_server(built_console, tmp_path):
    """A home that only this walk fills."""
    server = Server(tmp_path / "home", PYTHONPATH="", OMP_NUM_THREADS=str(os.cpu_count() or 1)).start()
    yield server
    server.stop()


@dataclass
class Walk:
    """One walk; each step is a page or two, and leaves the browser where the next one begins."""

    visit: Visitor
    server: Server
    folder: Path

    def __post_init__(self):
        self.page = self.visit.page
        self.train, self.test, self.task = NAMES[self.visit.language]
        self.text = self.visit.text

    def button(self, key, **values):
        return self.page.get_by_role("button", name=self.text(key, **values), exact=True)

    def way(self, key, **values):
        """A button or a link that leads on."""
        name = self.text(key, **values)
        button = self.page.get_by_role("button", name=name, exact=True)
        return button.or_(self.page.get_by_role("link", name=name, exact=True)).first

    def choose(self, radio):
        """Click a radio button; the page takes it up when it renders next, which `check` would not wait for."""
        radio.click()
        expect(radio).to_be_checked()

    def begin(self):
        """The first start: the one-time password that the server printed, then one of one's own."""
        page, text = self.page, self.text
        self.visit.open("/")
        self.visit.inspect("sign-in", docs=True)
        page.get_by_label(text("signin.name"), exact=True).fill("admin")
        page.get_by_label(text("signin.password"), exact=True).fill(first_password(self.server, "admin"))
        self.button("signin.submit").click()
        page.get_by_label(text("signin.new"), exact=True).fill(PASSWORD)
        page.get_by_label(text("signin.again"), exact=True).fill(PASSWORD)
        self.visit.inspect("new-password")
        self.button("signin.change").click()
        page.get_by_role("heading", name=text("home.title"), exact=True).wait_for()
        self.visit.settle()
        self.visit.inspect("first-start", docs=True)

    def import_data(self):
        page, text = self.page, self.text
        for name, count, seed in ((self.train, 14, 51), (self.test, 5, 52)):
            folder = write_receipts(self.folder / name, count, seed=seed, prefix=name)
            self.visit.open("/datasets/new")
            page.get_by_label(text("newDataset.name"), exact=True).fill(name)
            self.choose(page.get_by_role("radio", name=self.scenario_name(), exact=True))
            self.button("newDataset.create").click()
            page.wait_for_url("**/imports/new")
            page.locator("input[webkitdirectory]").set_input_files(folder)
            expect(page.get_by_text(text("upload.status.done")).first).to_be_visible(timeout=60_000)
            if name == self.train:
                self.visit.inspect("import-source", docs=True)
            self.button("importing.check").click()
            confirm = self.button("importing.confirm", count=count, ready=count)
            confirm.wait_for(timeout=60_000)
            if name == self.train:
                self.visit.inspect("import-check", docs=True)
            confirm.click()
            expect(page.get_by_text(text("importing.doneTitle", count=count, shown=count, name=name))).to_be_visible(
                timeout=60_000
            )
        self.visit.open(f"/datasets/{self.train}")
        expect(page.get_by_role("gridcell")).to_have_count(14)
        self.visit.inspect("dataset", docs=True)
        self.visit.open("/datasets")
        self.visit.inspect("datasets", docs=True)

    def create_task(self):
        page, text = self.page, self.text
        self.visit.open("/tasks/new")
        page.get_by_label(text("form.name"), exact=True).fill(self.task)
        self.choose(page.get_by_role("radio", name=self.scenario_name(), exact=True))
        self.choose(page.locator("[data-field=test]").get_by_role("radio", name=text("form.ownDatasets")))
        for label, dataset in (("form.train", self.train), ("form.test", self.test)):
            picker = page.get_by_role("combobox", name=text("form.addTo", label=text(label)), exact=True)
            picker.scroll_into_view_if_needed()
            picker.click()
            picker.press_sequentially(dataset)
            page.get_by_role("option").filter(has_text=dataset).first.wait_for()
            picker.press("Enter")
            page.get_by_role("button", name=text("form.removeDataset", name=dataset), exact=True).wait_for()
        page.get_by_label(text("form.maxTime"), exact=True).fill("6")
        page.get_by_label(text("form.unit"), exact=True).select_option("min")
        self.choose(page.get_by_role("radio", name=text("form.preferences.fastest")))
        page.get_by_label(text("form.target"), exact=True).fill("50")
        page.get_by_text(text("form.nameFree")).wait_for()
        page.get_by_role("heading", name=text("form.check")).wait_for()
        self.visit.inspect("new-task", docs=True)
        # What was typed is still there after a reload.
        page.reload()
        expect(page.get_by_label(text("form.name"), exact=True)).to_have_value(self.task)
        self.way("form.submit").click()
        page.wait_for_url("**/tasks/*/1/training")

    def scenario_name(self):
        answer = self.server.http.get("/scenarios", headers={"Accept-Language": self.visit.language}).json()
        return next(item["name"] for item in answer["items"] if item["id"] == "ocr")

    def watch_training(self):
        page, text = self.page, self.text
        tag = page.locator(".sg-tag").filter(has_text=text("status.run.running")).first
        tag.wait_for(timeout=90_000)
        self.visit.inspect("training-running")
        self.way("training.seeEvaluation").wait_for(timeout=TRAINING)
        expect(page.get_by_text(text("training.evaluating"))).to_have_count(0, timeout=60_000)
        self.visit.inspect("training", docs=True)
        self.way("training.seeEvaluation").click()

    def read_evaluation(self):
        page, text = self.page, self.text
        slider = page.get_by_role("slider", name=text("evaluation.threshold"))
        slider.wait_for(timeout=60_000)
        self.visit.settle()
        self.visit.inspect("evaluation", docs=True)
        slider.focus()
        page.keyboard.press("End")
        expect(slider).to_have_value("19")
        expect(page).to_have_url(re.compile(r"t=0\.95"))
        page.keyboard.press("Home")
        expect(slider).to_have_value("1")
        page.get_by_role("link", name=text("evaluation.viewTest")).click()
        page.wait_for_url("**/samples*")
        self.visit.settle()
        self.visit.inspect("test-set", docs=True)
        page.go_back()
        slider.wait_for()
        slider.focus()
        page.keyboard.press("End")
        page.locator("a[href*='badcases?t=0.95']").first.click()
        page.wait_for_url("**/badcases*")
        self.visit.settle()
        page.get_by_role("checkbox", name=text("badcase.pictures")).check()
        self.visit.inspect("badcases", docs=True)
        page.go_back()
        slider.wait_for()

    def publish(self):
        page, text = self.page, self.text
        self.way("evaluation.publish").click()
        page.wait_for_url("**/publish*")
        self.visit.settle()
        self.visit.inspect("publish", docs=True)
        self.button("publish.submit").click()
        page.get_by_text(text("status.service.running")).first.wait_for(timeout=60_000)
        self.visit.shot("published")

    def try_service(self):
        page, text = self.page, self.text
        service = f"{self.task}-service"
        self.visit.open(f"/services/{service}/test")
        self.visit.inspect("service-test-empty")
        pictures = write_pictures(self.folder / "new", 3, seed=53)
        page.locator("input[type=file]").set_input_files(pictures)
        for mode in ("labelled", "all", "custom"):
            self.choose(page.get_by_role("radio", name=text(f"ocr.keyModes.{mode}"), exact=True))
            if mode == "custom":
                for key in ("日期", "Cashier"):
                    page.get_by_label(text("ocr.addKey")).fill(key)
                    page.keyboard.press("Enter")
            with page.expect_response(lambda answer: answer.url.endswith("/predict")) as answered:
                self.button("test.run").click()
            fields = answered.value.json()["results"][0]["fields"]
            expect(self.button("test.run")).to_be_enabled(timeout=60_000)
            page.locator("button.sg-thumb").first.click()
            for field in fields[:3]:
                expect(page.get_by_role("button", name=field["key"], exact=True).first).to_be_visible()
            if mode == "labelled":
                assert {"company", "date", "total"} <= {field["key"] for field in fields}
            if mode == "custom":
                assert [field["key"] for field in fields] == ["日期", "Cashier"]
            self.visit.inspect(f"service-test-{mode}", docs=True)
        self.button("test.tabs.call").click()
        expect(page.get_by_text("curl -F files=@picture.jpg")).to_be_visible()
        self.visit.inspect("service-test-call", docs=True)

    def look_around(self):
        self.visit.open("/")
        self.visit.inspect("home", docs=True)
        self.visit.open("/tasks")
        self.page.get_by_role("link", name=self.task).first.wait_for()
        self.visit.inspect("tasks", docs=True)

    def stop_service(self):
        page, text = self.page, self.text
        self.visit.open("/services")
        page.get_by_role("link", name=f"{self.task}-service").first.click()
        self.visit.settle()
        self.visit.inspect("service", docs=True)
        self.button("service.stop").click()
        page.get_by_role("dialog").get_by_role("button", name=text("service.stop"), exact=True).click()
        page.get_by_text(text("status.service.stopped"), exact=True).first.wait_for(timeout=60_000)
        self.visit.inspect("service-stopped")
        self.visit.open("/services")
        self.visit.inspect("services", docs=True)
        assert self.server.get(f"/services/{self.task}-service")["status"] == "stopped"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_flow_in_the_browser(own_server, visitors, language, tmp_path):
    walk = Walk(visitors(language=language, to=own_server, stranger=True), own_server, tmp_path)
    walk.begin()
    walk.import_data()
    walk.create_task()
    walk.watch_training()
    walk.read_evaluation()
    walk.publish()
    walk.try_service()
    walk.look_around()
    walk.stop_service()
