"""The caller's language, known to whatever turns sentences into text while one request is answered."""

from contextvars import ContextVar
from typing import Annotated

from pydantic import BeforeValidator
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandglass.core.text import Language, Text, choose_language

_language: ContextVar[Language] = ContextVar("language", default="en")


def current_language() -> Language:
    """The language of the request that is being answered."""
    return _language.get()


def _to_text(value: object) -> object:
    if isinstance(value, Text):
        return value.to(_language.get())
    return value


LocalText = Annotated[str, BeforeValidator(_to_text)]
"""A sentence in the caller's language."""


class LanguageMiddleware:
    """Chooses the language from ``Accept-Language`` and names it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        language = choose_language(Headers(scope=scope).get("accept-language"))
        token = _language.set(language)

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Language"] = language
                headers.add_vary_header("Accept-Language")
            await send(message)

        try:
            await self._app(scope, receive, tell)
        finally:
            _language.reset(token)
