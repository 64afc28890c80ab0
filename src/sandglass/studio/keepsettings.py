"""Whether a service keeps the pictures that callers send, which of them, where and for how long."""

from pydantic import Field

from sandglass.core.value import Value


class KeepPictures(Value):
    """Opt-in of one service.

    Attributes:
        dataset: name or id of the dataset that the pictures go to; must be of the service's scenario.
        share: of the requests whose pictures are kept, 0..1.
        most: pictures kept at a time; when there are so many, further ones are not kept.
        days: after which a picture is removed that nobody has worked on.
    """

    dataset: str
    share: float = Field(1.0, gt=0, le=1)
    most: int = Field(1000, ge=1, le=1_000_000)
    days: float = Field(30.0, gt=0, le=3650)
