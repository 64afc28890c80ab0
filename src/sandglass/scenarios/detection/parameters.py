"""Settings of the detection scenario: what a person may choose on the form, all with safe defaults."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def zh(title: str, description: str, **names: str) -> dict[str, Any]:
    """Title, description and names of choices in Chinese, for the form that is drawn from the schema."""
    return {"x-zh": {"title": title, "description": description, "names": names}}


class DetectionParameters(BaseModel):
    """Parameters of a detection task.

    Attributes:
        resolution: longer side, pixels, at which pictures are looked at; None = chosen from the boxes.
        upright: whether pictures have a top; without one they are also learnt upside down.
        mirror: whether a mirrored picture could be a real one; auto leaves it to the scenario.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resolution: int | None = Field(
        None,
        ge=160,
        le=1600,
        title="Resolution",
        description="Longer side in pixels at which pictures are looked at; empty = by the sizes of the boxes.",
        json_schema_extra=zh("分辨率", "查看图片时的长边像素；留空则按标注框大小自动选择。"),
    )
    upright: Literal["yes", "no"] = Field(
        "yes",
        title="Upright",
        description="No for pictures without a top, as from a microscope or the air: they are also learnt upside down.",
        json_schema_extra=zh(
            "有上下之分", "显微、航拍等没有上下方向的图片选“否”，将同时学习倒置的图片。", yes="是", no="否"
        ),
    )
    mirror: Literal["auto", "yes", "no"] = Field(
        "auto",
        title="Mirror",
        description="Learn mirrored pictures too; no where left and right differ. Auto: yes, but not for eyes.",
        json_schema_extra=zh(
            "镜像", "同时学习镜像图片；左右有别时选“否”。自动：除眼底图外均镜像。", auto="自动", yes="是", no="否"
        ),
    )
