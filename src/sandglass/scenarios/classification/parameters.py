"""Settings of the classification scenario: what a person may choose on the form, all with safe defaults."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ClassificationParameters(BaseModel):
    """Parameters of a classification task.

    Attributes:
        labels_per_picture: exactly one, several, or as the data shows.
        backbone: network to start from; ``auto`` tries what fits the time.
        side: of the input, pixels (square root of its area); None = by the pictures and the time.
        learn: how much of the network is fine-tuned: nothing (a linear probe only), the later part, or all.
        variation: how far pictures are varied while learning.
        mirror: whether a mirrored picture keeps its label; ``auto`` measures it.
        balance: how much more often pictures of rare labels are shown: 0 = as they come, 1 = every label alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels_per_picture: Literal["auto", "one", "several"] = Field(
        "auto", title="Labels per picture", description="Exactly one, several, or as the data shows."
    )
    backbone: Literal["auto", "lite0", "lite1", "lite2"] = Field(
        "auto", title="Backbone", description="EfficientNet-Lite to start from; auto tries what fits the time."
    )
    side: int | None = Field(
        None, ge=64, le=512, title="Input side", description="Pixels; empty = by the pictures and the time."
    )
    learn: Literal["auto", "probe", "partial", "all"] = Field(
        "auto",
        title="Fine-tuning",
        description="A linear probe only, the later part of the network, or all of it.",
    )
    variation: Literal["auto", "light", "middle", "strong"] = Field(
        "auto", title="Variation", description="How far pictures are varied while learning (crops, colours, mixing)."
    )
    mirror: Literal["auto", "yes", "no"] = Field(
        "auto", title="Mirror", description="Whether a mirrored picture keeps its label; auto measures it."
    )
    balance: float = Field(
        0.5,
        ge=0,
        le=1,
        title="Balance of labels",
        description="How much more often rare labels are shown: 0 = as they come, 1 = every label alike.",
    )
