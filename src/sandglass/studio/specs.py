"""The catalogue of compute specs: named amounts of CPU, memory and GPU with a price, and which of them this machine can give.

It is a YAML file in the home that an admin edits in the console, by command or by hand; whoever reads it sees the latest.
"""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from sandglass.core.errors import Broken, Busy, Conflict, InvalidInput, NotFound
from sandglass.core.text import Text
from sandglass.core.value import Value
from sandglass.engine.base import Engine
from sandglass.studio.audit import note
from sandglass.studio.ledger import Money

GIB = 1024


class Spec(Value):
    """A named amount of computing.

    Attributes:
        id: e.g. ``2C4G``.
        cpu: cores, which is also the number of threads of a process on it.
        memory_mb: MiB of memory.
        gpu: graphics processors.
        price: for an hour, in the currency of the installation.
        enabled: whether something new may be started with it.
    """

    id: str = Field(pattern=r"^[A-Z0-9][A-Z0-9\-]{0,39}$")
    cpu: int = Field(ge=1, le=4096)
    memory_mb: int = Field(ge=256, le=1 << 26)
    gpu: int = Field(0, ge=0, le=64)
    price: Money = Field(Decimal(0), ge=0, le=10**6, decimal_places=4)
    enabled: bool = True


class SpecView(Spec):
    """A spec as a person chooses it.

    Attributes:
        available: whether it is enabled and this machine can give it; ``reason`` says why not.
        in_use: services and runs that have it.
    """

    available: bool
    reason: Text | None
    in_use: int


def usual_specs() -> list[Spec]:
    """What a new installation offers; the prices are an example."""
    sizes = ((1, 2), (1, 4), (2, 4), (2, 8), (4, 8), (4, 16), (8, 16), (8, 32), (16, 32), (16, 64), (32, 64))
    return [
        Spec(
            id=f"{cpu}C{memory}G",
            cpu=cpu,
            memory_mb=memory * GIB,
            price=Decimal("0.20") * cpu + Decimal("0.05") * memory,
        )
        for cpu, memory in sizes
    ]


class Specs:
    """Compute specs by the engine's capacity.

    Args:
        engine: knows what the machine has.
        path: of the catalogue; written with the usual specs on first use.
        count_use: says how many services and runs have each spec.
    """

    def __init__(self, engine: Engine, path: Path, count_use: Callable[[], dict[str, int]]) -> None:
        self._engine = engine
        self._path = path
        self._count_use = count_use
        self._lock = threading.RLock()
        self._read: tuple[tuple[int, int], list[Spec]] | None = None
        if not path.exists():
            self._write(usual_specs())
        self._catalogue()

    def list(self) -> list[SpecView]:
        """The whole catalogue, the smallest first."""
        capacity, used = self._engine.capacity(), self._count_use()
        gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))
        return [
            _judge(spec, capacity.cpu_total, capacity.memory_total_mb, gpus, used.get(spec.id, 0))
            for spec in self._catalogue()
        ]

    def get(self, name: str) -> Spec:
        """The spec of that id, if something new may be started with it on this machine.

        Raises:
            NotFound: ``spec_unknown``.
            InvalidInput: ``spec_too_large`` or ``spec_disabled``.
        """
        known = self.list()
        found = next((spec for spec in known if spec.id == name.upper()), None)
        if found is None:
            raise _unknown(name, known)
        if found.reason is not None:
            fitting = ", ".join(spec.id for spec in known if spec.available) or "-"
            raise InvalidInput(
                "spec_too_large" if found.enabled else "spec_disabled",
                found.reason,
                Text(en=f"Choose one of {fitting}.", zh=f"可选规格：{fitting}。"),
                field="spec",
            )
        return _plain(found)

    def known(self, name: str) -> Spec:
        """The spec of that id, whether or not something new may be started with it: what runs already was.

        Raises:
            NotFound: ``spec_unknown``.
        """
        catalogue = self._catalogue()
        found = next((spec for spec in catalogue if spec.id == name.upper()), None)
        if found is None:
            raise _unknown(name, catalogue)
        return found

    def default(self, wanted: str) -> Spec:
        """``wanted``, or the largest available spec that is not larger.

        Raises:
            Busy: ``machine_too_small``.
        """
        known = self.list()
        limit = next((spec for spec in known if spec.id == wanted), None)
        fitting = [
            spec for spec in known if spec.available and (limit is None or _size(spec) <= _size(limit)) and not spec.gpu
        ]
        if not fitting:
            smallest = known[0].id if known else "-"
            raise Busy(
                "machine_too_small",
                Text(en=f"This machine cannot give {smallest}.", zh=f"本机无法提供 {smallest}。"),
                Text(
                    en="Give Sandglass more cores or memory, or enable a smaller spec.",
                    zh="请为 Sandglass 分配更多 CPU 或内存，或启用更小的规格。",
                ),
            )
        return _plain(fitting[-1])

    def put(self, spec: Spec) -> SpecView:
        """Add a spec or change one; a price holds for what is started from now on.

        Raises:
            Conflict: ``spec_in_use``: what runs with it would have another size.
        """
        with self._lock:
            catalogue = {known.id: known for known in self._catalogue()}
            before = catalogue.get(spec.id)
            resized = before is not None and _size(before) != _size(spec)
            if resized and self._count_use().get(spec.id):
                raise Conflict(
                    "spec_in_use",
                    Text(en=f"{spec.id} is in use: its size stays.", zh=f"{spec.id} 正在使用，不能修改大小。"),
                    Text(
                        en="Change its price, disable it, or add another spec.", zh="可修改价格、停用它，或新建规格。"
                    ),
                    field="id",
                )
            catalogue[spec.id] = spec
            self._write(catalogue.values())
            note(
                "spec",
                spec.id,
                None if before is None else before.model_dump(mode="json"),
                spec.model_dump(mode="json"),
            )
        return next(view for view in self.list() if view.id == spec.id)

    def delete(self, name: str) -> None:
        """Remove a spec that nothing has.

        Raises:
            NotFound: ``spec_unknown``.
            Conflict: ``spec_in_use``: it can be disabled.
        """
        with self._lock:
            spec = self.known(name)
            used = self._count_use().get(spec.id, 0)
            if used:
                raise Conflict(
                    "spec_in_use",
                    Text(
                        en=f"{spec.id} is in use by {used} service(s) or run(s).",
                        zh=f"{spec.id} 正被 {used} 个服务或运行使用。",
                    ),
                    Text(en="Disable it: nothing new is started with it then.", zh="请停用它，之后不再用于新的工作。"),
                    field="id",
                )
            self._write(known for known in self._catalogue() if known.id != spec.id)
            note("spec", spec.id, spec.model_dump(mode="json"), None)

    def _catalogue(self) -> Sequence[Spec]:
        with self._lock:
            try:
                status = self._path.stat()
                stamp = (status.st_mtime_ns, status.st_size)
                if self._read is None or self._read[0] != stamp:
                    self._read = (stamp, _parse(self._path))
            except OSError as error:
                raise _invalid(self._path, str(error)) from error
            return self._read[1]

    def _write(self, specs: Iterable[Spec]) -> None:
        listed = [spec.model_dump(mode="json") for spec in sorted(specs, key=_order)]
        text = "# Compute specs. Memory in MiB, price per hour as a quoted decimal; see docs/billing.md.\n"
        text += yaml.safe_dump({"specs": listed}, sort_keys=False, allow_unicode=True)
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)


