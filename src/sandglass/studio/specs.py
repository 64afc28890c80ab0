"""The catalogue of compute specs: named amounts of CPU and memory, and which of them this machine can give."""

from sandglass.core.errors import Busy, InvalidInput, NotFound
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.engine.base import Engine


class Spec(Value):
    """A named amount of computing.

    Attributes:
        id: e.g. ``2C4G``.
        cpu: cores, which is also the number of threads of a process on it.
        memory_mb: MiB of memory.
    """

    id: str
    cpu: int
    memory_mb: int


class SpecView(Spec):
    """A spec with whether this machine can give it; ``reason`` says why not."""

    available: bool
    reason: Text | None


CATALOGUE = tuple(
    Spec(id=f"{cpu}C{memory}G", cpu=cpu, memory_mb=memory * 1024)
    for cpu, memory in ((1, 2), (1, 4), (2, 4), (2, 8), (4, 8), (4, 16), (8, 16), (8, 32), (16, 32), (16, 64), (32, 64))
)


class Specs:
    """Compute specs by the engine's capacity."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self) -> list[SpecView]:
        """The whole catalogue, the smallest first."""
        capacity = self._engine.capacity()
        return [_judge(spec, capacity.cpu_total, capacity.memory_total_mb) for spec in CATALOGUE]

    def get(self, name: str) -> Spec:
        """The spec of that id, if this machine can give it.

        Raises:
            NotFound: ``spec_unknown``.
            InvalidInput: ``spec_too_large``.
        """
        found = {spec.id: spec for spec in self.list()}.get(name.upper())
        if found is None:
            raise _unknown(name)
        if found.reason is not None:
            fitting = ", ".join(spec.id for spec in self.list() if spec.available) or "-"
            raise InvalidInput(
                "spec_too_large",
                found.reason,
                Text(en=f"Choose one of {fitting}.", zh=f"可选规格：{fitting}。"),
                field="spec",
            )
        return Spec(id=found.id, cpu=found.cpu, memory_mb=found.memory_mb)

    def known(self, name: str) -> Spec:
        """The spec of that id, whether or not this machine can give it: what runs already was started with it.

        Raises:
            NotFound: ``spec_unknown``.
        """
        found = {spec.id: spec for spec in CATALOGUE}.get(name.upper())
        if found is None:
            raise _unknown(name)
        return found

    def default(self, wanted: str) -> Spec:
        """``wanted``, or the largest spec below it that this machine can give.

        Raises:
            Busy: ``machine_too_small``.
        """
        below = self.list()[: [spec.id for spec in CATALOGUE].index(wanted) + 1]
        fitting = [spec for spec in below if spec.available]
        if not fitting:
            raise Busy(
                "machine_too_small",
                Text(en=f"This machine cannot give {CATALOGUE[0].id}.", zh=f"本机无法提供 {CATALOGUE[0].id}。"),
                Text(en="Give Sandglass more cores or memory.", zh="请为 Sandglass 分配更多 CPU 或内存。"),
            )
        return Spec(id=fitting[-1].id, cpu=fitting[-1].cpu, memory_mb=fitting[-1].memory_mb)


def _unknown(name: str) -> NotFound:
    known = ", ".join(spec.id for spec in CATALOGUE)
    return NotFound(
        "spec_unknown",
        Text(en=f"There is no compute spec '{name}'.", zh=f"没有算力规格“{name}”。"),
        Text(en=f"Choose one of {known}.", zh=f"可选规格：{known}。"),
        field="spec",
    )


def _judge(spec: Spec, cpu: float, memory_mb: int) -> SpecView:
    reason = None
    if spec.cpu > cpu:
        reason = Text(
            en=f"{spec.id} needs {spec.cpu} cores; this machine gives {cpu:g}.",
            zh=f"{spec.id} 需要 {spec.cpu} 核，本机可用 {cpu:g} 核。",
        )
    elif spec.memory_mb > memory_mb:
        reason = Text(
            en=f"{spec.id} needs {spec.memory_mb // 1024} GB of memory; this machine has {memory_mb / 1024:.1f} GB.",
            zh=f"{spec.id} 需要 {spec.memory_mb // 1024} GB 内存，本机有 {memory_mb / 1024:.1f} GB。",
        )
    return SpecView(**spec.model_dump(), available=reason is None, reason=reason)
