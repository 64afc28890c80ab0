"""Every page in both languages and themes: it opens without a fault, fits its window, and axe finds nothing."""

import pytest
from visitor import LANGUAGES

EMPTY = {
    "home": "/",
    "tasks": "/tasks",
    "new-task": "/tasks/new",
    "services": "/services",
    "account": "/account",
    "not-found": "/no-such-page",
}


@pytest.fixture(scope="module")
def empty_server(built_console, tmp_path_factory):
    """A home in which nothing is yet."""
    from harness import Server

    server = Server(tmp_path_factory.mktemp("empty") / "home", PYTHONPATH="").start()
    yield server
    server.end()


@pytest.mark.parametrize("language", LANGUAGES)
def test_signing_in_is_asked_of_a_stranger(visitors, empty_server, language):
    visit = visitors(language=language, to=empty_server, stranger=True)
    visit.open("/tasks")
    visit.page.get_by_label(visit.text("signin.password")).wait_for()
    visit.inspect("sign-in")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EMPTY)
def test_pages_before_there_is_anything(visitors, empty_server, language, name):
    visit = visitors(language=language, to=empty_server)
    visit.open(EMPTY[name])
    visit.inspect(f"empty-{name}")


PAGES = {
    "home": "/",
    "tasks": "/tasks",
    "new-task": "/tasks/new?scenario=ocr",
    "training": "/tasks/{task}/1/training",
    "evaluation": "/tasks/{task}/1/evaluations/{evaluation}",
    "badcases": "/tasks/{task}/1/evaluations/{evaluation}/badcases?t=0.95",
    "test-set": "/tasks/{task}/1/evaluations/{evaluation}/samples",
    "publish": "/tasks/{task}/1/publish",
    "services": "/services",
    "service": "/services/{service}/info",
    "service-test": "/services/{service}/test",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_pages_of_a_trained_task_and_its_service(visitors, server, receipts, language, name):
    evaluation = server.get(f"/tasks/{receipts.task}/versions/1/evaluations")["items"][0]["evaluation"]
    visit = visitors(language=language)
    visit.open(PAGES[name].format(task=receipts.task, service=receipts.service, evaluation=evaluation))
    visit.inspect(name)
