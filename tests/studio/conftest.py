import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import Server
from pictures import class_folder


@pytest.fixture(scope="session")
def grey_folder(tmp_path_factory):
    return class_folder(tmp_path_factory.mktemp("grey"))


@pytest.fixture
def server(tmp_path):
    """A server of a test's own; whatever it still runs is ended."""
    server = Server(tmp_path / "home").start()
    yield server
    if server.process.poll() is None:
        server.stop()
