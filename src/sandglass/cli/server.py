"""``sandglass up``: run the server in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from sandglass.cli.output import say, screen
from sandglass.core.settings import Settings
from sandglass.core.text import Text


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback unless given.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 = any free one.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of this installation.")] = None,
    no_login: Annotated[
        bool, typer.Option("--no-login", help="For one person on this machine: no accounts, no money; loopback only.")
    ] = False,
    idle_exit: Annotated[
        float | None, typer.Option(help="Leave after so many seconds without work or requests.")
    ] = None,
) -> None:
    """Run the server: interface, console, and everything that runs in the background."""
    # The server brings in everything; the other commands only talk to it and start at once.
    from sandglass.api.server import serve
    from sandglass.studio.accounts import NewPassword

    given = {
        "host": host,
        "port": port,
        "home": None if home is None else home.absolute(),
        "login": False if no_login else None,
    }
    settings = Settings().model_copy(update={name: value for name, value in given.items() if value is not None})

    def ready(address: str, first: NewPassword | None) -> None:
        sentence = Text(en=f"Sandglass answers at {address}", zh=f"Sandglass 已启动：{address}")
        screen.print(say(sentence), highlight=False)
        if first is not None:
            name, password = first.user.name, first.one_time_password
            told = Text(
                en=f"First start: sign in as '{name}' with the one-time password {password}",
                zh=f"首次启动：请用账号“{name}”和一次性密码 {password} 登录",
            )
            screen.print(say(told), highlight=False, markup=False)

    serve(settings, on_ready=ready, idle_exit_seconds=idle_exit)