def _parse(path: Path) -> list[Spec]:
    try:
        listed = yaml.safe_load(path.read_text("utf-8"))["specs"]
        specs = [Spec.model_validate({**entry, "price": _price(entry.get("price", "0"))}) for entry in listed]
    except (yaml.YAMLError, ValidationError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise _invalid(path, str(error)) from error
    if len({spec.id for spec in specs}) != len(specs):
        raise _invalid(path, "two specs have one id")
    return sorted(specs, key=_order)


def _price(written: object) -> Decimal:
    """A price as a person wrote it: ``"1.20"`` or ``1.2``, of which the written digits count, never their float."""
    return Decimal(str(written))


def _invalid(path: Path, why: str) -> Broken:
    return Broken(
        "specs_invalid",
        Text(en=f"{path} cannot be used: {why}", zh=f"无法使用 {path}：{why}"),
        Text(en="Correct it, or delete it to begin with the usual specs.", zh="请修正，或删除后恢复默认规格。"),
    )


def _size(spec: Spec) -> tuple[int, ...]:
    return (spec.gpu, spec.cpu, spec.memory_mb)


def _order(spec: Spec) -> tuple[int | str, ...]:
    return (*_size(spec), spec.id)


def _plain(spec: Spec) -> Spec:
    return Spec(**{name: getattr(spec, name) for name in Spec.model_fields})


def _unknown(name: str, catalogue: Iterable[Spec]) -> NotFound:
    known = ", ".join(spec.id for spec in catalogue)
    return NotFound(
        "spec_unknown",
        Text(en=f"There is no compute spec '{name}'.", zh=f"没有算力规格“{name}”。"),
        Text(en=f"Choose one of {known}.", zh=f"可选规格：{known}。"),
        field="spec",
    )


def _judge(spec: Spec, cpu: float, memory_mb: int, gpus: int, used: int) -> SpecView:
    reason = None
    if not spec.enabled:
        reason = Text(en=f"{spec.id} is disabled.", zh=f"{spec.id} 已停用。")
    elif spec.cpu > cpu:
        reason = Text(
            en=f"{spec.id} needs {spec.cpu} cores; this machine gives {cpu:g}.",
            zh=f"{spec.id} 需要 {spec.cpu} 核，本机可用 {cpu:g} 核。",
        )
    elif spec.memory_mb > memory_mb:
        reason = Text(
            en=f"{spec.id} needs {spec.memory_mb // GIB} GB of memory; this machine has {memory_mb / GIB:.1f} GB.",
            zh=f"{spec.id} 需要 {spec.memory_mb // GIB} GB 内存，本机有 {memory_mb / GIB:.1f} GB。",
        )
    elif spec.gpu > gpus:
        reason = Text(
            en=f"{spec.id} needs {spec.gpu} GPU(s); this machine has {gpus}.",
            zh=f"{spec.id} 需要 {spec.gpu} 块 GPU，本机有 {gpus} 块。",
        )
    return SpecView(**_plain(spec).model_dump(), available=reason is None, reason=reason, in_use=used)
