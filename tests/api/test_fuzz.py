"""Requests that the description of the interface allows, and some that it does not, made up by the hundred.

The server must never fail, and must answer only what it documents. Where a path names a dataset, task or service, a real one
is named half of the time, so that what lies behind the first "not found" is reached too.
"""

import hashlib

import pytest
import schemathesis
from harness import Server
from homes import copy_home, make_trained_home
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks

from sandglass.api.app import create_app
from sandglass.core.settings import Settings

load_all_checks()
CHECKED = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )
]
EXAMPLES = 8
REAL = {"dataset": "grey", "task": "trained", "number": 1, "service": "open"}
schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi())


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A server whose home nobody else needs, with a dataset, a trained task and a running service."""
    home = copy_home(make_trained_home(tmp_path_factory.mktemp("trained")), tmp_path_factory.mktemp("fuzz"))
    server = Server(home).start()
    server.post("/services", {"name": "open", "task": "trained", "max_run_seconds": None}, status=202)
    server.wait_service("open", "running")
    yield server
    server.stop()


@schema.hook
def map_path_parameters(context, path_parameters):
    """Real names for half of the requests; deleting what the others need is left to names that are made up."""
    if not path_parameters or context.operation.method.lower() == "delete":
        return path_parameters
    if hashlib.sha256(repr(path_parameters).encode()).digest()[0] % 2:
        return path_parameters
    return {name: REAL.get(name, value) for name, value in path_parameters.items()}


@schema.hook
def map_body(context, body):
    """Folders of the server that a made-up import names are those of the test, never the machine's."""
    if isinstance(body, dict) and isinstance(body.get("folder"), str):
        return body | {"folder": "/nowhere/" + body["folder"].strip("/")}
    return body


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_documented(case, fuzzed):
    signed_in = {"Authorization": fuzzed.http.headers["Authorization"]}
    case.call_and_validate(base_url=fuzzed.address, headers=signed_in, checks=CHECKED, timeout=30)
