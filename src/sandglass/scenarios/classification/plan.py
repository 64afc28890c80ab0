"""Which candidates a run tries, by its data, its time and what the person asked for."""

import math
from dataclasses import replace

from sandglass.scenarios.base import Candidate, FitContext, LearningData, TrainingPlan
from sandglass.scenarios.classification.augment import LIGHT, MIDDLE, STRONG, Strength
from sandglass.scenarios.classification.check import conflict_finding
from sandglass.scenarios.classification.folded import FoldedCandidate
from sandglass.scenarios.classification.material import Material, conflict, near_duplicates
from sandglass.scenarios.classification.quick import ProbeCandidate
from sandglass.scenarios.classification.trainer import Recipe
from sandglass.scenarios.classification.tune import TuneCandidate

DECODE_SHARE, DECODE_SECONDS = 0.1, 20.0
"""Decoding ahead may take this share of the time left, and no more than these seconds; the rest is decoded on the way."""
TOLD = 10
"""Near duplicates that are named in the log."""
STRENGTHS: dict[str, Strength] = {"light": LIGHT, "middle": MIDDLE, "strong": STRONG}
FROZEN = 4
"""Parts that stay as they are: edges and textures serve any pictures, and their activations are the large ones."""
CORE_SECONDS = {"lite0": 0.038, "lite1": 0.048, "lite2": 0.05}
"""Seconds of one core that learning from a picture takes at the backbone's own side, measured; for planning only."""
ENOUGH_EPOCHS = 24
"""Epochs of the small backbone that must fit before a larger one is tried beside it."""
FEW_EPOCHS, FEW_BATCH = 60.0, 16
"""Of fine-tuning from few pictures."""


def prepare(data: LearningData, plan: TrainingPlan, context: FitContext) -> None:
    """Decode pictures ahead, and tell of those that look the same but carry different labels."""
    material = Material(data, plan, context)
    deadline = context.deadline.share(DECODE_SHARE).within(DECODE_SECONDS)
    order = [*material.validation, *(index for index in material.train if not material.few)]
    done = 0
    for start in range(0, len(order), 64):
        if deadline.expired or context.stop():
            break
        material.store.read(order[start : start + 64])
        done = min(len(order), start + 64)
        context.report.progress(done / len(order))
    if done < len(order):
        context.report.log(f"Decoded {done} of {len(order)} pictures; the others are decoded when they are needed.")
    pairs = near_duplicates(material.store, order[:done])
    wrong = [pair for pair in pairs if conflict(*(material.examples[index] for index in pair))]
    if len(pairs) > len(wrong):
        context.report.log(f"{len(pairs) - len(wrong)} pictures look the same as another one with the same label.")
    for first, second in wrong[:TOLD]:
        finding = conflict_finding(material.examples[first].sample, material.examples[second].sample, alike=True)
        context.report.log(f"{finding.message.en} {finding.outcome.en}", level="warning")
    if len(wrong) > TOLD:
        context.report.log(f"{len(wrong) - TOLD} more such pairs with different labels.", level="warning")


def candidates(data: LearningData, plan: TrainingPlan, context: FitContext) -> list[Candidate]:
    """A probe first, then what fits the time: with few pictures networks of folds, else fine-tuned ones."""
    material = Material(data, plan, context)
    parameters = material.parameters
    if material.few:
        return _from_few(material)
    first = "lite0" if parameters.backbone == "auto" else parameters.backbone
    quick = ProbeCandidate("probe", material, first)
    if parameters.learn == "probe":
        return [quick]
    chosen: list[Candidate] = [TuneCandidate(f"tune-{first}", material, recipe_for(material, first))]
    if parameters.backbone == "auto" and _larger(material, context):
        chosen.append(TuneCandidate("tune-lite2", material, recipe_for(material, "lite2")))
    return [quick, *chosen]


def _from_few(material: Material) -> list[Candidate]:
    """A probe on the best features that are quick enough; then networks of folds, on strongly varied pictures."""
    parameters = material.parameters
    variant = parameters.backbone
    if variant == "auto":
        # Few pictures are encoded in seconds by any backbone, and the larger one's features tell more apart.
        variant = "lite0" if material.preference == "fastest" else "lite2"
    probe = ProbeCandidate("probe", material, variant)
    if parameters.learn == "probe":
        return [probe]
    strength = STRENGTHS.get(parameters.variation, STRONG)
    recipe = replace(recipe_for(material, variant), epochs=FEW_EPOCHS, batch=FEW_BATCH, strength=strength)
    return [probe, FoldedCandidate("folds", material, recipe)]


def _larger(material: Material, context: FitContext) -> bool:
    """Whether the time allows a larger backbone beside the small one."""
    if material.preference == "fastest":
        return False
    left = context.deadline.remaining
    if math.isinf(left) or context.device == "cuda":
        return True
    return left / epoch_seconds(material, "lite0", context.threads) >= ENOUGH_EPOCHS


def epoch_seconds(material: Material, variant: str, threads: int) -> float:
    """Estimated seconds of an epoch of fine-tuning on idle cores."""
    shape = material.shape(variant)
    own = material.own_side(variant) ** 2
    return max(1, len(material.train)) * CORE_SECONDS[variant] * shape.area / own / max(1, threads)


def recipe_for(material: Material, variant: str) -> Recipe:
    """The recipe of a backbone for this data and these wishes."""
    parameters = material.parameters
    return Recipe(
        variant,
        material.shape(variant),
        frozen=0 if parameters.learn == "all" else FROZEN,
        strength=STRENGTHS.get(parameters.variation, MIDDLE),
    )
