"""Split files: JSON with the names of training and test samples, and which samples belong together."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandglass.core.errors import InvalidInput
from sandglass.core.sample import Part
from sandglass.core.text import Text
from sandglass.formats.textfile import read_json

PART_NAMES = {
    "train": Part.TRAIN,
    "training": Part.TRAIN,
    "val": Part.VALIDATION,
    "valid": Part.VALIDATION,
    "validation": Part.VALIDATION,
    "test": Part.TEST,
}


@dataclass(frozen=True)
class SplitFile:
    """Parts and groups by sample name; a name is a path, or a file name with or without its ending."""

    file: str
    parts: dict[str, Part]
    groups: dict[str, str]
    wanted: str | None

    def names_of(self, path: str) -> tuple[str, ...]:
        """All names under which the split may know a sample."""
        pure = PurePosixPath(path)
        return (path, pure.name, pure.stem, pure.with_suffix("").as_posix())

    def part_of(self, names: tuple[str, ...]) -> Part | None:
        """The part that a sample is in."""
        return next((self.parts[name] for name in names if name in self.parts), None)

    def group_of(self, names: tuple[str, ...]) -> str | None:
        """The group that a sample is in."""
        return next((self.groups[name] for name in names if name in self.groups), None)

    def listed(self, part: str | None) -> list[str]:
        """Names of a part, or of all."""
        return [name for name, place in self.parts.items() if part is None or place.value == self.wanted]


def read_split(path: Path, part: str | None) -> SplitFile:
    """Read a split file.

    Lists named train, val(idation) and test are parts; every other list of lists, or object of lists, names groups
    (merchants, writers, …).

    Raises:
        InvalidInput: ``split_unreadable`` or ``split_part_unknown``.
    """
    value, findings = read_json(path, path.name)
    if not isinstance(value, dict):
        reason = findings[-1].message.en if findings else "it is no object"
        raise InvalidInput(
            "split_unreadable",
            Text(
                en=f"The split file {path.name} cannot be used: {reason}", zh=f"划分文件 {path.name} 无法使用：{reason}"
            ),
            Text(
                en='Write {"train": ["name", …], "test": ["name", …]}.',
                zh='请写成 {"train": ["名称", …], "test": ["名称", …]}。',
            ),
            field="split_file",
        )
    parts: dict[str, Part] = {}
    groups: dict[str, str] = {}
    for key, entry in value.items():
        place = PART_NAMES.get(key.casefold())
        if place is not None and isinstance(entry, list):
            parts.update({str(name): place for name in entry})
        elif place is None and isinstance(entry, list | dict):
            named = entry.items() if isinstance(entry, dict) else enumerate(entry)
            for group, names in named:
                if isinstance(names, list):
                    groups.update({str(name): f"{key}:{group}" for name in names})
    wanted = None
    if part is not None:
        place = PART_NAMES.get(part.casefold())
        if place is None or place not in parts.values():
            known = ", ".join(sorted({item.value for item in parts.values()}))
            raise InvalidInput(
                "split_part_unknown",
                Text(en=f"{path.name} has no part '{part}'.", zh=f"{path.name} 中没有“{part}”部分。"),
                Text(en=f"It has: {known or '-'}.", zh=f"现有：{known or '-'}。"),
                field="part",
            )
        wanted = place.value
    return SplitFile(path.name, parts, groups, wanted)
