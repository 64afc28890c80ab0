"""Counts what stands on a table and adds it up by a price list."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sandglass.core.prediction import LabelCount, ObjectPrediction, Tally


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
