import pytest

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text, choose_language
from sandglass.core.time import Deadline, parse_duration


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("zh;q=0.2, en;q=0.9", "en"),
        ("fr-FR, zh", "zh-CN"),
        ("fr", "en"),
        ("zh;q=broken,en", "en"),
        (None, "en"),
        ("", "en"),
    ],
)
def test_the_language_that_the_caller_prefers_is_chosen(header, language):
    assert choose_language(header) == language
    assert Text(en="yes", zh="是").to(language) == {"en": "yes", "zh-CN": "是"}[language]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("10m", 600),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("2 d", 172800),
        ("-1", None),
        ("5min", 300),
    ],
)
def test_durations_are_read_as_people_write_them(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "0", "-5", "ten", "1x", "1h-2m", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InvalidInput) as caught:
        parse_duration(text)
    assert caught.value.code == "invalid_duration"
    assert caught.value.action is not None


def test_a_deadline_is_shortened_but_never_lengthened():
    deadline = Deadline(100)
    assert 99 < deadline.remaining <= 100
    assert 89 < deadline.reserve(10).remaining <= 90
    assert 49 < deadline.share(0.5).remaining <= 50
    assert deadline.within(1000).remaining <= 100
    assert deadline.reserve(1000).expired
    assert Deadline(None).remaining == float("inf")
    assert not Deadline(None).reserve(5).expired
