"""Answers without a trained field: every pair on the page, or the values of keys that somebody typed."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from sandglass.core.prediction import FieldPrediction, Source
from sandglass.scenarios.ocr.fields.characters import plain_text
from sandglass.scenarios.ocr.fields.compare import normal_form
from sandglass.scenarios.ocr.page import Page
from sandglass.scenarios.ocr.pairs.embed import Embedder
from sandglass.scenarios.ocr.pairs.find import Pair, find_pairs
from sandglass.scenarios.ocr.pairs.wording import concepts, wording_similarity

SAME_MEANING = 0.5
"""Cosine from which two keys mean the same. Over 30 Chinese form labels and their English names, the right name was
above it for 25 and the best one for 24; among unequal labels 5 of 100 are above it, which is why the best one is taken
and spelling goes first."""
LIKELY_MEANING, CLEAR_LEAD = 0.4, 0.1
"""A weaker cosine will do when the next best key is this much farther away: 合计 and Total have 0.47."""
SAME_SPELLING = 0.82
"""Similarity of spelling (0..1) from which two keys are one: a letter or two that were misread."""
MISSING = 0.5
"""Score of the answer that a typed key is not on the page."""


def answer_all(page: Page) -> tuple[FieldPrediction, ...]:
    """Every key-value pair on the page."""
    return tuple(_found(pair) for pair in find_pairs(page))


def _found(pair: Pair) -> FieldPrediction:
    return FieldPrediction(
        key=pair.key,
        value=pair.value,
        score=pair.score,
        source=Source.FOUND,
        key_polygon=pair.key_polygon,
        value_polygons=pair.value_polygons,
    )


@dataclass(frozen=True)
class _Offer:
    """Something that a typed key may mean: a printed or labelled key with its answer."""

    key: str
    answer: FieldPrediction


def answer_custom(
    page: Page, keys: Sequence[str], labelled: Sequence[FieldPrediction], embedder: Embedder
) -> tuple[FieldPrediction, ...]:
    """One answer per typed key, in order: the value of the labelled or printed key that it means best, else none.

    Spelling goes before meaning, and a labelled field before a printed key of the same name. The score is the
    similarity of the keys times the score of the value.
    """
    offers = [_Offer(answer.key, answer) for answer in labelled if answer.value is not None]
    offers += [_Offer(answer.key, answer) for answer in answer_all(page)]
    names = list(dict.fromkeys(offer.key for offer in offers))
    if not names:
        return tuple(_not_found(key) for key in keys)
    cosine = embedder([plain_text(key) for key in keys]) @ embedder([plain_text(name) for name in names]).T
    answers = []
    for number, key in enumerate(keys):
        meaning = _clear(dict(zip(names, cosine[number].tolist(), strict=True)))
        best, similarity = max(
            ((offer, key_similarity(key, offer.key, meaning[offer.key])) for offer in offers),
            key=lambda pair: (pair[1], pair[0].answer.score),
        )
        if similarity <= 0:
            answers.append(_not_found(key))
        else:
            score = round(similarity * best.answer.score, 4)
            answers.append(best.answer.model_copy(update={"key": key, "source": Source.CUSTOM, "score": score}))
    return tuple(answers)


def _clear(meaning: dict[str, float]) -> dict[str, float]:
    """Cosines by key; one that is weak but clearly leads is lifted to `SAME_MEANING`."""
    ranked = sorted(meaning.items(), key=lambda item: -item[1])
    best, cosine = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if LIKELY_MEANING <= cosine < SAME_MEANING and cosine - second >= CLEAR_LEAD:
        return {**meaning, best: SAME_MEANING}
    return meaning


def key_similarity(asked: str, printed: str, cosine: float) -> float:
    """How surely two keys are one, 0..1; 0 = they are not.

    Equal letters and digits: 1. The same words or names of the same thing (`wording`), or nearly equal spelling: up to
    0.95. Near in meaning: the cosine, at most 0.9, unless both are known names of different things.
    """
    left, right = normal_form(asked), normal_form(printed)
    if left == right:
        return 1.0
    wording = min(0.95, wording_similarity(asked, printed))
    spelling = fuzz.ratio(left, right) / 100
    if spelling >= SAME_SPELLING and min(len(left), len(right)) >= 3:
        return max(wording, min(0.95, spelling))
    if wording:
        return wording
    apart = concepts(asked) and concepts(printed)
    return min(0.9, cosine) if cosine >= SAME_MEANING and not apart else 0.0


def _not_found(key: str) -> FieldPrediction:
    return FieldPrediction(key=key, value=None, score=MISSING, source=Source.CUSTOM)
