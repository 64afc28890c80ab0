"""The ``sandglass`` command: puts the groups of commands together and turns failures into exit codes."""

import os
import sys

import typer

from sandglass import __version__
from sandglass.cli import accounts, annotations, datasets, demo, evaluations, predict, server, services, tasks, weights
from sandglass.cli.connection import SERVER_VARIABLE
from sandglass.cli.output import print_error, screen
from sandglass.core.errors import SandglassError

app = typer.Typer(
    name="sandglass",
    help="Turns labelled pictures into a live recognition service within a time limit. 限时将标注图片变为在线识别服务。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(server.up)
annotations.register(datasets.app)
app.add_typer(datasets.app, name="dataset")
app.add_typer(tasks.app, name="task")
app.add_typer(evaluations.app, name="evaluation")
app.add_typer(services.app, name="service")
app.command("predict")(predict.predict)
app.command("share")(accounts.share)
app.add_typer(accounts.tokens, name="token")
app.add_typer(accounts.keys, name="key")
app.add_typer(accounts.account, name="account")
app.add_typer(accounts.admin, name="admin")
app.add_typer(weights.app, name="weights")
app.command("demo")(demo.demo)


def _version(value: bool) -> None:
    if value:
        screen.print(f"sandglass {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True),  # noqa: ARG001
    server: str | None = typer.Option(
        None, help="Address of a server elsewhere; its token stands in SANDGLASS_TOKEN.", envvar=SERVER_VARIABLE
    ),
) -> None:
    """Options of every command."""
    if server is not None:
        os.environ[SERVER_VARIABLE] = server


def main() -> None:
    """Run the command line; failures that a person can act on end with their exit code instead of a traceback."""
    try:
        app()
    except SandglassError as error:
        sys.exit(print_error(error, as_json="--json" in sys.argv))


if __name__ == "__main__":
    main()
