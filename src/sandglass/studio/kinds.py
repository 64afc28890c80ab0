"""Which annotation a dataset of each scenario holds, also for scenarios that this installation cannot learn yet."""

from typing import Literal

from sandglass.core.errors import NotFound
from sandglass.core.text import Text
from sandglass.scenarios.base import list_scenarios

AnnotationKind = Literal["document", "classes", "objects"]

_KINDS: dict[str, AnnotationKind] = {
    "ocr": "document",
    "classification": "classes",
    "detection": "objects",
    "tableware": "objects",
}


def annotation_kind(scenario: str) -> AnnotationKind:
    """The kind of annotation of a scenario's datasets.

    Raises:
        NotFound: ``scenario_unknown``.
    """
    if scenario in _KINDS:
        return _KINDS[scenario]
    known = _KINDS | {installed.id: installed.annotation for installed in list_scenarios()}
    if scenario not in known:
        shown = ", ".join(known)
        raise NotFound(
            "scenario_unknown",
            Text(en=f"There is no scenario '{scenario}'.", zh=f"没有名为“{scenario}”的场景。"),
            Text(en=f"Choose one of: {shown}.", zh=f"可选场景：{shown}。"),
            field="scenario",
        )
    return known[scenario]
