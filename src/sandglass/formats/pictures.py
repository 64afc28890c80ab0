"""The pictures of a folder: found by name however a label file writes it, checked without decoding them."""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from sandglass.core.errors import SandglassError
from sandglass.core.finding import Finding
from sandglass.core.picture import SUFFIXES, decode_picture, picture_size
from sandglass.formats.base import WrittenSample
from sandglass.formats.findings import report

_MAGIC = {
    b"\xff\xd8\xff": ("JPEG", (".jpg", ".jpeg")),
    b"\x89PNG": ("PNG", (".png",)),
    b"BM": ("BMP", (".bmp",)),
    b"GIF8": ("GIF", (".gif",)),
    b"II*\0": ("TIFF", (".tif", ".tiff")),
    b"MM\0*": ("TIFF", (".tif", ".tiff")),
}


def safe_reference(text: str) -> str | None:
    """A relative path with forward slashes, or None when it leaves the folder or is absolute."""
    path = PurePosixPath(PureWindowsPath(text).as_posix())
    if PureWindowsPath(text).drive or path.is_absolute() or ".." in path.parts or not path.parts or "\0" in text:
        return None
    return path.as_posix()


def inside(folder: Path, path: Path) -> bool:
    """Whether ``path``, all links followed, lies inside ``folder``."""
    return path.resolve().is_relative_to(folder.resolve())


class PictureIndex:
    """All picture files below a folder, hidden ones aside.

    Args:
        folder: to look in.

    Links that leave the folder are listed in ``refused`` and not followed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused: list[str] = []
        self._paths: dict[str, Path] = {}
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._used: set[str] = set()
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if path.suffix.lower() not in SUFFIXES or any(part.startswith(".") for part in relative.parts):
                continue
            name = relative.as_posix()
            if path.is_symlink() and not inside(folder, path):
                self.refused.append(name)
            elif path.is_file():
                self._paths[name] = path
                self._by_name.setdefault(path.name.casefold(), []).append(name)
                self._by_stem.setdefault(path.stem.casefold(), []).append(name)

    def __len__(self) -> int:
        return len(self._paths)

    def path(self, name: str) -> Path:
        """The file of a picture."""
        return self._paths[name]

    def find(self, reference: str, file: Path | str, line: int | None = None) -> str | Finding:
        """The picture that a label file means: by its path, else by its name, else by its name without ending."""
        safe = safe_reference(reference)
        if safe is None:
            # Tools write absolute paths of the machine they ran on; the name alone may still tell the picture.
            tail = PurePosixPath(PureWindowsPath(reference).as_posix()).name
            if ".." in reference or tail.casefold() not in self._by_name:
                return report("unsafe_path", file, line=line, what=reference)
            safe = tail
        if safe in self._paths:
            return safe
        name = PurePosixPath(safe).name.casefold()
        for table in (self._by_name, self._by_stem):
            found = table.get(name, []) or (table.get(PurePosixPath(name).stem, []) if table is self._by_stem else [])
            ending = [item for item in found if item.casefold().endswith(safe.casefold())]
            found = ending or found
            if len(found) == 1:
                return found[0]
            if found:
                return report("ambiguous_picture", file, line=line, what=reference)
        return report("label_without_picture", file, line=line, what=reference)

    def take(self, name: str, file: Path | str, line: int | None = None) -> Finding | None:
        """Note that a picture is labelled; a finding when it was already."""
        if name in self._used:
            return report("duplicate_label", file, line=line, what=name)
        self._used.add(name)
        return None

    def names(self) -> Iterator[str]:
        """All pictures, sorted."""
        return iter(self._paths)

    def unused(self) -> Iterator[str]:
        """Pictures that no label named, sorted."""
        return (name for name in self._paths if name not in self._used)

    def findings(self) -> Iterator[Finding]:
        """What was wrong with the folder itself."""
        for name in self.refused:
            yield report("unsafe_path", name, what=name)


def check_picture(path: Path, name: str) -> tuple[tuple[int, int] | None, list[Finding]]:
    """Width and height of the upright picture, or None when it must be left out; with findings.

    Only the header is decoded, unless the end of the file looks cut off: then all of it.
    """
    try:
        data = path.read_bytes()
        size = picture_size(data, name)
    except OSError as error:
        return None, [report("picture_unreadable", name, what=error.strerror)]
    except SandglassError as error:
        return None, [report("picture_unreadable", name, what=error)]
    kind = next(((kind, suffixes) for magic, (kind, suffixes) in _MAGIC.items() if data.startswith(magic)), None)
    findings = []
    if kind is not None and path.suffix.lower() not in kind[1]:
        findings.append(report("wrong_suffix", name, what=kind[0]))
    ended = {"JPEG": b"\xff\xd9" in data[-4096:], "PNG": b"IEND" in data[-4096:]}
    if not ended.get(kind[0] if kind else "", True):
        try:
            decode_picture(data, name)
        except SandglassError:
            return None, [*findings, report("picture_damaged", name)]
    return size, findings


def write_pictures(samples: Iterable[WrittenSample], folder: Path) -> Iterator[WrittenSample]:
    """Write each sample's picture below ``folder`` and pass the sample on.

    Raises:
        ValueError: a sample's path leaves the folder.
    """
    for sample, picture in samples:
        safe = safe_reference(sample.path)
        if safe is None:
            raise ValueError(f"{sample.path} leaves the folder")
        target = folder / safe
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture())
        yield sample, picture
