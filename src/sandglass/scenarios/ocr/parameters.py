"""Settings of the OCR scenario: what a person may choose on the form, all with safe defaults."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class OcrParameters(BaseModel):
    """Parameters of an OCR task.

    Attributes:
        use: general print or handwriting; picks base models and recipe.
        reader: accurate (PP-OCRv6 small), fast (PP-OCRv6 tiny), or chosen from the preference.
        learn_from: train the fields on the dataset's own text, on the text as the product reads it, or on both.
        members: networks in the field ensemble; more = a little better and slower.
        keep_print: hold a reader that learns to what it could read before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Literal["print", "handwriting"] = Field("print", title="Use", description="General print or handwriting.")
    reader: Literal["auto", "accurate", "fast"] = Field(
        "auto", title="Reader", description="How text is read: accurate, fast, or chosen from the preference."
    )
    learn_from: Literal["both", "given", "read"] = Field(
        "both",
        title="Learn from",
        description="Text that fields are learnt from: labelled, read by the product, or both.",
    )
    members: int | None = Field(
        None, ge=1, le=8, title="Ensemble size", description="Networks that vote on each field; empty = by preference."
    )
    keep_print: bool = Field(
        True,
        title="Keep reading print",
        description="A reader that learns your lines must go on reading ordinary print as well as before.",
    )
