"""The first load as Vite's manifest tells it."""

import console_size
import pytest

CHUNKS = {
    "index.html": {"file": "entry.js", "imports": ["shared"], "dynamicImports": ["page", "late"], "css": ["entry.css"]},
    "shared": {"file": "shared.js"},
    "page": {"file": "page.js", "imports": ["shared", "index.html"], "css": ["page.css"]},
    "late": {"file": "late.js", "imports": ["shared"]},
}


def test_the_first_load_is_what_is_imported_statically():
    assert console_size.closure(CHUNKS, "index.html") == ["entry.js", "entry.css", "shared.js"]
    assert set(console_size.closure(CHUNKS, "index.html", "page")) == {
        "entry.js", "entry.css", "shared.js", "page.js", "page.css",
    }  # fmt: skip


def test_a_first_load_over_the_limit_fails(monkeypatch, capsys):
    monkeypatch.setattr(console_size, "LIMIT", 1000)
    with pytest.raises(SystemExit, match="KB too large"):
        console_size.main()
    assert "Loaded when needed" in capsys.readouterr().out
