"""Where others take part in the life of a service's instances, inside the transactions that write it down."""

from sqlalchemy.orm import Session

from sandglass.store.tables import Instance, Service


class InstanceHooks:
    """Told when an instance begins and ends to take up its spec. All methods do nothing here.

    An instance begins once (its restarts after a crash are part of it) and ends once, also when the server was away:
    ``instance.started_at`` and ``instance.ended_at`` hold the instants.
    """

    def starting(self, session: Session, service: Service, instance: Instance) -> None:
        """An instance is about to be handed to the engine for the first time.

        Raises:
            SandglassError: it may not; the service shows the error and asks again later.
        """

    def ended(self, session: Session, service: Service, instance: Instance) -> None:
        """An instance has ended and will not come back."""
