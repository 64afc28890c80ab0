import pytest
from harness import Server
from homes import make_trained_home


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server that all tests of the interface share, with dataset ``grey`` and task ``trained``."""
    server = Server(make_trained_home(tmp_path_factory.mktemp("trained"))).start()
    yield server
    server.stop()
