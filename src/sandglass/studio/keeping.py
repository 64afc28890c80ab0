"""Keeps pictures that callers send, where a service says so: in a dataset, with the answer as a suggestion."""

import asyncio
import logging
import queue
import threading
import time
from datetime import timedelta
from pathlib import PurePosixPath

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.types import Message

from sandglass.core.errors import InvalidInput, NotFound, SandglassError
from sandglass.core.picture import SUFFIXES, picture_size
from sandglass.core.prediction import ClassPrediction, DocumentPrediction, ObjectsPrediction, Prediction
from sandglass.core.text import Text
from sandglass.core.time import utc_now
from sandglass.learning.suggest import suggest
from sandglass.serving.answer import PictureAnswer, PredictAnswer
from sandglass.serving.gateway import Answered
from sandglass.serving.intake import Allowed, ReceivedPicture, receive
from sandglass.store.db import Database
from sandglass.store.objects import Objects
from sandglass.store.tables import Dataset, KeptPicture, SampleRow, Service, new_id
from sandglass.studio.datasets import change_draft
from sandglass.studio.keepsettings import KeepPictures
from sandglass.studio.kinds import annotation_kind
from sandglass.studio.serviceevents import note

log = logging.getLogger(__name__)

WAITING_BYTES = 256 << 20
"""Requests that wait to be kept; beyond that they are left out, so that keeping never slows a service."""
CLEAN_SECONDS = 60.0
UNTOUCHED = ("unlabelled", "pre_labelled")
PERSON = "person:"
"""How the source of an annotation begins that a person has worked on, finished or not."""


def check_keep(session: Session, keep: KeepPictures | None, scenario: str) -> KeepPictures | None:
    """The setting with its dataset named by id.

    Raises:
        NotFound: ``dataset_not_found``.
        InvalidInput: ``scenario_differs``.
    """
    if keep is None:
        return None
    found = session.scalar(select(Dataset).where(Dataset.name == keep.dataset)) or session.get(Dataset, keep.dataset)
    if found is None:
        raise NotFound(
            "dataset_not_found",
            Text(en=f"There is no dataset '{keep.dataset}'.", zh=f"没有数据集“{keep.dataset}”。"),
            Text(en="Create it first.", zh="请先创建数据集。"),
            field="keep.dataset",
        )
    if annotation_kind(found.scenario) != annotation_kind(scenario):
        raise InvalidInput(
            "scenario_differs",
            Text(
                en=f"{found.name} holds pictures for {found.scenario}, the service is {scenario}.",
                zh=f"{found.name} 的场景为 {found.scenario}，服务的场景为 {scenario}。",
            ),
            Text(en="Choose a dataset of the same scenario.", zh="请选择相同场景的数据集。"),
            field="keep.dataset",
        )
    return keep.model_copy(update={"dataset": found.id})


