"""Prepares labelled pages for learning: styles, vocabulary, targets, and which member of an ensemble may see which page."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from sandglass.scenarios.ocr.fields.groups import folds, group_names, hold_outs
from sandglass.scenarios.ocr.fields.labelled import LabelledPage
from sandglass.scenarios.ocr.fields.patterns import ValueType
from sandglass.scenarios.ocr.fields.style import FieldStyle, learn_style
from sandglass.scenarios.ocr.fields.targets import TrainingPage, training_page
from sandglass.scenarios.ocr.fields.vocabulary import Vocabulary, learn_vocabulary

BALANCE = 0.5
"""Pages of a group of n are drawn in proportion to n ** -BALANCE each."""
HELD_OUT = 0.06
"""Share of the pages that each member leaves out when there is no validation part, to calibrate on."""
LEAST_GROUPS = 10
"""Groups below which nothing is left out without a validation part: too little would be left to learn from."""


@dataclass(frozen=True)
class Material:
    """Everything that members learn from.

    Attributes:
        fields: in display order.
        labelled: all pages, those to learn from first, then the validation part.
        prepared: targets of each page; None = teaches nothing.
        groups: origin of each page.
        left_out: for each page the members that must not see it.
        styles: field → style, in display order.
    """

    fields: tuple[str, ...]
    labelled: tuple[LabelledPage, ...]
    prepared: tuple[TrainingPage | None, ...]
    groups: tuple[str, ...]
    left_out: tuple[frozenset[int], ...]
    styles: dict[str, FieldStyle]
    vocabulary: Vocabulary

    def used_by(self, member: int) -> list[int]:
        """Pages that a member learns from."""
        return [
            number
            for number, page in enumerate(self.prepared)
            if page is not None and member not in self.left_out[number]
        ]

    def weights(self, pages: Sequence[int]) -> list[float]:
        """How often each of ``pages`` is drawn: large groups less than in proportion to their size."""
        sizes = Counter(self.groups[number] for number in pages)
        return [sizes[self.groups[number]] ** -BALANCE for number in pages]

    @property
    def text_fields(self) -> list[int]:
        """Indices of fields with free text."""
        return [i for i, style in enumerate(self.styles.values()) if style.pattern.type is ValueType.TEXT]

    @property
    def held_out(self) -> list[int]:
        """Pages that at least one member has not seen."""
        return [number for number, members in enumerate(self.left_out) if members]

    @property
    def unplaced(self) -> Mapping[str, int]:
        """Field → values of the pages to learn from that were not found on their page, so that they teach nothing."""
        counts = dict.fromkeys(self.fields, 0)
        for labelled in self.labelled:
            for name in self.fields:
                counts[name] += sum(alignment is None for alignment in labelled.alignments.get(name, ()))
        return counts


def preparing(
    pages: Sequence[LabelledPage],
    validation: Sequence[LabelledPage],
    fields: tuple[str, ...],
    *,
    members: int,
    share_validation: bool,
) -> Generator[None, None, Material]:
    """Prepare pages for an ensemble; yields after each page, so that the work can be cut anywhere.

    Args:
        pages: to learn from.
        validation: to calibrate on.
        fields: in display order.
        members: size of the ensemble.
        share_validation: False = no member sees the validation part; True = each page of it is left out
            by half of the members, so that all of it teaches and each page of it can still be answered unseen.
    """
    everything = (*pages, *validation)
    for labelled in everything:
        _ = labelled.alignments  # found once and kept with the page
        yield
    groups = group_names(everything)
    taught = everything if share_validation or not validation else tuple(pages)
    styles = {}
    for name in fields:
        styles[name] = learn_style(name, taught)
        yield
    vocabulary = learn_vocabulary(
        (group, labelled.page) for group, labelled in zip(groups[: len(taught)], taught, strict=True)
    )
    patterns = [style.pattern for style in styles.values()]
    prepared = []
    for labelled in everything:
        yield
        prepared.append(training_page(labelled, fields, vocabulary, patterns))
    left_out = _left_out(groups, len(pages), members, share_validation=share_validation)
    return Material(fields, everything, tuple(prepared), tuple(groups), left_out, styles, vocabulary)


def _left_out(
    groups: Sequence[str], learnt: int, members: int, *, share_validation: bool
) -> tuple[frozenset[int], ...]:
    everybody, nobody = frozenset(range(members)), frozenset[int]()
    checked = groups[learnt:]
    if checked and not share_validation:
        return (nobody,) * learnt + (everybody,) * len(checked)
    if checked:
        # Answered by half of the ensemble, a page tells how sure the whole ensemble would be; a single member would
        # seem surer than an ensemble ever is.
        half = max(1, members // 2)
        parts = folds(checked, -(-members // half))
        return (nobody,) * learnt + tuple(
            frozenset((part * half + place) % members for place in range(half)) for part in parts
        )
    if len(set(groups)) < LEAST_GROUPS:
        return (nobody,) * learnt
    share = min(HELD_OUT, 0.5 / members)
    return tuple(nobody if part is None else frozenset({part}) for part in hold_outs(groups, members, share))
