"""Documents of one origin belong together: they are weighed together and never stand on both sides of a fold."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from sandglass.scenarios.ocr.fields.characters import significant
from sandglass.scenarios.ocr.fields.labelled import LabelledPage

TOP = 3
"""Lines at the top of a page by which documents without a named group are told apart."""
TELLING = 6
"""Letters and digits from which a line is telling."""


def group_names(pages: Sequence[LabelledPage]) -> list[str]:
    """The group of every page; pages without one are grouped by a shared line near the top.

    A line that stands on more than a quarter of all pages (a title such as INVOICE) tells nothing.
    """
    tops = [
        {text for line in labelled.page.texts[:TOP] if len(text := significant(line)[0]) >= TELLING}
        for labelled in pages
    ]
    counts = Counter(text for top in tops for text in top)
    common = {text for text, count in counts.items() if count > max(3, len(pages) / 4)}
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    names = []
    for number, (labelled, top) in enumerate(zip(pages, tops, strict=True)):
        own = f"group:{labelled.group}" if labelled.group is not None else f"page:{number}"
        if labelled.group is None:
            for text in sorted(top - common):
                parent[find(f"line:{text}")] = find(own)
        names.append(own)
    return [find(name) for name in names]


def folds(groups: Sequence[str], count: int) -> list[int]:
    """A fold 0..count-1 for every document: groups stay whole, folds become about equally large."""
    sizes = [0] * count
    fold_of: dict[str, int] = {}
    for group, size in sorted(Counter(groups).items(), key=lambda item: (-item[1], item[0])):
        fold_of[group] = sizes.index(min(sizes))
        sizes[fold_of[group]] += size
    return [fold_of[group] for group in groups]


def hold_outs(groups: Sequence[str], count: int, share: float) -> list[int | None]:
    """For every document the one of ``count`` hold-outs that it belongs to, or None.

    Each hold-out takes about ``share`` (0..1) of the documents in whole groups. Large groups are passed over: a
    hold-out should hold many origins. Deterministic, and it does not depend on the order of the documents.
    """
    sizes = Counter(groups)
    wanted = max(1.0, share * len(groups))
    small = [group for group, size in sizes.items() if size <= max(1.0, wanted / 3)]
    small.sort(key=lambda group: hashlib.sha256(group.encode()).digest())
    taken = [0] * count
    part_of: dict[str, int] = {}
    for group in small:
        part = taken.index(min(taken))
        if taken[part] + sizes[group] > wanted:
            break
        part_of[group] = part
        taken[part] += sizes[group]
    return [part_of.get(group) for group in groups]
