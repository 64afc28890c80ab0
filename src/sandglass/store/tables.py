"""The database schema. Facts only: bytes are objects named by their SHA-256, and nothing refers to a local path.

Accounts, access and money are in `account_tables`.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sandglass.core.actor import acting_user_id
from sandglass.core.time import utc_now
from sandglass.store import account_tables  # noqa: F401 - foreign keys must find their tables
from sandglass.store.base import Amount as Amount
from sandglass.store.base import Base as Base
from sandglass.store.base import Json as Json
from sandglass.store.base import UtcDateTime as UtcDateTime
from sandglass.store.base import new_id as new_id
from sandglass.store.base import row_id as _id

CodePointString = String(1000).with_variant(String(1000, collation="C"), "postgresql")
"""Text in the order of its code points on every database, which manifests and cursors rely on."""


def _owner() -> Mapped[str | None]:
    """The account that a thing belongs to: whoever makes it, unless told otherwise. Without one, only admins see it."""
    return mapped_column(ForeignKey("user_account.id"), index=True, default=acting_user_id)


class Dataset(Base):
    """Pictures with annotations. Imports and edits change its samples (the draft); versions never change."""

    __tablename__ = "dataset"

    id: Mapped[str] = _id("ds")
    owner_id: Mapped[str | None] = _owner()
    name: Mapped[str] = mapped_column(String(120), unique=True)
    scenario: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(default="")
    tags: Mapped[Json] = mapped_column(default=list)
    """list of str."""
    dictionary: Mapped[Json] = mapped_column(default=dict)
    """`core.dictionary.KeyDictionary`: which printed key is which field (documents only)."""
    revision: Mapped[int] = mapped_column(default=0)
    """Rises with every change of the draft."""
    version_count: Mapped[int] = mapped_column(default=0)
    """Versions ever published: the number of a deleted version is never given again."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class SampleRow(Base):
    """One picture of a dataset's draft."""

    __tablename__ = "sample"
    __table_args__ = (
        UniqueConstraint("dataset_id", "path"),
        # With the path at the end a filtered list comes in order, and counts are read from the index alone.
        Index("ix_sample_state", "dataset_id", "state", "path"),
        Index("ix_sample_part", "dataset_id", "part", "path"),
        Index("ix_sample_updated", "dataset_id", "updated_at", "id"),
        Index("ix_sample_size", "dataset_id", "size"),
        Index("ix_sample_digest", "dataset_id", "digest"),
        Index("ix_sample_doubt", "dataset_id", "doubt"),
    )

    id: Mapped[str] = _id("sm")
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(CodePointString)
    digest: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    """Bytes of the picture file."""
    state: Mapped[str] = mapped_column(String(20))
    """unlabelled, pre_labelled or labelled."""
    part: Mapped[str | None] = mapped_column(String(20))
    group: Mapped[str | None] = mapped_column(String(200))
    annotation: Mapped[Json | None]
    """`core.annotation.Annotation`. It is truth only where ``state`` is labelled; before, it is work in progress."""
    suggested: Mapped[Json] = mapped_column(default=dict)
    """dict box id (or class label) → `core.annotation.Suggestion`: parts of ``annotation`` that no person confirmed."""
    doubt: Mapped[float | None]
    """0..1, how unsure the model that pre-labelled it was; None once a person has confirmed it."""
    source: Mapped[str] = mapped_column(String(80), default="import")
    """Who wrote the annotation last: ``import``, ``cleared``, the id of a run, or ``person:`` and which browser."""
    revision: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class SampleHistory(Base):
    """An annotation that somebody else's, or later work has replaced: nothing that was written is lost."""

    __tablename__ = "sample_history"
    __table_args__ = (Index("ix_sample_history_sample", "sample_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    sample_id: Mapped[str] = mapped_column(ForeignKey("sample.id", ondelete="CASCADE"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    part: Mapped[str | None] = mapped_column(String(20))
    annotation: Mapped[Json | None]
    suggested: Mapped[Json] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(String(80))
    written_at: Mapped[datetime]
    replaced_at: Mapped[datetime] = mapped_column(default=utc_now)


class SampleOperation(Base):
    """An edit that was applied, by the id that its sender gave it: the same edit sent again changes nothing."""

    __tablename__ = "sample_operation"
    __table_args__ = (Index("ix_sample_operation_sample", "sample_id", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    sample_id: Mapped[str] = mapped_column(ForeignKey("sample.id", ondelete="CASCADE"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)


class SampleLabel(Base):
    """How often a label or field occurs on a labelled sample: what filters and distributions are made from."""

    __tablename__ = "sample_label"
    __table_args__ = (Index("ix_sample_label_label", "dataset_id", "label", "sample_id", "count"),)

    sample_id: Mapped[str] = mapped_column(ForeignKey("sample.id", ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(String(200), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    count: Mapped[int]


class DatasetLabel(Base):
    """A label or field that people of a dataset know, on samples or not yet; it keeps its colour for ever."""

    __tablename__ = "dataset_label"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    colour: Mapped[int]
    """Place in the palette of the console, from 0."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DatasetVersion(Base):
    """An immutable state of a dataset: a manifest object that lists samples by digest."""

    __tablename__ = "dataset_version"
    __table_args__ = (UniqueConstraint("dataset_id", "number"),)

    id: Mapped[str] = _id("dv")
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    number: Mapped[int]
    manifest: Mapped[str] = mapped_column(String(64))
    """Digest of the manifest object (`store.manifest`)."""
    revision: Mapped[int]
    """The draft's revision that was published."""
    sample_count: Mapped[int]
    labelled_count: Mapped[int]
    label_counts: Mapped[Json]
    """dict label → samples that carry it."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ImportJob(Base):
    """One import: source → check (findings) → stored, all or nothing."""

    __tablename__ = "import_job"

    id: Mapped[str] = _id("im")
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    dataset_name: Mapped[str] = mapped_column(String(120))
    scenario: Mapped[str] = mapped_column(String(40))
    source: Mapped[Json]
    """`studio.imports.ImportSource`."""
    format: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20))
    """checking, checked, importing, done, failed or cancelled."""
    progress: Mapped[float] = mapped_column(default=0.0)
    found: Mapped[int] = mapped_column(default=0)
    stored: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)
    """Pictures and label files that the check does not let through."""
    labels: Mapped[Json] = mapped_column(default=dict)
    """dict label → samples that carry it, as the check found them."""
    label_map: Mapped[Json] = mapped_column(default=dict)
    """dict label → new name, or None to leave it out."""
    findings: Mapped[Json] = mapped_column(default=list)
    """list of `core.finding.Finding`, a bounded number of each kind."""
    report: Mapped[str | None] = mapped_column(String(64))
    """Digest of the object with all findings, one line of JSON each."""
    error: Mapped[Json | None]
    """`core.problem.Problem`."""
    owner: Mapped[str] = mapped_column(String(80), default="")
    """Process that works on it (host:pid:start); a dead owner means that it failed."""
    created_by: Mapped[str | None] = _owner()
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Task(Base):
    """One learning job; its settings live in versions."""

    __tablename__ = "task"

    id: Mapped[str] = _id("ta")
    owner_id: Mapped[str | None] = _owner()
    name: Mapped[str] = mapped_column(String(60), unique=True)
    scenario: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(default="")
    tags: Mapped[Json] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class TaskVersion(Base):
    """A task with one set of settings, never changed after creation."""

    __tablename__ = "task_version"
    __table_args__ = (UniqueConstraint("task_id", "number"),)

    id: Mapped[str] = _id("tv")
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id", ondelete="CASCADE"))
    number: Mapped[int]
    settings: Mapped[Json]
    """`learning.settings.TrainingSettings`."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Run(Base):
    """One training, evaluation or pre-label execution."""

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_task_version", "task_version_id", "kind"),
        Index("ix_run_dataset", "dataset_id", "kind"),
        Index("ix_run_status", "status"),
    )

    id: Mapped[str] = _id("run")
    task_version_id: Mapped[str | None] = mapped_column(ForeignKey("task_version.id", ondelete="CASCADE"))
    """Of a training or an evaluation."""
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    """Of a pre-label run: the dataset that it writes to."""
    kind: Mapped[str] = mapped_column(String(20))
    """`core.status.RunKind`."""
    status: Mapped[str] = mapped_column(String(20))
    """`core.status.RunStatus`."""
    reason: Mapped[str | None] = mapped_column(String(40))
    """`core.status.RunReason`, once final."""
    error: Mapped[Json | None]
    """`core.problem.Problem`: one sentence and the next step, when failed."""
    settings: Mapped[Json]
    """`learning.settings.TrainingSettings`, `EvaluationSettings` or `PrelabelSettings`."""
    stage: Mapped[str | None] = mapped_column(String(40))
    stages: Mapped[Json] = mapped_column(default=list)
    """list of `learning.progress.Stage`: name, started, ended."""
    progress: Mapped[float] = mapped_column(default=0.0)
    """0..1."""
    best_score: Mapped[float | None]
    best_at: Mapped[float | None]
    """Seconds of used time when the best score was reached."""
    max_seconds: Mapped[float | None]
    """Wall-clock maximum over all attempts; None = no limit."""
    used_seconds: Mapped[float] = mapped_column(default=0.0)
    """Wall-clock time used by all attempts so far."""
    attempt: Mapped[int] = mapped_column(default=0)
    stop_requested_at: Mapped[datetime | None]
    work_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class RunEvent(Base):
    """What happened in a run, in order: stages, metric points, candidates, new best models."""

    __tablename__ = "run_event"
    __table_args__ = (Index("ix_run_event_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str] = mapped_column(String(20))
    """stage, metric, candidate, best, status."""
    data: Mapped[Json]


class Model(Base):
    """What a training run leaves behind: a folder whose files are objects."""

    __tablename__ = "model"

    id: Mapped[str] = _id("md")
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    scenario: Mapped[str] = mapped_column(String(40))
    score: Mapped[float]
    manifest: Mapped[Json]
    """`learning.manifest.ModelManifest`."""
    files: Mapped[Json]
    """dict relative name → {digest, size}; includes manifest.json."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Evaluation(Base):
    """A model measured on a test set at every threshold. Written once, when its run has finished measuring."""

    __tablename__ = "evaluation"

    id: Mapped[str] = _id("ev")
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), unique=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id", ondelete="CASCADE"))
    sample_count: Mapped[int]
    results: Mapped[Json]
    """`evaluation.results.Results`: counts for all thresholds, overall and per label."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class EvaluationSample(Base):
    """Truth and prediction of one test sample."""

    __tablename__ = "evaluation_sample"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    sample: Mapped[Json]
    """`core.sample.Sample` with its annotation."""
    prediction: Mapped[Json]
    """`core.prediction.Prediction` with all answers, whatever their score."""
    matches: Mapped[Json]
    """list of `scenarios.base.Match`."""


class Service(Base):
    """A published model that answers requests."""

    __tablename__ = "service"

    id: Mapped[str] = _id("sv")
    owner_id: Mapped[str | None] = _owner()
    name: Mapped[str] = mapped_column(String(60), unique=True)
    scenario: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20))
    """`core.status.ServiceStatus`."""
    reason: Mapped[str | None] = mapped_column(String(40))
    error: Mapped[Json | None]
    spec: Mapped[str] = mapped_column(String(40))
    group_id: Mapped[str | None] = mapped_column(ForeignKey("resource_group.id"))
    """Prepaid: inside this resource group; None = postpaid."""
    instances: Mapped[int]
    """Processes that a person asked for; what scaling makes of it stands in ``scaled``."""
    scaled: Mapped[int | None]
    """Processes that scaling wants at present, 0 = asleep; None = scaling is manual."""
    scaled_at: Mapped[datetime | None]
    max_run_seconds: Mapped[float | None]
    limits: Mapped[Json] = mapped_column(default=dict)
    """`serving.limits.Limits`."""
    scaling: Mapped[Json] = mapped_column(default=dict)
    """`studio.scaling.ScalingRules`."""
    keep: Mapped[Json | None]
    """`studio.keeping.KeepPictures`; None = callers' pictures are not kept."""
    revision: Mapped[int] = mapped_column(default=0)
    """Number of the latest update record."""
    created_by: Mapped[str] = mapped_column(String(80), default="local")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    """When it stops by itself; None = no limit or not started."""
    ended_at: Mapped[datetime | None]


class ServiceVersion(Base):
    """One model behind a service; versions share traffic by weight."""

    __tablename__ = "service_version"
    __table_args__ = (UniqueConstraint("service_id", "number"),)

    id: Mapped[str] = _id("vv")
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"))
    number: Mapped[int]
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    weight: Mapped[int]
    """Percent of the traffic; a version at 0 has no processes."""
    threshold: Mapped[float | None]
    """Confidence below which answers are left out; None = the model's recommended one."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Instance(Base):
    """One serving process."""

    __tablename__ = "instance"
    __table_args__ = (Index("ix_instance_service", "service_id"),)

    id: Mapped[str] = _id("in")
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"))
    version_id: Mapped[str] = mapped_column(ForeignKey("service_version.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(20))
    """`core.status.InstanceStatus`."""
    reason: Mapped[str | None]
    address: Mapped[str | None] = mapped_column(String(200))
    """Base URL on loopback, told by the instance when it is ready."""
    work_id: Mapped[str | None] = mapped_column(String(40))
    works: Mapped[Json] = mapped_column(default=list)
    """list of the ids of all work that ran for it, the present one last: what its log is made of."""
    recipe: Mapped[Json] = mapped_column(default=dict)
    """What its process was started with (model, spec, threshold); one that differs from what is wanted is replaced."""
    places: Mapped[int] = mapped_column(default=1)
    """Requests that it takes at a time."""
    restarts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    """When its first process was handed to the engine."""
    ready_at: Mapped[datetime | None]
    draining_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ServiceUpdate(Base):
    """One change of a service's settings: who, when, what, and all settings after it."""

    __tablename__ = "service_update"
    __table_args__ = (UniqueConstraint("service_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor: Mapped[str] = mapped_column(String(80))
    """Who did it; ``local`` where there are no accounts."""
    action: Mapped[str] = mapped_column(String(40))
    changes: Mapped[Json]
    """list of `studio.updates.Change`: field, before, after."""
    settings: Mapped[Json]
    """`studio.updates.Settings`: everything that a roll back restores."""


class ServiceEvent(Base):
    """Something that happened to a service; the same thing again raises the count."""

    __tablename__ = "service_event"
    __table_args__ = (UniqueConstraint("service_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(200))
    """What makes two events the same one."""
    code: Mapped[str] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(10))
    """normal or warning."""
    message: Mapped[Json]
    """`core.text.Text`."""
    instance: Mapped[str | None] = mapped_column(String(40))
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_at: Mapped[datetime] = mapped_column(default=utc_now)


class ServiceMetric(Base):
    """What a service did in one tick. A ring: a slot is written over once its time is past, so the size stays flat."""

    __tablename__ = "service_metric"

    service_id: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), primary_key=True)
    seconds: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Length of the tick: 10 or 300."""
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """``tick / seconds`` modulo the ring's length."""
    tick: Mapped[int]
    """Epoch seconds at which the tick began."""
    data: Mapped[Json]
    """dict subject → `studio.monitoring.Sample`; subjects: ``service``, ``v1``, instance ids."""


class KeptPicture(Base):
    """A picture that a caller sent and that was put into a dataset."""

    __tablename__ = "kept_picture"
    __table_args__ = (Index("ix_kept_picture_service", "service_id", "at"),)

    sample_id: Mapped[str] = mapped_column(ForeignKey("sample.id", ondelete="CASCADE"), primary_key=True)
    service_id: Mapped[str | None] = mapped_column(ForeignKey("service.id", ondelete="SET NULL"))
    request_id: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    until: Mapped[datetime]
    """When it is removed unless a person has worked on it."""


class WorkRow(Base):
    """One piece of work of the local engine: a process group with a lease."""

    __tablename__ = "work"
    __table_args__ = (Index("ix_work_status", "status"),)

    id: Mapped[str] = _id("wk")
    command: Mapped[Json]
    """list of str."""
    environment: Mapped[Json]
    """dict of str."""
    cpu: Mapped[float]
    """Cores that it counts for in the queue."""
    memory_mb: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(20))
    """queued, running, exited or lost."""
    pid: Mapped[int | None]
    pid_started: Mapped[float | None]
    """Creation time of the process, so that a recycled pid is not taken for it."""
    exit_code: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(String(40))
    """Why the engine ended it: ``memory`` = it took more than its limit."""
    stop_requested_at: Mapped[datetime | None]
    owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
