import pytest
from harness import Server
from homes import copy_home, make_trained_home
from pictures import class_folder


@pytest.fixture(scope="session")
def grey_folder(tmp_path_factory):
    return class_folder(tmp_path_factory.mktemp("grey"))


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory):
    return make_trained_home(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def server(tmp_path, trained_home):
    """A server of a test's own over a trained home; whatever it still runs is ended."""
    server = Server(copy_home(trained_home, tmp_path)).start()
    yield server
    if server.process.poll() is None:
        server.stop()
