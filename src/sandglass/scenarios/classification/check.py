"""Findings about data to classify: labels that are missing, rare or in conflict, the same picture twice."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from sandglass.core.finding import Finding, Severity
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.scenarios.classification.targets import labels_of

FEW = 5
"""Pictures of a label below which it is warned about."""
UNEVEN = 20
"""Ratio of the most frequent to the rarest label from which it is told."""
SHOWN = 3


def count_labels(samples: Sequence[Sample]) -> Counter[str]:
    """Samples that carry each label."""
    counts: Counter[str] = Counter()
    for sample in samples:
        counts.update(set(labels_of(sample)))
    return counts


def check_samples(samples: Sequence[Sample], labels: Sequence[str] | None) -> list[Finding]:
    """All findings."""
    counts = count_labels(samples)
    if not counts:
        return [
            Finding(
                code="nothing_labelled",
                severity=Severity.ERROR,
                message=Text(en="No picture has a class label.", zh="没有任何图片带有类别标签。"),
                outcome=Text(en="Label some pictures first.", zh="请先标注一些图片。"),
            )
        ]
    wanted = list(labels) if labels else list(counts)
    findings = [_unknown(label, counts) for label in wanted if not counts[label]]
    findings += [_few(label, counts[label]) for label in wanted if 0 < counts[label] < FEW]
    known = [label for label in wanted if counts[label]]
    if len(known) == 1:
        findings.append(_single(known[0], samples))
    if known and max(counts[label] for label in known) > UNEVEN * min(counts[label] for label in known):
        findings.append(_uneven(known, counts))
    return findings + _twice(samples)


def _unknown(label: str, counts: Counter[str]) -> Finding:
    known = [name for name, _ in counts.most_common()]
    return Finding(
        code="unknown_label",
        severity=Severity.ERROR,
        label=label,
        message=Text(en=f"No picture has the label '{label}'.", zh=f"没有图片带有标签“{label}”。"),
        outcome=Text(en=f"Choose among: {', '.join(known)}.", zh=f"可选标签：{'、'.join(known)}。"),
    )


def _few(label: str, count: int) -> Finding:
    return Finding(
        code="few_samples",
        severity=Severity.WARNING,
        label=label,
        count=count,
        message=Text(en=f"'{label}' is on {count} pictures only.", zh=f"“{label}”只有 {count} 张图片。"),
        outcome=Text(
            en=f"It is learnt, but expect errors; label {FEW} or more.",
            zh=f"仍会学习，但容易出错；建议至少标注 {FEW} 张。",
        ),
    )


def _single(label: str, samples: Sequence[Sample]) -> Finding:
    others = sum(1 for sample in samples if label not in labels_of(sample))
    if others:
        return Finding(
            code="one_label",
            severity=Severity.NOTE,
            label=label,
            message=Text(
                en=f"There is one label, '{label}', and {others} pictures without it.",
                zh=f"只有一个标签“{label}”，另有 {others} 张图片不带该标签。",
            ),
            outcome=Text(
                en="The model tells pictures with it from pictures without it.", zh="模型将区分带有与不带该标签的图片。"
            ),
        )
    return Finding(
        code="one_label",
        severity=Severity.WARNING,
        label=label,
        message=Text(en=f"All pictures have the same label, '{label}'.", zh=f"所有图片的标签都是“{label}”。"),
        outcome=Text(
            en="The model will answer it for every picture; label pictures of something else as well.",
            zh="模型会对任何图片都回答该标签；请再标注一些其他内容的图片。",
        ),
    )


def _uneven(known: Sequence[str], counts: Counter[str]) -> Finding:
    rare = min(known, key=lambda label: counts[label])
    often = max(known, key=lambda label: counts[label])
    return Finding(
        code="labels_uneven",
        severity=Severity.NOTE,
        label=rare,
        message=Text(
            en=f"'{often}' is on {counts[often]} pictures, '{rare}' on {counts[rare]}.",
            zh=f"“{often}”有 {counts[often]} 张图片，“{rare}”只有 {counts[rare]} 张。",
        ),
        outcome=Text(
            en="Rare labels are shown more often while learning; more pictures of them help most.",
            zh="学习时会更频繁地使用稀少标签的图片；增加这些图片最有帮助。",
        ),
    )


def _twice(samples: Sequence[Sample]) -> list[Finding]:
    """The same picture (by content) several times: under different labels, or only repeated."""
    same: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.digest and labels_of(sample):
            same[sample.digest].append(sample)
    findings = []
    repeated = []
    for group in same.values():
        if len(group) < 2:
            continue
        if len({frozenset(labels_of(sample)) for sample in group}) > 1:
            findings.append(conflict_finding(group[0], group[1], alike=False))
        else:
            repeated.append(group[1].path)
    if repeated:
        shown = ", ".join(repeated[:SHOWN]) + (" …" if len(repeated) > SHOWN else "")
        findings.append(
            Finding(
                code="duplicate_pictures",
                severity=Severity.NOTE,
                count=len(repeated),
                file=repeated[0],
                message=Text(
                    en=f"{len(repeated)} pictures are there more than once: {shown}.",
                    zh=f"{len(repeated)} 张图片重复出现：{shown}。",
                ),
                outcome=Text(en="They count as often as they are there.", zh="重复的图片会被多次计入。"),
            )
        )
    return findings


def conflict_finding(first: Sample, second: Sample, *, alike: bool) -> Finding:
    """The same picture (or, with ``alike``, one that looks the same) under different labels."""
    names = [", ".join(labels_of(sample)) for sample in (first, second)]
    how = Text(en="look the same", zh="看起来相同") if alike else Text(en="are the same picture", zh="是同一张图片")
    return Finding(
        code="label_conflict",
        severity=Severity.WARNING,
        file=second.path,
        message=Text(
            en=f"{first.path} ({names[0]}) and {second.path} ({names[1]}) {how.en}, with different labels.",
            zh=f"{first.path}（{names[0]}）与 {second.path}（{names[1]}）{how.zh}，但标签不同。",
        ),
        outcome=Text(en="Both are used; correct one of them.", zh="两张都会被使用；请更正其中一张的标签。"),
    )
