"""Who comes in, and what a route asks of them.

Every route says what it needs with `needs` (or, for the few that need nobody, `open_to_all`); one that says nothing keeps the
application from being built. Seeing needs no more than a role: what a caller may not see, the studio does not find.
"""

from collections.abc import Iterable
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.params import Depends as DependsParameter
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from sandglass.api.security import LOOPBACK
from sandglass.core.actor import Actor, Role, act_as, acting
from sandglass.core.errors import Forbidden, NotSignedIn
from sandglass.core.text import Text
from sandglass.studio.access import Right, ThingKind
from sandglass.studio.audit import Trail, current_trail, follow
from sandglass.studio.credentials import digest_of, kind_of
from sandglass.studio.studio import Studio

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ROLE_WORDS = {
    Role.VIEWER: Text(en="viewer", zh="查看者"),
    Role.ANNOTATOR: Text(en="annotator", zh="标注员"),
    Role.DEVELOPER: Text(en="developer", zh="开发者"),
    Role.ADMIN: Text(en="admin", zh="管理员"),
}
Parameter = Literal["dataset", "task", "service", "run", "import_id"]
_KINDS: dict[Parameter, ThingKind] = {
    "dataset": "dataset",
    "task": "task",
    "service": "service",
    "run": "run",
    "import_id": "import",
}


class Needs:
    """What a route asks of its caller. Use it through `needs` and `open_to_all`.

    Attributes:
        role: the lowest role that may call it; None = anybody, signed in or not.
        right: what the caller must have of the thing that ``parameter`` of the path names.
        keys: whether a key of the service that the path names opens it.
        unready: whether somebody who must change the password first may call it.
        audit: whether a call is written to the audit log, if it is of a changing kind.
    """

    def __init__(
        self,
        role: Role | None,
        parameter: Parameter | None = None,
        right: Right = Right.SEE,
        *,
        keys: bool = False,
        unready: bool = False,
        audit: bool = True,
    ) -> None:
        self.role = role
        self.parameter = parameter
        self.right = right
        self.keys = keys
        self.unready = unready
        self.audit = audit

    async def __call__(self, request: Request) -> Actor | None:
        """The caller, who acts from here on.

        Raises:
            NotSignedIn: nobody is, or what was sent to prove it is wrong.
            Forbidden: the caller's role, key or right does not reach.
        """
        studio: Studio = request.app.state.studio
        trail = current_trail()
        if trail is not None and self.audit:
            _describe(trail, request)
        with follow(None):  # that a token was used is no change of the caller's making
            actor = await authenticate(studio, request, optional=self.role is None)
        if trail is not None:
            trail.actor = actor
        act_as(actor)
        if self.role is None:
            return actor
        assert actor is not None
        if actor.must_change_password and not self.unready:
            raise Forbidden(
                "password_change_needed",
                Text(en="The one-time password must be changed first.", zh="请先修改一次性密码。"),
                Text(en="Change it on the sign-in page.", zh="请在登录页修改。"),
            )
        if actor.entrance == "key" and not self.keys:
            raise Forbidden(
                "key_out_of_scope",
                Text(
                    en="A service's key opens only the prediction of its service.",
                    zh="服务密钥只能用于该服务的预测接口。",
                ),
                Text(en="Use a user's token.", zh="请使用用户令牌。"),
            )
        if not actor.role.covers(self.role):
            raise _role_missing(actor, self.role)
        if self.keys and actor.role is not Role.ADMIN:
            await run_in_threadpool(studio.access.require_service, str(request.path_params["service"]))
        if self.parameter is not None and self.right is not Right.SEE:
            name = str(request.path_params[self.parameter])
            await run_in_threadpool(studio.access.require, _KINDS[self.parameter], name, self.right)
        return actor


def needs(role: Role, **more: Any) -> Any:  # noqa: ANN401
    """Declare the lowest role that may call a route, for its ``dependencies``.

    Args:
        role: everybody below it is refused with the role in the sentence.
        more: ``change="task"`` or ``own="task"``: the right that the caller must have of what that path parameter names;
            ``keys``, ``unready`` and ``audit`` as in `Needs`.
    """
    parameter, right = None, Right.SEE
    for word, asked in (("change", Right.CHANGE), ("own", Right.OWN)):
        if word in more:
            parameter, right = more.pop(word), asked
    return Depends(Needs(role, parameter, right, **more))


def open_to_all(*, audit: bool = True) -> Any:  # noqa: ANN401
    """Declare that a route answers whoever asks, signed in or not."""
    return Depends(Needs(None, audit=audit))


def refuse_server_folder() -> None:
    """Refuse to read from or write to folders of the server for anybody but admins: the server's files are not everybody's.

    Raises:
        Forbidden: ``role_missing``.
    """
    require_role(Role.ADMIN)


