"""How routers reach the studio, and the query parameters that lists share."""

from typing import Annotated

from fastapi import Depends, Query, Request

from sandglass.studio.studio import Studio


def _studio(request: Request) -> Studio:
    studio = request.app.state.studio
    assert isinstance(studio, Studio)
    return studio


OpenStudio = Annotated[Studio, Depends(_studio)]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items.")]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1, description="Items to leave out first.")]
Search = Annotated[str, Query(max_length=200, description="A part of the name.")]
Threshold = Annotated[float, Query(ge=0.05, le=0.95, description="0.05 to 0.95 by 0.05.")]
