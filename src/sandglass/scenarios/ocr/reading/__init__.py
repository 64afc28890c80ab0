"""Reading: a picture of a page or of a line → lines of text with their places."""

from sandglass.scenarios.ocr.reading.boxes import LineReader
from sandglass.scenarios.ocr.reading.files import reader_files
from sandglass.scenarios.ocr.reading.reader import Reader

__all__ = ["LineReader", "Reader", "reader_files"]
