"""Keys and their values anywhere on a page, known or not: found by layout and punctuation, matched to typed keys."""

from sandglass.scenarios.ocr.pairs.answer import answer_all, answer_custom
from sandglass.scenarios.ocr.pairs.embed import Embedder, SentenceEmbedder
from sandglass.scenarios.ocr.pairs.find import Pair, find_pairs

__all__ = ["Embedder", "Pair", "SentenceEmbedder", "answer_all", "answer_custom", "find_pairs"]
