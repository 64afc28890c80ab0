"""The folder where pulled files lie, each verified by size and digest before it gets its name."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sandglass.core.errors import Broken, InvalidInput
from sandglass.core.text import Text
from sandglass.pretrained.catalogue import Entry, Registry, catalogue, entry
from sandglass.pretrained.sources import fetch_archive, from_installed, read_from_archive, scratch


def weights_folder() -> Path:
    """``SANDGLASS_WEIGHTS``, or else ``~/.cache/sandglass/weights``."""
    chosen = os.environ.get("SANDGLASS_WEIGHTS")
    return Path(chosen) if chosen else Path.home() / ".cache" / "sandglass" / "weights"


def locate(name: str, folder: Path | None = None) -> Path:
    """The file of a catalogue entry on this machine: pulled, or inside an installed package.

    Raises:
        NotFound: ``weights_unknown``.
        Broken: ``weights_missing``.
    """
    wanted = entry(name)
    path = (folder or weights_folder()) / name
    if path.is_file() and path.stat().st_size == wanted.bytes:
        return path
    installed = from_installed(wanted)
    if installed is not None and installed.stat().st_size == wanted.bytes:
        return installed
    raise Broken(
        "weights_missing",
        Text(en=f"The file {name} is not on this machine.", zh=f"本机缺少文件 {name}。"),
        Text(en=f"Run 'sandglass weights pull {name}'.", zh=f"请运行 sandglass weights pull {name}。"),
    )


def default_names() -> list[str]:
    """Names of the default set."""
    return [item.name for item in catalogue().values() if item.default]


def pull(
    names: Iterable[str],
    *,
    folder: Path | None = None,
    source: Path | None = None,
    allow_hubs: bool = False,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _all: None,
) -> list[str]:
    """Bring files into the weights folder; what lies there already, whole, is left alone. Returns what was new.

    Args:
        names: catalogue entries.
        folder: weights folder.
        source: a bundle or a folder (of bundled files or package archives) to take them from instead of a registry.
        allow_hubs: whether hub addresses may be contacted.
        progress: told name, number done, number of all.

    Raises:
        NotFound: an unknown name.
        Broken: a file could not be fetched or is not what the catalogue says; nothing of it is kept.
    """
    target = folder or weights_folder()
    wanted = [entry(name) for name in names]
    new = []
    archives: dict[tuple[str, str], Path] = {}
    with scratch() as temporary:
        for done, item in enumerate(wanted):
            progress(item.name, done, len(wanted))
            path = target / item.name
            if path.is_file() and _digest(path) == item.sha256:
                continue
            _store(path, _check(item, _bytes_of(item, source, archives, Path(temporary), allow_hubs)))
            new.append(item.name)
    progress("", len(wanted), len(wanted))
    return new


def _bytes_of(
    item: Entry, source: Path | None, archives: dict[tuple[str, str], Path], temporary: Path, allow_hubs: bool
) -> bytes:
    if source is not None:
        return _from_source(item, source)
    installed = from_installed(item)
    if installed is not None:
        return installed.read_bytes()
    if item.registry is Registry.HUB and not allow_hubs:
        raise Broken(
            "network_not_allowed",
            Text(en=f"{item.name} lies on a model hub.", zh=f"{item.name} 位于模型库网站。"),
            Text(
                en="Set SANDGLASS_ALLOW_NETWORK=true to allow it.",
                zh="请设置 SANDGLASS_ALLOW_NETWORK=true 以允许访问。",
            ),
        )
    key = (item.package, item.version)
    if key not in archives:
        own = temporary / f"{len(archives)}"
        own.mkdir()
        archives[key] = fetch_archive(item, own)
    return read_from_archive(item, archives[key])


def _from_source(item: Entry, source: Path) -> bytes:
    if source.is_dir():
        if (source / item.name).is_file():
            return (source / item.name).read_bytes()
        stem = item.package.rsplit("/", 1)[-1].replace("-", "_").casefold()
        for archive in sorted(source.iterdir()):
            named = archive.name.replace("-", "_").casefold()
            if archive.is_file() and stem in named and item.version in archive.name:
                return read_from_archive(item, archive)
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as opened:
            if item.name in opened.namelist():
                return opened.read(item.name)
    else:
        raise InvalidInput(
            "bundle_unreadable",
            Text(en=f"{source} is neither a bundle nor a folder.", zh=f"{source} 既不是打包文件也不是文件夹。"),
        )
    raise Broken(
        "weights_not_in_bundle",
        Text(en=f"{source.name} does not hold {item.name}.", zh=f"{source.name} 中没有 {item.name}。"),
        Text(
            en="Make a bundle that holds it: 'sandglass weights bundle'.", zh="请重新打包：sandglass weights bundle。"
        ),
    )


def _check(item: Entry, data: bytes) -> bytes:
    if hashlib.sha256(data).hexdigest() != item.sha256:
        raise Broken(
            "weights_damaged",
            Text(en=f"{item.name} is not what the catalogue says.", zh=f"{item.name} 与目录记录不符。"),
            Text(en="Pull it again; if it stays so, report it.", zh="请重新获取；若仍不符，请反馈。"),
        )
    return data


def _store(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise Broken(
            "storage_unwritable",
            Text(en=f"{path} cannot be written: {error.strerror}", zh=f"无法写入 {path}：{error.strerror}"),
            Text(
                en="Free some space or choose another folder with SANDGLASS_WEIGHTS.",
                zh="请清理空间，或用 SANDGLASS_WEIGHTS 指定其他文件夹。",
            ),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path | None = None) -> dict[str, str]:
    """State of every catalogue entry on this machine: ``ok``, ``damaged`` or ``missing``."""
    target = folder or weights_folder()
    states = {}
    for item in catalogue().values():
        path = target / item.name
        found = path if path.is_file() else from_installed(item)
        states[item.name] = "missing" if found is None else "ok" if _digest(found) == item.sha256 else "damaged"
    return states


def bundle(names: Sequence[str], archive: Path, *, folder: Path | None = None) -> None:
    """Write files into one archive that ``pull --from`` takes on a machine without a network.

    Raises:
        Broken: ``weights_missing``.
    """
    paths = {name: locate(name, folder) for name in names}
    temporary = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as opened:
            for name, path in paths.items():
                opened.write(path, name)
        temporary.replace(archive)
    finally:
        temporary.unlink(missing_ok=True)
