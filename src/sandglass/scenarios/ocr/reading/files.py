"""The files of a reader: two networks and the characters that the second one knows."""

from pathlib import Path

from sandglass.pretrained import locate

DETECTOR = "detector.onnx"
RECOGNISER = "recogniser.onnx"
CHARACTERS = "characters.txt"

_FILES = {
    "accurate": {DETECTOR: "ocr/ppocrv6-small-det.onnx", RECOGNISER: "ocr/ppocrv6-small-rec.onnx"},
    "fast": {
        DETECTOR: "ocr/ppocrv6-tiny-det.onnx",
        RECOGNISER: "ocr/ppocrv6-tiny-rec.onnx",
        CHARACTERS: "ocr/ppocrv6-tiny-characters.txt",
    },
}
MODES = tuple(_FILES)


def reader_files(mode: str) -> dict[str, Path]:
    """The base files of a mode (``accurate`` or ``fast``) by the name that they have in a model folder.

    The accurate recogniser carries its characters in its own metadata.

    Raises:
        Broken: ``weights_missing``.
    """
    return {name: locate(entry) for name, entry in _FILES[mode].items()}


def folder_files(folder: Path) -> dict[str, Path]:
    """The files of a reader in a model folder."""
    return {name: folder / name for name in (DETECTOR, RECOGNISER, CHARACTERS) if (folder / name).exists()}
