"""Documents that the project renders itself, with their truth: for the demo, for tests, for training base models."""

from sandglass.scenarios.ocr.synthesis.documents import SyntheticDocument, generate_receipts, to_samples
from sandglass.scenarios.ocr.synthesis.lines import generate_lines

__all__ = ["SyntheticDocument", "generate_lines", "generate_receipts", "to_samples"]
