"""The console in a real browser: Chromium, over a real server with the built console, one home per test run.

``page`` and ``visit`` fail a test for anything that goes wrong on a page and was not expected (`Visitor.expect_failure`).
"""

import os
from dataclasses import dataclass
from pathlib import Path

import console_build
import pytest
from harness import Server
from people import admin_session
from playwright.sync_api import sync_playwright
from receipts import write_pictures, write_receipts
from visitor import ROOT, Visitor, launch

SIZE = {"width": 1440, "height": 900}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let fixtures see whether the test itself failed."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def built_console():
    """The console of this working copy, built when its sources changed."""
    console_build.install_packages(ROOT / "console", console_build.find_node(), print)
    console_build.build(ROOT)


@pytest.fixture(scope="session")
def server(built_console, tmp_path_factory):
    """A server that all browser tests of a run share; each uses names of its own. Only real scenarios are installed."""
    folder = tmp_path_factory.mktemp("console")
    server = Server(folder / "home", PYTHONPATH="", OMP_NUM_THREADS=str(os.cpu_count() or 1)).start()
    yield server
    server.stop()


@dataclass(frozen=True)
class Receipts:
    """Names of what stands in the shared home, and pictures that its model has not seen."""

    train: str
    test: str
    task: str
    service: str
    pictures: list[Path]


@pytest.fixture(scope="session")
def receipts(server, tmp_path_factory):
    """Rendered receipts that a task has learnt from and a running service recognises, made once for all that only look."""
    folder = tmp_path_factory.mktemp("receipts")
    pictures = write_pictures(folder / "new", 3, seed=43)
    made = Receipts("receipts", "receipts-test", "receipts", "receipts-service", pictures)
    for name, count, seed in ((made.train, 12, 41), (made.test, 5, 42)):
        job = server.import_folder(name, write_receipts(folder / name, count, seed=seed, prefix=name), scenario="ocr")
        assert job["status"] == "done", job
    created = server.create_task(
        made.task,
        made.train,
        scenario="ocr",
        test=[made.test],
        max_seconds=360,
        target_score=0.5,
        preference="fastest",
        parameters={"reader": "fast", "members": 1},
    )
    assert server.wait_run(created["run"]["id"], seconds=400)["status"] == "succeeded"
    evaluation = server.get(f"/tasks/{made.task}/versions/1")["evaluation_run"]
    assert server.wait_run(evaluation["id"])["status"] == "succeeded"
    server.post("/services", {"name": made.service, "task": made.task, "max_run_seconds": 7200}, status=202)
    server.wait_service(made.service, "running")
    return made


# One browser a file: Playwright's loop belongs to the thread while it is open, and other tests start loops of their own.
@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in():
    """Cookies of the admin for a server; signing in is a slow thing by intention, so it is done once for each."""
    known = {}

    def cookies(server):
        if server.address not in known:
            known[server.address] = admin_session(server)
        return known[server.address]

    return cookies


@pytest.fixture
def visitors(request, server, browser, signed_in):
    """Makes visitors: ``visitors(language="zh-CN", theme="dark", width=1024, height=768)``.

    They have signed in as the admin unless ``stranger`` is true; ``to`` is another server than the shared one.
    """
    made = []
    screenshots = request.config.getoption("--screenshots")
    images = ROOT / "docs/images" if request.config.getoption("--update-images") else None

    def make(language="en", theme="light", *, width=SIZE["width"], height=SIZE["height"], to=None, stranger=False):
        opened = to or server
        context = browser.new_context(
            base_url=opened.address,
            locale=language,
            color_scheme=theme,
            reduced_motion="reduce",
            viewport={"width": width, "height": height},
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(20_000)
        if not stranger:
            context.add_cookies(signed_in(opened))
        visitor = Visitor(
            context.new_page(), language, theme, Path(screenshots).absolute() if screenshots else None, images
        )
        made.append(visitor)
        return visitor

    yield make
    if request.node.stash.get(FAILED, False) and screenshots:
        for number, visitor in enumerate(made):
            visitor.shot(f"failed-{request.node.name.replace('/', '_')}-{number}")
    faults = [fault for visitor in made for fault in (*visitor.faults, *visitor.unmet())]
    for visitor in made:
        visitor.page.context.close()
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


@pytest.fixture
def visit(visitors):
    """A person with an English browser in light."""
    return visitors()


@pytest.fixture
def page(visit):
    """The page of such a person; paths are relative to the server."""
    return visit.page
