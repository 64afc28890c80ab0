"""Fields of documents, learnt from labelled pages: where a value stands, what it says, how sure that is."""

from sandglass.scenarios.ocr.fields.extractor import FieldExtractor
from sandglass.scenarios.ocr.fields.labelled import LabelledPage, labelled_page

__all__ = ["FieldExtractor", "LabelledPage", "labelled_page"]
