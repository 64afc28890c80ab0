"""Errors that a person can act on: a stable code, a sentence, what to do, and the thing that is wrong.

Every floor raises these; only ``api`` turns them into problem details and only ``cli`` into exit codes.
"""

from typing import ClassVar

from sandglass.core.text import Text


class SandglassError(Exception):
    """Base of all expected failures.

    Args:
        code: stable identifier, e.g. ``dataset_not_found``; never changes once released.
        message: what is wrong, naming the offending thing.
        action: what the person can do about it.
        field: name of the request field at fault, when there is one.
        details: further facts (file, line, limit) as plain JSON values.
        retry_after: seconds after which the same request may succeed, where that can be said.
    """

    kind: ClassVar[str] = "error"

    def __init__(
        self,
        code: str,
        message: Text,
        action: Text | None = None,
        *,
        field: str | None = None,
        details: dict[str, str | int | float | bool | None] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message.en)
        self.code = code
        self.message = message
        self.action = action
        self.field = field
        self.details = details or {}
        self.retry_after = retry_after


class InvalidInput(SandglassError):
    """The caller's input is wrong (HTTP 422, exit code 2)."""

    kind = "invalid"


class NotFound(SandglassError):
    """The named thing does not exist or may not be seen (HTTP 404, exit code 4)."""

    kind = "not_found"


class Conflict(SandglassError):
    """The request is right but the present state forbids it: name taken, wrong status (HTTP 409, exit code 5)."""

    kind = "conflict"


class Stale(SandglassError):
    """The thing has changed since the caller read it (HTTP 412, exit code 5)."""

    kind = "stale"


class TooLarge(SandglassError):
    """A picture, file or request is over a limit (HTTP 413, exit code 2)."""

    kind = "too_large"


class Busy(SandglassError):
    """No capacity at present; the same request may succeed later (HTTP 503, exit code 6)."""

    kind = "busy"


class Limited(SandglassError):
    """The caller asks more, or more often, than it is allowed (HTTP 429, exit code 6)."""

    kind = "limited"


class TimedOut(SandglassError):
    """No answer within the time that the caller or the service allows (HTTP 504, exit code 6)."""

    kind = "timed_out"


class Broken(SandglassError):
    """Something of ours or of the machine failed: disk full, corrupt model, missing weights (HTTP 500, exit code 1)."""

    kind = "broken"


class NotSignedIn(SandglassError):
    """Nobody is signed in, or what was sent to prove it is wrong (HTTP 401, exit code 7)."""

    kind = "not_signed_in"


class Forbidden(SandglassError):
    """The caller may see it but not do this (HTTP 403, exit code 8)."""

    kind = "forbidden"


class PaymentNeeded(SandglassError):
    """The free balance does not cover it (HTTP 402, exit code 9)."""

    kind = "payment_needed"
