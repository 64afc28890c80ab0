"""From probabilities to values: which characters of which lines make up each field's value."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandglass.scenarios.ocr.fields.align import Piece
from sandglass.scenarios.ocr.fields.characters import has_ink, words
from sandglass.scenarios.ocr.fields.features import MAX_LINE, Floats
from sandglass.scenarios.ocr.fields.patterns import innermost
from sandglass.scenarios.ocr.fields.style import FieldStyle, extension_kind
from sandglass.scenarios.ocr.page import Page

TAGGED = 0.5
"""Probability from which a word belongs to a field."""
GROW = 0.15
"""Probability from which a neighbour of such a word belongs to it as well."""
DOUBTFUL = 0.3
"""Probability from which a word is a candidate where nothing better is known."""
LINE_GAIN = 3.0
"""Weight of the words of a line against its begin and end probabilities."""
NO_WORD = -2.0
"""Gain of a line inside a value in which no word is tagged."""
MARGIN = 5.0
"""Margin of one of several values, where there is no second best to measure by."""
HEIGHT = 1.0
"""Weight of how often training values reach over so many lines."""
FALLBACK = -5.0
"""Score of the best shape below which tagged characters are taken instead."""


@dataclass(frozen=True)
class Probabilities:
    """What the network says of one page.

    Attributes:
        characters: per line, (length, 1 + fields).
        lines: (lines, fields, 3): holds, first, last; each sums to at most 1 over lines.
        missing: (fields,).
    """

    characters: Sequence[Floats]
    lines: Floats
    missing: Floats


@dataclass(frozen=True)
class FoundValue:
    """One value with what its confidence is made from.

    Attributes:
        evidence: mean log-odds of its characters; log probability of its lines; distance to the best candidate that
            says something else; log-odds of not being missing; smallest word probability; minus the number of lines.
            The more of each, the likelier is the value.
    """

    field: int
    pieces: tuple[Piece, ...]
    evidence: tuple[float, ...]


EVIDENCE = 6


def log_odds(p: npt.NDArray[np.floating] | float) -> Floats:
    """Logit with probabilities kept away from 0 and 1."""
    clipped = np.clip(p, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float32)


class _Sums:
    """Means over runs of characters, for all fields at once, from running sums along the page."""

    def __init__(self, texts: Sequence[str], told: Probabilities) -> None:
        ink = np.array([has_ink(char) for text in texts for char in text], np.float32)[:, None]
        flat = np.concatenate(list(told.characters))[:, 1:]
        zero = np.zeros((1, flat.shape[1]), np.float64)
        self._plain = np.concatenate([zero, np.cumsum(flat, 0, np.float64)])
        self._inked = np.concatenate([zero, np.cumsum(flat * ink, 0, np.float64)])
        self._ink = np.concatenate([[0.0], np.cumsum(ink[:, 0], 0, np.float64)])
        self._start = np.concatenate([[0], np.cumsum([len(text) for text in texts])])

    def means(self, spans: Sequence[tuple[int, int, int]]) -> npt.NDArray[np.float64]:
        """(spans, fields) mean probability over spans (line, start, end), each with at least one character."""
        line, start, end = np.array(spans, np.int64).reshape(-1, 3).T
        low, high = self._start[line] + start, self._start[line] + end
        means: npt.NDArray[np.float64] = (self._plain[high] - self._plain[low]) / (high - low)[:, None]
        return means

    def inked(self, field: int, line: int, start: int, end: int) -> float:
        """Mean probability over the letters, digits and signs of a span; 0 without any."""
        low, high = self._start[line] + start, self._start[line] + end
        count = self._ink[high] - self._ink[low]
        return float((self._inked[high, field] - self._inked[low, field]) / count) if count else 0.0


@dataclass(frozen=True)
class _Read:
    """A page beside what the network says of it, as decoding needs it.

    Attributes:
        words: spans of words per line.
        means: (words of the page, fields) mean probability of each word.
        first_word: number of the first word of each line in ``means``.
    """

    texts: list[str]
    told: Probabilities
    sums: _Sums
    words: list[list[tuple[int, int]]]
    means: npt.NDArray[np.float64]
    first_word: list[int]

    def word_means(self, line: int, field: int) -> list[float]:
        first = self.first_word[line]
        means: list[float] = self.means[first : first + len(self.words[line]), field].tolist()
        return means

    def holds(self, line: int, field: int) -> float:
        """Log probability that the line holds the field."""
        return math.log(float(self.told.lines[line, field, 0]) + 1e-4)


def decode(page: Page, told: Probabilities, styles: Sequence[FieldStyle]) -> list[FoundValue]:
    """Values of all fields; a field without any entry was not found."""
    texts = [text[:MAX_LINE] for text in page.texts]
    spans = [words(text) for text in texts]
    sums = _Sums(texts, told)
    flat = [(line, start, end) for line, line_spans in enumerate(spans) for start, end in line_spans]
    first = np.concatenate([[0], np.cumsum([len(line_spans) for line_spans in spans])]).tolist()
    read = _Read(texts, told, sums, spans, sums.means(flat), first)
    found: list[FoundValue] = []
    for field, style in enumerate(styles):
        if style.pattern.shapes:
            candidates = _by_shape(read, field, style)
            if not candidates or candidates[0][0] < FALLBACK:
                candidates = sorted(candidates + _by_tags(read, field, style), reverse=True)
            found += _choose(candidates, read, field, style)
        else:
            several = _by_segments(read, field) if style.repeated else []
            value = None if several else _by_lines(read, field, style)
            found += [value] if value else several
    return found


_Candidate = tuple[float, int, int, int]
"""Score, minus the line (earlier lines win ties), start, end."""


def _by_shape(read: _Read, field: int, style: FieldStyle) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    for line, text in enumerate(read.texts):
        spans = style.pattern.spans(text)
        for span in innermost(spans):
            start, end = _extended(span, spans, line, read, field, style)
            mean = read.sums.inked(field, line, *span)
            candidates.append((0.5 * float(log_odds(mean)) + read.holds(line, field), -line, start, end))
    return sorted(candidates, reverse=True)


def _extended(
    span: tuple[int, int], spans: Sequence[tuple[int, int]], line: int, read: _Read, field: int, style: FieldStyle
) -> tuple[int, int]:
    """The largest shape around ``span`` whose further characters are believed to belong to the value.

    What the network believes is weighed with how often training values keep such an extension.
    """
    best = span
    for start, end in sorted(spans, key=lambda item: item[1] - item[0]):
        if start <= best[0] and best[1] <= end and (start, end) != best:
            further = [
                float(read.told.characters[line][at, field + 1])
                for at in (*range(start, best[0]), *range(best[1], end))
                if has_ink(read.texts[line][at])
            ]
            prior = style.kept.get(extension_kind(read.texts[line], span, (start, end)), 0.5)
            if not further or float(log_odds(sum(further) / len(further)) + log_odds(prior)) > 0:
                best = (start, end)
    return best


def _by_tags(read: _Read, field: int, style: FieldStyle) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    for line, spans in enumerate(read.words):
        run: tuple[int, int] | None = None
        means = read.word_means(line, field)
        for (start, end), mean in zip([*spans, (-1, -1)], [*means, 0.0], strict=True):
            if mean > DOUBTFUL:
                run = (run[0] if run else start, end)
            elif run and sum(map(has_ink, read.texts[line][run[0] : run[1]])) * 2 < style.shortest:
                run = None
            elif run:
                odds = float(log_odds(read.sums.inked(field, line, *run)))
                candidates.append((0.5 * odds + read.holds(line, field), -line, *run))
                run = None
    return candidates


def _choose(candidates: Sequence[_Candidate], read: _Read, field: int, style: FieldStyle) -> list[FoundValue]:
    """The best candidate, or for a field that may repeat every one that is believed in."""
    found: list[FoundValue] = []
    for order, (score, minus_line, start, end) in enumerate(candidates):
        line = -minus_line
        if order and not style.repeated:
            break
        if order and read.sums.inked(field, line, start, end) < TAGGED:
            continue
        if any(v.pieces[0].line == line and v.pieces[0].start < end and start < v.pieces[0].end for v in found):
            continue
        held = [
            float(read.told.characters[line][at, field + 1])
            for at in range(start, end)
            if has_ink(read.texts[line][at])
        ]
        # The same value at a second place (a total that stands twice) speaks for it, not against it.
        said = _said(read, style, (line, start, end))
        others = (other[0] for other in candidates[order + 1 :] if _said(read, style, _place(other)) != said)
        second = next(others, score - 10)
        alike = {_place(other)[0] for other in candidates if _said(read, style, _place(other)) == said}
        evidence = (
            float(log_odds(np.array(held)).mean()),
            math.log(min(1.0, sum(float(read.told.lines[at, field, 0]) for at in alike)) + 1e-4),
            min(10.0, score - second),
            -float(log_odds(float(read.told.missing[field]))),
            min(held),
            -1.0,
        )
        found.append(FoundValue(field, (Piece(line, start, end),), evidence))
    return sorted(found, key=lambda value: (value.pieces[0].line, value.pieces[0].start))


def _place(candidate: _Candidate) -> tuple[int, int, int]:
    _, minus_line, start, end = candidate
    return -minus_line, start, end


def _said(read: _Read, style: FieldStyle, place: tuple[int, int, int]) -> str:
    """What a candidate says, whatever way it is written."""
    line, start, end = place
    text = read.texts[line][start:end]
    return style.normalise(text) or " ".join(text.split()).casefold()


def _by_lines(read: _Read, field: int, style: FieldStyle) -> FoundValue | None:
    """The run of lines with the best begin, end and words; in each line from the first to the last tagged word."""
    count = len(read.words)
    gains = np.full(count, NO_WORD)
    for line, spans in enumerate(read.words):
        means = read.word_means(line, field)
        if means and max(means) > TAGGED:
            gains[line] = max(0.0, float(np.average(log_odds(np.array(means)), weights=[b - a for a, b in spans])))
    first = np.log(read.told.lines[:, field, 1] + 1e-4)
    last = np.log(read.told.lines[:, field, 2] + 1e-4)
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    starts, reach = np.meshgrid(np.arange(count), np.arange(len(style.heights)), indexing="ij")
    ends = starts + reach
    starts, ends, reach = starts[ends < count], ends[ends < count], reach[ends < count]
    prior = HEIGHT * np.log(np.array(style.heights))[reach]
    scores = first[starts] + last[ends] + LINE_GAIN * (sums[ends + 1] - sums[starts]) + prior
    best = int(scores.argmax())
    start, end, score = int(starts[best]), int(ends[best]), float(scores[best])
    apart = (ends < start) | (starts > end)
    second = float(scores[apart].max()) if apart.any() else score - 10
    return _value_of(read, field, range(start, end + 1), float(first[start] + last[end]) / 2, min(10.0, score - second))


def _by_segments(read: _Read, field: int) -> list[FoundValue]:
    """Several values over lines: runs of lines with tagged words, parted where the network sees a begin or an end.

    With k values on the page each true begin has a probability of about 1/k, so begins are measured by the likeliest.
    """
    first, last = (read.told.lines[:, field, head] for head in (1, 2))
    begins, ends = first / max(1e-6, float(first.max())), last / max(1e-6, float(last.max()))
    segments: list[list[int]] = []
    for line in range(len(read.words)):
        if max(read.word_means(line, field), default=0.0) <= TAGGED:
            continue
        follows = bool(segments) and segments[-1][-1] == line - 1
        if follows and begins[line] < TAGGED and ends[line - 1] < TAGGED:
            segments[-1].append(line)
        else:
            segments.append([line])
    found = []
    for lines in segments:
        odds = float(np.log(begins[lines[0]] + 1e-4) + np.log(ends[lines[-1]] + 1e-4)) / 2
        value = _value_of(read, field, lines, odds, MARGIN)
        found += [value] if value else []
    return found


def _value_of(read: _Read, field: int, lines: Sequence[int], odds: float, margin: float) -> FoundValue | None:
    """The value over ``lines``: in each from the first to the last tagged word, with likely neighbours."""
    pieces: list[Piece] = []
    kept: list[float] = []
    for line in lines:
        means = read.word_means(line, field)
        tagged = [index for index, mean in enumerate(means) if mean > TAGGED]
        if not tagged and len(lines) == 1:
            tagged = list(range(len(means)))
        if tagged:
            low, high = tagged[0], tagged[-1]
            while low and means[low - 1] > GROW:
                low -= 1
            while high + 1 < len(means) and means[high + 1] > GROW:
                high += 1
            pieces.append(Piece(line, read.words[line][low][0], read.words[line][high][1]))
            kept += means[low : high + 1]
    if not pieces:
        return None
    chars = np.concatenate([read.told.characters[p.line][p.start : p.end, field + 1] for p in pieces])
    evidence = (
        float(log_odds(chars).mean()),
        odds,
        margin,
        -float(log_odds(float(read.told.missing[field]))),
        min(kept),
        -float(len(pieces)),
    )
    return FoundValue(field, tuple(pieces), evidence)
