"""``/v1/scenarios``, ``/v1/examples``, ``/v1/formats``, ``/v1/specs``: what there is to choose from and to try."""

import hashlib
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sandglass.api.language import LocalText, current_language
from sandglass.api.permissions import needs
from sandglass.api.pictures import PICTURE, preview
from sandglass.api.problems import responses
from sandglass.api.schemas import CreatedTask, Out, SpecOut, created_task
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.formats import list_formats as installed_formats
from sandglass.scenarios.base import Scenario
from sandglass.scenarios.base import list_scenarios as installed_scenarios
from sandglass.studio.kinds import AnnotationKind, annotation_kind
from sandglass.studio.page import Page
from sandglass.studio.specs import Spec

router = APIRouter(prefix="/v1", tags=["catalogue"], responses=responses())

CARD_PIXELS = 480


class PresetOut(Out):
    """A catalogue entry: what a person picks on the home page."""

    id: str
    name: LocalText
    description: LocalText
    domain: LocalText
    labels: tuple[str, ...]
    parameters: dict[str, Any]
    example: LocalText | None = Field(description="What its example data shows; null = it has none.")


class ScenarioOut(Out):
    """One kind of learning; ``parameters`` is the JSON Schema that a form of its own settings is drawn from."""

    id: str
    name: LocalText
    annotation: AnnotationKind
    main_metric: str
    parameters: dict[str, Any]
    causes: dict[str, LocalText]
    presets: tuple[PresetOut, ...]


SpecId = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9\-]{0,39}$")]


class SpecForm(BaseModel):
    """A compute spec; prices are decimal strings for an hour."""

    model_config = ConfigDict(extra="forbid")

    cpu: int = Field(ge=1, le=4096)
    memory_mb: int = Field(ge=256, le=1 << 26)
    gpu: int = Field(0, ge=0, le=64)
    price: Decimal = Field(ge=0, le=10**6, decimal_places=4)
    enabled: bool = True


class FormatOut(Out):
    """One dataset format and the annotation kinds that it can hold."""

    id: str
    name: LocalText
    kinds: list[AnnotationKind]


@router.get("/scenarios", dependencies=[needs(Role.VIEWER)])
def list_scenarios() -> Page[ScenarioOut]:
    """What can be learned."""
    items = [_scenario(scenario) for scenario in installed_scenarios()]
    return Page(items=items, total=len(items))


def _scenario(scenario: Scenario) -> ScenarioOut:
    return ScenarioOut.model_validate(
        {
            "id": scenario.id,
            "name": scenario.name,
            "annotation": scenario.annotation,
            "main_metric": scenario.main_metric,
            "parameters": spoken_schema(scenario.parameters.model_json_schema(), current_language()),
            "causes": dict(scenario.causes),
            "presets": [
                {
                    "id": preset.id,
                    "name": preset.name,
                    "description": preset.description,
                    "domain": preset.domain,
                    "labels": preset.labels,
                    "parameters": dict(preset.parameters),
                    "example": None if preset.example is None else preset.example.description,
                }
                for preset in scenario.presets
            ],
        }
    )


def spoken_schema(schema: dict[str, Any], language: str) -> dict[str, Any]:
    """A form's schema in the caller's language: ``x-zh`` holds the Chinese title, description and ``x-names`` of a field."""
    spoken = {}
    for name, told in schema.get("properties", {}).items():
        chinese = told.get("x-zh", {}) if language.startswith("zh") else {}
        spoken[name] = {key: value for key, value in told.items() if key != "x-zh"} | chinese
    return schema | {"properties": spoken}


@router.post(
    "/examples/{scenario}/{preset}",
    status_code=202,
    response_model=CreatedTask,
    responses=responses(404, 409, 503),
    tags=["tasks"],
    dependencies=[needs(Role.DEVELOPER)],
)
def create_example(studio: OpenStudio, scenario: str, preset: str) -> CreatedTask:
    """Make the example dataset of a catalogue entry, unless it is there, and start a task of five minutes on it."""
    return created_task(studio, studio.examples.create(scenario, preset))


@router.get(
    "/examples/{scenario}/{preset}/picture",
    response_class=Response,
    responses={**responses(404), **PICTURE},
    dependencies=[needs(Role.VIEWER)],
)
def get_example_picture(request: Request, studio: OpenStudio, scenario: str, preset: str) -> Response:
    """A picture of the example data, for the card of a catalogue entry."""
    _, data = studio.examples.picture(scenario, preset)
    tag = f'"{hashlib.sha256(data).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=3600"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(preview(data, CARD_PIXELS), media_type="image/jpeg", headers=headers)


@router.get("/formats", responses=responses(404), dependencies=[needs(Role.VIEWER)])
def list_formats(
    scenario: Annotated[str | None, Query(description="Only formats that fit this scenario's datasets.")] = None,
) -> Page[FormatOut]:
    """Formats that datasets are imported from and exported to."""
    kind = None if scenario is None else annotation_kind(scenario)
    items = [
        FormatOut.model_validate({"id": item.id, "name": item.name, "kinds": sorted(item.kinds)})
        for item in installed_formats(kind)
    ]
    return Page(items=items, total=len(items))


@router.put("/specs/{spec}", dependencies=[needs(Role.ADMIN)], responses=responses(409))
def change_spec(studio: OpenStudio, spec: SpecId, form: SpecForm) -> SpecOut:
    """Add a compute spec or change one; a price holds for what is started from now on."""
    return SpecOut.model_validate(studio.specs.put(Spec(id=spec, **form.model_dump())))


@router.delete("/specs/{spec}", status_code=204, dependencies=[needs(Role.ADMIN)], responses=responses(404, 409))
def delete_spec(studio: OpenStudio, spec: str) -> None:
    """Remove a compute spec that nothing has; one in use can be disabled."""
    studio.specs.delete(spec)


@router.get("/specs", dependencies=[needs(Role.VIEWER)])
def list_specs(studio: OpenStudio) -> Page[SpecOut]:
    """Compute specs, and which of them this machine can give."""
    items = [SpecOut.model_validate(spec) for spec in studio.specs.list()]
    return Page(items=items, total=len(items))