class Keeper:
    """Puts pictures into datasets in a thread of its own, and takes those away whose time is up."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects
        self._queue: queue.SimpleQueue[Answered | None] = queue.SimpleQueue()
        self._bytes = 0
        self._next_clean = 0.0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="keeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Keep what waits, then end."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def offer(self, answered: Answered) -> None:
        """Keep the pictures of a request when there is time; returns at once."""
        size = len(answered.request) + len(answered.answer)
        with self._lock:
            if self._bytes + size > WAITING_BYTES:
                log.warning("request %s is not kept: too many wait", answered.request_id)
                return
            self._bytes += size
        self._queue.put(answered)

    def _work(self) -> None:
        while (answered := self._queue.get()) is not None:
            try:
                self.keep(answered)
            except (SandglassError, SQLAlchemyError, ValidationError, OSError) as error:
                log.warning("request %s is not kept: %s", answered.request_id, error)
                self._tell_failure(answered.service_id, error)
            finally:
                with self._lock:
                    self._bytes -= len(answered.request) + len(answered.answer)

    def _tell_failure(self, service_id: str, error: Exception) -> None:
        why = error.message if isinstance(error, SandglassError) else Text(en=str(error), zh=str(error))
        try:
            with self._database.write() as session:
                if session.get(Service, service_id) is not None:
                    note(
                        session,
                        service_id,
                        "picture_not_kept",
                        Text(en=f"A picture was not kept: {why.en}", zh=f"图片未保存：{why.zh}"),
                        severity="warning",
                    )
        except SQLAlchemyError:
            log.exception("the event cannot be written")

    def keep(self, answered: Answered) -> int:
        """Keep the pictures of a request now; the number that was kept.

        Raises:
            InvalidInput: the request has no picture of its own (it named addresses).
            Broken: the disk is full.
        """
        pictures = asyncio.run(_pictures(answered))
        results = PredictAnswer.model_validate_json(answered.answer).results
        kept = 0
        for number, (picture, result) in enumerate(zip(pictures, results, strict=True)):
            prediction = _prediction(result)
            if prediction is not None:
                kept += self._keep_one(answered, number, picture, prediction)
        return kept

    def _keep_one(self, answered: Answered, number: int, picture: ReceivedPicture, prediction: Prediction) -> bool:
        width, height = picture_size(picture.data, picture.name)
        suggested = suggest(prediction)
        digest = self._objects.put(picture.data)
        with self._database.write() as session:
            service = session.get(Service, answered.service_id)
            if service is None or service.keep is None:
                return False
            keep = KeepPictures.model_validate(service.keep)
            dataset = session.get(Dataset, keep.dataset)
            if dataset is None or _is_full(session, service, keep):
                return False
            if session.scalar(
                select(SampleRow.id).where(SampleRow.dataset_id == dataset.id, SampleRow.digest == digest).limit(1)
            ):
                return False  # sent before
            now = utc_now()
            sample = SampleRow(
                id=new_id("sm"),
                dataset_id=dataset.id,
                path=f"{service.name}/{now:%Y-%m-%d}/{answered.request_id[:40]}-{number + 1}{_suffix(picture.name)}",
                digest=digest,
                width=width,
                height=height,
                size=len(picture.data),
                state="pre_labelled",
                annotation=suggested.annotation.model_dump(mode="json"),
                suggested={name: score.model_dump(mode="json") for name, score in suggested.scores.items()},
                doubt=suggested.doubt,
                source=service.id,
            )
            session.add(sample)
            session.flush()
            session.add(
                KeptPicture(
                    sample_id=sample.id,
                    service_id=service.id,
                    request_id=answered.request_id[:80],
                    at=now,
                    until=now + timedelta(days=keep.days),
                )
            )
            change_draft(session, dataset.id)
        return True

    def tick(self) -> None:
        """Look once a minute for pictures whose time is up."""
        now = time.monotonic()
        if now >= self._next_clean:
            self._next_clean = now + CLEAN_SECONDS
            self.clean()

    def clean(self) -> int:
        """Remove kept pictures whose time is up and that nobody has worked on; the number removed.

        Their bytes stay objects until nothing refers to them, as with any removed sample.
        """
        now = utc_now()
        with self._database.write() as session:
            due = session.execute(
                select(SampleRow.id, SampleRow.dataset_id)
                .join(KeptPicture, KeptPicture.sample_id == SampleRow.id)
                .where(
                    KeptPicture.until <= now,
                    SampleRow.state.in_(UNTOUCHED),
                    SampleRow.source.not_like(f"{PERSON}%"),
                )
                .limit(1000)
            ).all()
            if due:
                session.execute(delete(SampleRow).where(SampleRow.id.in_([sample for sample, _ in due])))
                for dataset_id in {dataset for _, dataset in due}:
                    change_draft(session, dataset_id)
        return len(due)


async def _pictures(answered: Answered) -> list[ReceivedPicture]:
    """The pictures of a request, read as the instance reads them."""

    async def body() -> Message:
        return {"type": "http.request", "body": answered.request, "more_body": False}

    headers = [(b"content-type", answered.content_type.encode("latin-1"))]
    request = Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, body)
    try:
        pictures, _ = await receive(request, Allowed(bytes=len(answered.request)))
    except InvalidInput as error:
        if error.code != "url_not_allowed":
            raise
        raise InvalidInput(
            "url_not_kept", Text(en="Pictures by address are not kept.", zh="通过地址获取的图片不会保存。")
        ) from error
    return pictures


def _prediction(result: PictureAnswer) -> Prediction | None:
    """The prediction inside an answer; None for a picture that had an error."""
    if result.error is not None or result.width is None or result.height is None:
        return None
    match result.kind:
        case "document":
            return DocumentPrediction(
                width=result.width, height=result.height, lines=result.lines or (), fields=result.fields or ()
            )
        case "classes":
            return ClassPrediction(width=result.width, height=result.height, labels=result.labels or ())
        case "objects":
            return ObjectsPrediction(width=result.width, height=result.height, objects=result.objects or ())
        case None:
            return None


def _is_full(session: Session, service: Service, keep: KeepPictures) -> bool:
    count = (
        session.scalar(select(func.count()).select_from(KeptPicture).where(KeptPicture.service_id == service.id)) or 0
    )
    if count >= keep.most:
        note(
            session,
            service.id,
            "kept_pictures_full",
            Text(
                en=f"{count} pictures are kept, which is the most; further ones are not.",
                zh=f"已保存 {count} 张图片，达到上限，后续图片不再保存。",
            ),
            severity="warning",
        )
    return count >= keep.most


def _suffix(name: str) -> str:
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    return suffix if suffix in SUFFIXES else ".jpg"
