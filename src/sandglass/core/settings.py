"""Settings of one installation: where it keeps its things and what it may do. Read from ``SANDGLASS_*`` variables."""

from decimal import Decimal
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between installations.

    Attributes:
        home: folder of this installation: database, objects, work folders, logs.
        host: address that the server listens on; loopback unless an admin says otherwise.
        port: TCP port of the server; 0 picks a free one.
        database_url: SQLAlchemy address; None = SQLite inside ``home``.
        objects_url: ``file:///folder`` or ``s3://bucket/prefix``; None = folder inside ``home``.
        allow_network: whether anything outside the machine may be contacted (weights from hubs); off by default.
        cpu_count: CPU cores that work may take; None = all of the machine.
        max_upload_bytes: largest request body.
        allow_picture_urls: whether services fetch pictures from addresses that callers name; off by default.
        picture_url_networks: networks (CIDR) inside which such addresses may lie although they are not public.
        login: whether people sign in; without, whoever reaches the (loopback) address is the admin.
        money: whether computing costs money; never without sign-in.
        currency: of prices and balances, ISO 4217.
        opening_balance: what a new account has before anybody tops it up.
    """

    model_config = SettingsConfigDict(env_prefix="SANDGLASS_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: Path.home() / ".sandglass")
    host: str = "127.0.0.1"
    port: int = 8765
    database_url: str | None = None
    objects_url: str | None = None
    allow_network: bool = False
    cpu_count: int | None = None
    max_upload_bytes: int = 4 * 1024**3
    allow_picture_urls: bool = False
    picture_url_networks: tuple[str, ...] = ()
    login: bool = True
    money: bool = True
    currency: str = Field("CNY", pattern="^[A-Z]{3}$")
    opening_balance: Decimal = Field(Decimal(1000), ge=0, le=10**9)

    @property
    def charged(self) -> bool:
        """Whether computing costs money here."""
        return self.login and self.money

    @property
    def database(self) -> str:
        """The database address in force."""
        return self.database_url or f"sqlite:///{(self.home / 'sandglass.db').absolute()}"

    @property
    def objects(self) -> str:
        """The object store address in force."""
        return self.objects_url or (self.home / "objects").absolute().as_uri()
