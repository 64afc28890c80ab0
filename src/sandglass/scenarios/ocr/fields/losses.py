"""Batches of training pages and what the network is blamed for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from sandglass.scenarios.ocr.fields.characters import CharClass
from sandglass.scenarios.ocr.fields.features import stream
from sandglass.scenarios.ocr.fields.model import NetworkInput, NetworkOutput
from sandglass.scenarios.ocr.fields.targets import TrainingPage

LISTWISE = 0.3
SMOOTHING = 0.02
SIGNIFICANT = (CharClass.DIGIT, CharClass.LOWER, CharClass.UPPER, CharClass.CJK, CharClass.LETTER, CharClass.SYMBOL)


@dataclass(frozen=True)
class Targets:
    """Targets of a batch.

    Attributes:
        characters: (length,) int64 field of each position; -1 = not asked (gaps, punctuation).
        owners: (length,) int64 occurrence of each position, -1 = none.
        entries: (entries, 5) int64: occurrence, page, line, field, head (0 holds, 1 first, 2 last).
        weights: (entries,) float32; the entries of one occurrence and head sum to one.
        value_of: (occurrences,) int64 number of the value that an occurrence is a place of.
        values: how many values there are.
        missing: (missing, 2) int64 page and field.
    """

    characters: Tensor
    owners: Tensor
    entries: Tensor
    weights: Tensor
    value_of: Tensor
    values: int
    missing: Tensor

    def to(self, device: torch.device) -> "Targets":
        """The same targets on another device."""
        return Targets(
            self.characters.to(device),
            self.owners.to(device),
            self.entries.to(device),
            self.weights.to(device),
            self.value_of.to(device),
            self.values,
            self.missing.to(device),
        )


def collate(pages: Sequence[TrainingPage]) -> tuple[NetworkInput, Targets]:
    """Lay pages into one batch."""
    streams = [stream(page.arrays) for page in pages]
    most = max(page.size for page in pages)
    longest = max(item.places.shape[1] for item in streams)
    features = np.zeros((len(pages), most, streams[0].features.shape[1]), np.float32)
    rows = np.full((len(pages), most), -99, np.int64)
    mask = np.zeros((len(pages), most), bool)
    places = np.zeros((len(pages), most, longest), np.int64)
    line_of, fields, owners = [], [], []
    entries: list[tuple[int, int, int, int, int]] = []
    weights: list[float] = []
    value_of: list[int] = []
    missing: list[tuple[int, int]] = []
    offset = values = 0
    for number, (page, item) in enumerate(zip(pages, streams, strict=True)):
        size = page.size
        features[number, :size], rows[number, :size], mask[number, :size] = item.features, item.rows, True
        places[number, :size, : item.places.shape[1]] = np.where(item.places > 0, item.places + offset, 0)
        line_of.append(item.line_of + number * most)
        field, owner = np.full(len(item.characters), -1, np.int64), np.full(len(item.characters), -1, np.int64)
        held = item.places[item.places > 0]
        field[held] = np.concatenate([line.fields for line in page.lines])
        told = np.concatenate([line.occurrences for line in page.lines])
        owner[held] = np.where(told >= 0, told + len(value_of), -1)
        field[~np.isin(item.classes, SIGNIFICANT)] = -1
        fields.append(field)
        owners.append(owner)
        for occurrence in page.occurrences:
            own = len(value_of)
            for line in occurrence.lines:
                entries.append((own, number, line, occurrence.field, 0))
                weights.append(1 / len(occurrence.lines))
            entries.append((own, number, occurrence.lines[0], occurrence.field, 1))
            entries.append((own, number, occurrence.lines[-1], occurrence.field, 2))
            weights += [1.0, 1.0]
            value_of.append(values + occurrence.value)
        values += max((occurrence.value for occurrence in page.occurrences), default=-1) + 1
        missing += [(number, index) for index in page.missing]
        offset += len(item.characters)
    tensor = torch.from_numpy
    batch = NetworkInput(
        tensor(np.concatenate([item.characters for item in streams])),
        tensor(np.concatenate([item.classes for item in streams])),
        tensor(np.concatenate([item.words for item in streams])),
        tensor(np.concatenate(line_of)),
        tensor(places.reshape(len(pages) * most, longest)),
        tensor(features),
        tensor(rows),
        tensor(mask),
    )
    targets = Targets(
        tensor(np.concatenate(fields)),
        tensor(np.concatenate(owners)),
        torch.tensor(entries, dtype=torch.int64).view(-1, 5),
        torch.tensor(weights, dtype=torch.float32),
        torch.tensor(value_of, dtype=torch.int64),
        values,
        torch.tensor(missing, dtype=torch.int64).view(-1, 2),
    )
    return batch, targets


def loss(output: NetworkOutput, batch: NetworkInput, targets: Targets) -> Tensor:
    """Cross entropy per character plus a listwise loss over the lines of a page.

    A value that stands in several places is right in any of them: the listwise loss takes the sum of their
    probabilities, and the characters of a place count as much as the network believes in it. So which of several equal
    amounts is the one that people mean is learnt, not told.
    """
    shut = ~batch.mask[..., None]
    holds = torch.cat([output.lines[..., 0].masked_fill(shut, -1e4), output.missing[:, None]], 1).log_softmax(1)
    first = output.lines[..., 1].masked_fill(shut, -1e4).log_softmax(1)
    last = output.lines[..., 2].masked_fill(shut, -1e4).log_softmax(1)
    heads = torch.stack([holds[:, :-1], first, last], -1)

    places = len(targets.value_of)
    terms: list[Tensor] = []
    belief = heads.new_ones(places)
    if places:
        own, page, line, field, head = targets.entries.unbind(1)
        told = heads[page, line, field, head] * targets.weights
        scores = heads.new_zeros(places * 3).index_add(0, own * 3 + head, told).view(places, 3)
        likely = heads.new_zeros(targets.values, 3).index_add(0, targets.value_of, scores.exp())
        known = heads.new_zeros(targets.values).index_add(0, targets.value_of, heads.new_ones(places)) > 0
        terms.append(-(likely[known] + 1e-8).log().reshape(-1))
        with torch.no_grad():
            belief = (scores[:, 0].exp() + 1e-8) / (likely[:, 0] + 1e-8)[targets.value_of]
    if len(targets.missing):
        terms.append(-holds[targets.missing[:, 0], -1, targets.missing[:, 1]])
    listwise = torch.cat(terms).mean() if terms else output.characters.sum() * 0

    asked = targets.characters >= 0
    each = F.cross_entropy(
        output.characters[asked], targets.characters[asked], reduction="none", label_smoothing=SMOOTHING
    )
    owners = targets.owners[asked]
    weight = torch.where(owners >= 0, belief[owners.clamp(min=0)] if places else heads.new_ones(len(owners)), 1.0)
    return (each * weight).sum() / weight.sum().clamp(min=1) + LISTWISE * listwise
