"""What the other browser tests stand on: whatever goes wrong on a page is noticed."""

import pytest
from visitor import LANGUAGES, translated


def test_an_error_in_the_browser_console_is_noticed(visit):
    visit.open("/")
    visit.page.evaluate("() => console.error('broken')")
    assert [fault.split(" (")[0] for fault in visit.faults] == ["console: broken"]
    visit.faults.clear()


def test_an_uncaught_error_is_noticed(visit):
    visit.open("/")
    with visit.page.expect_event("pageerror"):
        visit.page.evaluate("() => setTimeout(() => { throw new Error('lost') })")
    assert len(visit.faults) == 1
    assert "lost" in visit.faults[0]
    visit.faults.clear()


def test_a_failed_request_is_noticed_unless_expected(visit, server):
    visit.open("/")
    visit.page.evaluate("() => fetch('/v1/tasks/none')")
    assert visit.faults == [f"GET {server.address}/v1/tasks/none: 404"]
    visit.faults.clear()
    visit.expect_failure(404, "/v1/tasks/none")
    assert visit.unmet() == ["404 of /v1/tasks/none was expected"]
    visit.page.evaluate("() => fetch('/v1/tasks/none')")
    assert not visit.faults
    assert not visit.unmet()


def test_axe_finds_what_a_screen_reader_cannot_read(visit):
    visit.open("/")
    before = visit.violations()
    visit.page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    found = [item for item in visit.violations() if item not in before]
    assert [item.split(":")[0] for item in found] == ["button-name"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_browser_decides_the_first_language(visitors, language):
    visit = visitors(language=language)
    visit.open("/")
    assert visit.page.locator("html").get_attribute("lang") == language
    visit.page.get_by_role("heading", name=translated(language, "home.title"), exact=True).wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_system_decides_the_first_theme(visitors, theme):
    visit = visitors(theme=theme)
    visit.open("/")
    assert visit.page.locator("html").get_attribute("theme-mode") == theme


def test_pictures_are_kept_where_asked(visit, tmp_path):
    visit.screenshots, visit.images = tmp_path / "shots", tmp_path / "images"
    visit.open("/")
    visit.shot("home", docs=True)
    assert [path.name for path in (tmp_path / "shots").iterdir()] == ["home-en-light.png"]
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["home.en.png"]
