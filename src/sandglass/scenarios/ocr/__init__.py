"""OCR: read the text of a page and the fields of a document."""
