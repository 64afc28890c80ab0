"""Counts what stands on a table and adds it up by a price list."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sandglass.core.prediction import LabelCount, ObjectPrediction, Tally

SAME_THING = 0.7
"""Overlap from which two answers under different labels are taken for one thing."""


def one_label_each(objects: Sequence[ObjectPrediction]) -> tuple[ObjectPrediction, ...]:
    """The surest answer for each thing: what is a cup is not charged as a bowl too. By falling score."""
    kept: list[ObjectPrediction] = []
    for item in sorted(objects, key=lambda item: -item.score):
        if all(other.box.iou(item.box) < SAME_THING for other in kept):
            kept.append(item)
    return tuple(kept)


def tally(
    objects: Iterable[ObjectPrediction], labels: Sequence[str], prices: Mapping[str, Decimal], currency: str
) -> Tally:
    """Counts in the order of ``labels``; with prices also amounts and their sum, exact to the last digit.

    >>> from sandglass.core.geometry import Box
    >>> cup = ObjectPrediction(label="cup", score=0.9, box=Box(0, 0, 1, 1))
    >>> tally([cup, cup], ["bowl", "cup"], {"cup": Decimal("2.50")}, "CNY").total
    Decimal('5.00')
    """
    found = Counter(item.label for item in objects)
    counts = []
    for label in labels:
        if found[label]:
            price = prices.get(label)
            amount = None if price is None else price * found[label]
            counts.append(LabelCount(label=label, count=found[label], price=price, amount=amount))
    if not prices:
        return Tally(counts=tuple(counts))
    amounts = [item.amount for item in counts if item.amount is not None]
    return Tally(
        counts=tuple(counts),
        total=sum(amounts, Decimal(0)),
        currency=currency,
        unpriced=tuple(item.label for item in counts if item.price is None),
    )
