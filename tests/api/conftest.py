import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "studio"))

from harness import Server
from pictures import class_folder


@pytest.fixture(scope="session")
def grey_folder(tmp_path_factory):
    return class_folder(tmp_path_factory.mktemp("grey"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, grey_folder):
    """A server that the tests of a module share, with a dataset ``grey``."""
    server = Server(tmp_path_factory.mktemp("server") / "home").start()
    assert server.import_folder("grey", grey_folder)["status"] == "done"
    yield server
    server.stop()