def require_role(role: Role) -> None:
    """Refuse what a route offers to more people than this part of it is for.

    Raises:
        Forbidden: ``role_missing``.
    """
    actor = acting()
    if actor is not None and not actor.role.covers(role):
        raise _role_missing(actor, role)


async def authenticate(studio: Studio, request: Request, *, optional: bool) -> Actor | None:
    """Who calls: by the ``Authorization`` header, else by the session's cookie, else whoever has the machine to himself.

    Args:
        studio: the installation.
        request: the call.
        optional: whether nobody is a good answer.

    Raises:
        NotSignedIn: ``sign_in_needed``, ``token_invalid`` or ``session_over``.
        Forbidden: ``origin_missing``: a changing call with a cookie that does not say which page it comes from.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return await _by_secret(studio, request, secret.strip())
    cookie = request.cookies.get(cookie_name(request))
    if not studio.settings.login:
        return await run_in_threadpool(studio.accounts.owner, "open")
    if cookie:
        _refuse_forged(request)
        try:
            return await _known(studio, digest_of(cookie), studio.sign_in.look_up)
        except NotSignedIn:
            if not optional:
                raise
    if optional:
        return None
    raise NotSignedIn(
        "sign_in_needed",
        Text(en="Nobody is signed in.", zh="尚未登录。"),
        Text(en="Sign in, or send 'Authorization: Bearer TOKEN'.", zh="请登录，或发送 Authorization: Bearer 令牌。"),
    )


async def _by_secret(studio: Studio, request: Request, secret: str) -> Actor:
    if kind_of(secret) == "owner":
        near = request.client is not None and request.client.host in LOOPBACK
        if near and studio.owner_token.matches(secret):
            return await run_in_threadpool(studio.accounts.owner, "owner")
    return await _known(studio, digest_of(secret), studio.tokens.look_up)


async def _known(studio: Studio, digest: str, look_up: Any) -> Actor:  # noqa: ANN401
    known = studio.callers.get(digest)
    return known if known is not None else await run_in_threadpool(studio.callers.find, digest, look_up)


def cookie_name(request: Request) -> str:
    """The session's cookie; browsers send cookies to every port of a host, so each port has its own name."""
    return f"sandglass_{request.url.port or request.url.scheme}"


def _refuse_forged(request: Request) -> None:
    """Refuse a changing call with a cookie unless the browser says that a page of this server makes it.

    Browsers tell where a changing call comes from in ``Origin`` and ``Sec-Fetch-Site``, which pages cannot set. A foreign
    origin never comes this far; a call that tells nothing does not come from a browser's page and may send a token.
    Source: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    if site in ("same-origin", "none") or (site is None and "origin" in request.headers):
        return
    raise Forbidden(
        "origin_missing",
        Text(en="The request does not say which page it comes from.", zh="请求未表明来源页面。"),
        Text(en="Use the console of this server, or a token.", zh="请使用本服务器的控制台，或使用令牌。"),
    )


def _role_missing(actor: Actor, role: Role) -> Forbidden:
    wanted, have = ROLE_WORDS[role], ROLE_WORDS[actor.role]
    return Forbidden(
        "role_missing",
        Text(
            en=f"This needs the role {wanted.en}; {actor.name} is {have.en}.",
            zh=f"此操作需要“{wanted.zh}”角色；{actor.name} 的角色是“{have.zh}”。",
        ),
        Text(en="Ask an admin for the role.", zh="请联系管理员授予该角色。"),
        details={"needs": role.value},
    )


def _describe(trail: Trail, request: Request) -> None:
    """Name the call by its operation: ``delete_task`` is ``task.delete``."""
    verb, _, noun = str(getattr(request.scope.get("route"), "name", "")).partition("_")
    trail.action = f"{noun}.{verb}" if noun else verb
    trail.target = "/".join(str(value) for value in request.path_params.values())


# What routes declare


def declared(route: BaseRoute) -> Needs | None:
    """What a route needs; None = it does not say."""
    if not isinstance(route, APIRoute):
        return None
    found = [
        dependency.dependency
        for dependency in route.dependencies
        if isinstance(dependency, DependsParameter) and isinstance(dependency.dependency, Needs)
    ]
    return found[0] if len(found) == 1 else None


def require_declarations(routers: Iterable[APIRouter]) -> None:
    """Refuse to build an application of which a route does not say who may call it.

    Raises:
        RuntimeError: naming the routes.
    """
    silent = [
        f"{sorted(route.methods or ())} {route.path}"
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and declared(route) is None
    ]
    if silent:
        raise RuntimeError(
            "These routes do not say who may call them; give each dependencies=[needs(Role.…)] "
            f"(sandglass.api.permissions): {', '.join(silent)}"
        )
