"""Follows every changing call for the audit log: from where it comes, how it ends."""

import logging
import time
import uuid

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandglass.api.permissions import SAFE
from sandglass.studio.audit import Trail, follow

log = logging.getLogger(__name__)

STRANGERS_A_MINUTE = 60
"""Refused calls of nobody in particular that are written down per minute; a flood of them must not fill the disk."""


class AuditTrail:
    """Writes the entry of a changing call once its answer is known."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._minute = 0
        self._strangers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if given.isascii() and given.isprintable() and 0 < len(given) <= 80 else uuid.uuid4().hex
        trail = Trail(address=client[0] if client else "", request_id=request_id)
        status = 500

        async def listen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with follow(trail):
            try:
                await self._app(scope, receive, listen)
            finally:
                if trail.action and self._worth_writing(trail):
                    code = scope.get("state", {}).get("problem") if status >= 400 else None
                    studio = scope["app"].state.studio
                    await run_in_threadpool(studio.audit.finish, trail, status, code)

    def _worth_writing(self, trail: Trail) -> bool:
        if trail.actor is not None:
            return True
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            if self._strangers > STRANGERS_A_MINUTE:
                log.warning("%d refused calls of nobody were not audited", self._strangers - STRANGERS_A_MINUTE)
            self._minute, self._strangers = minute, 0
        self._strangers += 1
        return self._strangers <= STRANGERS_A_MINUTE
