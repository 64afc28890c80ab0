"""The field network: convolutions over characters, attention over the lines of a page with their places.

It says for every character to which field it belongs, and for every field which line holds it, where it begins and
where it ends, or that it is not on the page.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sandglass.scenarios.ocr.fields.characters import CharClass
from sandglass.scenarios.ocr.fields.features import FEATURES, LAYOUT

HEADS = 8
LAYERS = 3
RELATIONS = 9


class NetworkInput(NamedTuple):
    """A batch of pages; their streams lie one behind the other, their lines are padded to the longest page.

    Attributes:
        characters, classes, words, line_of: (length,) int64; ``line_of`` counts padded lines over the batch.
        places: (pages * lines, longest) int64 positions in the stream, 0 = padding.
        features: (pages, lines, FEATURES + fields) float32.
        rows: (pages, lines) int64, -99 = padding.
        mask: (pages, lines) bool.
    """

    characters: Tensor
    classes: Tensor
    words: Tensor
    line_of: Tensor
    places: Tensor
    features: Tensor
    rows: Tensor
    mask: Tensor


class NetworkOutput(NamedTuple):
    """Logits.

    Attributes:
        characters: (length, 1 + fields), column 0 = no field.
        lines: (pages, lines, fields, 3): holds the field, its first line, its last line.
        missing: (pages, fields): not on this page; competes with the lines that hold the field.
    """

    characters: Tensor
    lines: Tensor
    missing: Tensor


class SeededDropout(nn.Module):
    """Dropout that draws from its own generator, so that members that learn side by side stay reproducible."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * kept / (1 - self.p)


class LineAttention(nn.Module):
    """One transformer layer over lines, with an additive bias from their relative places."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.inputs = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.forward_part = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), SeededDropout(dropout), nn.Linear(2 * width, width)
        )
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = SeededDropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        pages, lines, width = x.shape
        parts = self.inputs(self.norm1(x)).view(pages, lines, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        weights = (query @ key.transpose(-1, -2) / (width // HEADS) ** 0.5 + bias).softmax(-1)
        x = x + self.dropout(self.output((weights @ value).transpose(1, 2).reshape(pages, lines, width)))
        result: Tensor = x + self.dropout(self.forward_part(self.norm2(x)))
        return result


class FieldNetwork(nn.Module):
    """One member of the ensemble.

    Args:
        characters: size of the character vocabulary.
        words: size of the word vocabulary; 0 = this member does not look at words.
        fields: number of fields.
        width: of all hidden layers.
    """

    def __init__(self, characters: int, words: int, fields: int, *, width: int = 128, dropout: float = 0.1) -> None:
        super().__init__()
        self.fields = fields
        self.use_words = words > 0
        self.character = nn.Embedding(characters, 48, padding_idx=0)
        self.char_class = nn.Embedding(len(CharClass), 48, padding_idx=0)
        self.word = nn.Embedding(max(words, 2), 48, padding_idx=0)
        self.conv1 = nn.Conv1d(48, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, padding=1)
        self.conv3 = nn.Conv1d(width, width, 3, padding=2, dilation=2)
        self.pool = nn.Linear(2 * width, width)
        self.layout = nn.Sequential(nn.Linear(FEATURES + fields, 64), nn.GELU(), nn.Linear(64, width))
        self.relation = nn.Sequential(nn.Linear(RELATIONS, 32), nn.GELU(), nn.Linear(32, HEADS * LAYERS))
        self.layers = nn.ModuleList([LineAttention(width, dropout) for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(width)
        self.line_head = nn.Linear(width, 3 * fields)
        self.missing_head = nn.Linear(width, fields)
        self.join = nn.Linear(2 * width, width)
        self.join_conv = nn.Conv1d(width, width, 3, padding=2, dilation=2)
        self.char_head = nn.Linear(width, 1 + fields)
        self.dropout = SeededDropout(2 * dropout)

    def forward(self, batch: NetworkInput) -> NetworkOutput:
        pages, lines, _ = batch.features.shape
        ink = (batch.classes > 0).float()[None, None]
        embedded = self.character(batch.characters) + self.char_class(batch.classes)
        if self.use_words:
            embedded = embedded + self.word(batch.words)
        x = embedded.t()[None]
        x = F.gelu(self.conv1(x)) * ink
        x = x + F.gelu(self.conv2(x)) * ink
        x = x + F.gelu(self.conv3(x)) * ink
        chars = x[0].t()
        seen = (batch.classes > 0).float()[:, None]
        pooled = self.pool(self.dropout(self._pooled(chars, seen, batch))).view(pages, lines, -1)
        line = pooled + self.layout(batch.features)
        bias = self._bias(batch)
        for index, layer in enumerate(self.layers):
            line = layer(line, bias[:, index * HEADS : (index + 1) * HEADS])
        line = self.norm(line)
        shown = batch.mask[..., None].float()
        whole = (line * shown).sum(1) / shown.sum(1).clamp(min=1)
        told = line.reshape(pages * lines, -1).index_select(0, batch.line_of)
        joined = F.gelu(self.join(self.dropout(torch.cat([chars, told], -1)))) * ink[0, 0][:, None]
        joined = joined + F.gelu(self.join_conv(joined.t()[None])[0].t())
        return NetworkOutput(
            self.char_head(self.dropout(joined)),
            self.line_head(self.dropout(line)).view(pages, lines, self.fields, 3),
            self.missing_head(whole),
        )

    def _pooled(self, chars: Tensor, seen: Tensor, batch: NetworkInput) -> Tensor:
        """(pages * lines, 2 * width): largest and mean value over the characters of each line."""
        if self.training:
            # Sums along the stream: the same numbers as below, in half the time where gradients are wanted.
            count, width = len(batch.places), chars.shape[1]
            empty = chars.new_zeros(count, width)
            total = empty.index_add(0, batch.line_of, chars * seen)
            length = chars.new_zeros(count, 1).index_add(0, batch.line_of, seen)
            shown = chars * seen - 50 * (1 - seen)
            top = (empty - 50).scatter_reduce(0, batch.line_of[:, None].expand(-1, width), shown, "amax")
        else:
            held = chars[batch.places]
            inside = (batch.places > 0).float()[..., None]
            total, length = (held * inside).sum(1), inside.sum(1)
            top = (held * inside - 50 * (1 - inside)).amax(1)
        return torch.cat([top.clamp(min=-5), total / length.clamp(min=1)], -1)

    def _bias(self, batch: NetworkInput) -> Tensor:
        """(pages, HEADS * LAYERS, lines, lines): what two lines' places say about each other; padding shut out."""
        box = batch.features[..., :LAYOUT]
        rows = (batch.rows[:, :, None] - batch.rows[:, None]).float()

        def apart(i: int, j: int) -> Tensor:
            return box[:, :, None, i] - box[:, None, :, j]

        left, right, top = apart(0, 0), apart(2, 2), apart(1, 1)
        relations = torch.stack(
            [
                left,
                apart(2, 0),
                top,
                (rows == 0).float(),
                (rows == 1).float(),
                (rows == -1).float(),
                (rows / 5).tanh(),
                (left.abs() < 0.03).float(),
                ((left + right).abs() < 0.06).float(),
            ],
            -1,
        )
        bias: Tensor = self.relation(relations).permute(0, 3, 1, 2)
        return bias.masked_fill(~batch.mask[:, None, None], -1e4)
