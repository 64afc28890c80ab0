"""Dataset formats: pure readers and writers of folders, with a findings report."""

from sandglass.formats.base import Format, Found, FoundSample, Kind, WrittenSample
from sandglass.formats.registry import Reading, detect_format, get_format, list_formats, read_dataset

__all__ = [
    "Format",
    "Found",
    "FoundSample",
    "Kind",
    "Reading",
    "WrittenSample",
    "detect_format",
    "get_format",
    "list_formats",
    "read_dataset",
]
