"""Balances, ledgers, quotes and top-ups: the caller's own under ``/v1/account``, anybody's for admins under ``/v1/users``."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import Limit, OpenStudio
from sandglass.core.actor import Role, acting
from sandglass.studio.billing import Cost, Quote
from sandglass.studio.ledger import Balance, EntryKind, EntryView
from sandglass.studio.page import Page
from sandglass.studio.studio import Studio

router = APIRouter(prefix="/v1", tags=["billing"], responses=responses(404))

_CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "All entries, the newest first.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
_COLUMNS = ("number", "at", "kind", "amount", "balance_after", "frozen_after", "subject", "spec", "by", "note")


class TopUpForm(BaseModel):
    """Money for an account."""

    model_config = ConfigDict(extra="forbid")

    amount: Decimal = Field(gt=0, le=10**9, description="A decimal string with at most four decimals.")
    note: str = Field("", max_length=300)


def _filters(
    kind: EntryKind | None = None,
    resource: Annotated[str | None, Query(max_length=40, description="Id of a task or service.")] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> dict[str, str | datetime | None]:
    return {"kind": kind, "resource": resource, "since": since, "until": until}


Filters = Annotated[dict[str, Any], Depends(_filters)]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]


@router.get("/quote", dependencies=[needs(Role.DEVELOPER)])
def get_quote(
    studio: OpenStudio,
    spec: Annotated[str, Query(max_length=40)],
    count: Annotated[int, Query(ge=1, le=1000, description="Trainings or instances.")] = 1,
) -> Quote:
    """What starting something freezes of the caller's balance, what would be left, and what is missing."""
    return studio.billing.quote(spec, count)


@router.get("/account/balance", dependencies=[needs(Role.VIEWER)])
def get_balance(studio: OpenStudio) -> Balance:
    """How the caller's account stands."""
    return studio.billing.balance(_me())


@router.get("/account/ledger", dependencies=[needs(Role.VIEWER)])
def list_ledger(studio: OpenStudio, filters: Filters, limit: Limit = 50, cursor: Cursor = None) -> Page[EntryView]:
    """The caller's entries, the newest first."""
    return studio.billing.ledger(_me(), **filters, limit=limit, cursor=cursor)


@router.get("/account/ledger.csv", dependencies=[needs(Role.VIEWER)], response_class=StreamingResponse, responses=_CSV)
def export_ledger(studio: OpenStudio, filters: Filters) -> StreamingResponse:
    """The caller's entries as a table."""
    return _table(studio, _me(), filters)


@router.get("/account/costs", dependencies=[needs(Role.VIEWER)])
def list_costs(studio: OpenStudio) -> Page[Cost]:
    """What each task and service has cost the caller so far."""
    costs = studio.billing.costs(_me())
    return Page(items=costs, total=len(costs))


@router.get("/users/{user}/balance", dependencies=[needs(Role.ADMIN)])
def get_user_balance(studio: OpenStudio, user: str) -> Balance:
    """How an account stands."""
    return studio.billing.balance(user)


@router.get("/users/{user}/ledger", dependencies=[needs(Role.ADMIN)])
def list_user_ledger(
    studio: OpenStudio, user: str, filters: Filters, limit: Limit = 50, cursor: Cursor = None
) -> Page[EntryView]:
    """Entries of an account, the newest first."""
    return studio.billing.ledger(user, **filters, limit=limit, cursor=cursor)


@router.post("/users/{user}/top-ups", status_code=201, dependencies=[needs(Role.ADMIN)])
def top_up_user(studio: OpenStudio, user: str, form: TopUpForm) -> Balance:
    """Add money to an account."""
    return studio.billing.top_up(user, form.amount, form.note)


def _me() -> str:
    actor = acting()
    assert actor is not None
    return actor.user_id


def _table(studio: Studio, user: str, filters: dict[str, Any]) -> StreamingResponse:
    def lines() -> Iterator[bytes]:
        yield ("\ufeff" + ",".join(_COLUMNS) + "\n").encode()
        cursor: str | None = None
        while True:
            page = studio.billing.ledger(user, **filters, limit=500, cursor=cursor)
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            for entry in page.items:
                facts = entry.model_dump(mode="json")
                writer.writerow([facts[column] for column in _COLUMNS])
            yield text.getvalue().encode()
            cursor = page.next
            if cursor is None:
                return

    headers = {"Content-Disposition": 'attachment; filename="ledger.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)
