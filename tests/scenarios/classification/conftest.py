import pytest
import torch

from sandglass.core.time import Deadline
from sandglass.scenarios.base import FitContext


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tests run side by side; waiting for each other's threads would take most of their time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Report:
    def __init__(self):
        self.lines = []

    def progress(self, fraction):
        assert 0 <= fraction <= 1

    def metric(self, name, value):
        assert value == value

    def log(self, message, *, level="info"):
        self.lines.append((level, message))


@pytest.fixture
def report():
    return Report()


@pytest.fixture
def make_context(tmp_path, report):
    def make(seconds=600.0, **changes):
        (tmp_path / "work").mkdir(exist_ok=True)
        known = {
            "deadline": Deadline(seconds),
            "stop": lambda: False,
            "report": report,
            "workspace": tmp_path / "work",
            "cache": tmp_path / "cache",
            "threads": 1,
            "seed": 1,
        }
        return FitContext(**(known | changes))

    return make
