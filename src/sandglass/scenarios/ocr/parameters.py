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

    use: Literal["print", "handwriting"] = Field(
        "print",
        title="Use",
        description="General print or handwriting: picks base models, augmentation and recipe.",
        json_schema_extra={
            "x-names": {"print": "General print", "handwriting": "Handwriting"},
            "x-zh": {
                "title": "使用场景",
                "description": "通用印刷或手写体：决定基础模型、数据增强和训练方案。",
                "x-names": {"print": "通用印刷", "handwriting": "手写体"},
            },
        },
    )
    reader: Literal["auto", "accurate", "fast"] = Field(
        "auto",
        title="Reader",
        description="How text is read: accurate, fast, or chosen from the preference.",
        json_schema_extra={
            "x-names": {"auto": "By preference", "accurate": "Accurate", "fast": "Fast"},
            "x-zh": {
                "title": "文字识别",
                "description": "识别文字的方式：精确、快速，或由偏好决定。",
                "x-names": {"auto": "由偏好决定", "accurate": "精确", "fast": "快速"},
            },
        },
    )
    learn_from: Literal["both", "given", "read"] = Field(
        "both",
        title="Learn from",
        description="Text that fields are learnt from: labelled, read by the product, or both.",
        json_schema_extra={
            "x-names": {"both": "Both", "given": "Labelled text", "read": "Text as read"},
            "x-zh": {
                "title": "学习文字来源",
                "description": "学习字段时使用的文字：标注的、产品识别的，或两者。",
                "x-names": {"both": "两者", "given": "标注文字", "read": "识别文字"},
            },
        },
    )
    members: int | None = Field(
        None,
        ge=1,
        le=8,
        title="Ensemble size",
        description="Networks that vote on each field; empty = by preference.",
        json_schema_extra={"x-zh": {"title": "集成数量", "description": "为每个字段投票的网络数；留空则由偏好决定。"}},
    )
    keep_print: bool = Field(
        True,
        title="Keep reading print",
        description="A reader that learns your lines must go on reading ordinary print as well as before.",
    )
