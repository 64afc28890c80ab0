"""What is handed out: a wheel and an sdist with the built console, and an installation from them that serves it."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import console_build
import httpx
import pytest
from harness import wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """A wheel and an sdist of this working copy."""
    console_build.build(ROOT)
    folder = tmp_path_factory.mktemp("dist")
    for target in ("wheel", "sdist"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def test_the_wheel_carries_the_console_and_nothing_of_its_sources(distributions):
    with zipfile.ZipFile(distributions[0]) as wheel:
        names = wheel.namelist()
        page = wheel.read("sandglass/console/index.html").decode()
    entry = next(name for name in names if name.startswith("sandglass/console/assets/index-") and name.endswith(".js"))
    assert entry.removeprefix("sandglass/console/") in page
    assert f"{entry}.gz" in names
    assert "sandglass/pretrained/catalogue.json" in names
    assert {name.split("/")[0] for name in names} == {
        "sandglass",
        distributions[0].name.rsplit("-", 3)[0] + ".dist-info",
    }
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx"))]


def test_the_sdist_can_be_built_without_npm(distributions, tmp_path):
    with tarfile.open(distributions[1]) as sdist:
        sdist.extractall(tmp_path, filter="data")
    root = next(tmp_path.iterdir())
    assert (root / "console/package-lock.json").is_file()
    assert not (root / "console/node_modules").exists()
    assert console_build.is_built(root)


def test_a_fresh_installation_of_the_wheel_serves_the_console(distributions, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv/bin/python"
    site = next((tmp_path / "venv/lib").glob("python3*/site-packages"))
    with zipfile.ZipFile(distributions[0]) as wheel:
        wheel.extractall(site)
    # Its dependencies are those of this environment; the package itself is only the wheel's.
    shared = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(shared))
    home = tmp_path / "home"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"SANDGLASS_HOME": str(home)}
    where = subprocess.run(
        [python, "-c", "import sandglass; print(sandglass.__file__)"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert Path(where).is_relative_to(site)
    command = [python, "-m", "sandglass.cli", "up", "--port", "0"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for(lambda: (home / "server.json").exists(), what="the start of the server")
        address = json.loads((home / "server.json").read_text())["address"]
        with httpx.Client(base_url=address, trust_env=False) as http:
            page = http.get("/")
            assert page.headers["content-type"].startswith("text/html")
            script = page.text.split('src="/assets/')[1].split('"')[0]
            sent = http.get(f"/assets/{script}")
            assert sent.headers["content-encoding"] == "gzip"
            assert "immutable" in sent.headers["cache-control"]
            plain = http.get(f"/assets/{script}", headers={"Accept-Encoding": "identity"})
            assert "content-encoding" not in plain.headers
            assert plain.content == sent.content
            assert http.get("/tasks/any/1/training").text == page.text
            assert http.get("/assets/gone.js").status_code == 404
    finally:
        process.terminate()
        process.wait(20)
