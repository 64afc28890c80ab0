"""Runs predictions of one loaded model: a few side by side, some waiting, the others refused at once."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sandglass.core.errors import Busy, SandglassError
from sandglass.core.picture import MAX_PIXELS, decode_picture
from sandglass.core.prediction import Prediction
from sandglass.core.problem import problem_of
from sandglass.core.text import Text
from sandglass.scenarios.base import PredictOptions, Predictor, Query
from sandglass.serving.answer import PictureAnswer, Timings
from sandglass.serving.intake import ReceivedPicture

WAITING = 32
"""Requests that may wait for a free place."""


@dataclass
class Counters:
    """What an instance has done since it started."""

    calls: int = 0
    pictures: int = 0
    errors: int = 0
    refused: int = 0
    running: int = 0
    waiting: int = 0


class Runner:
    """Answers pictures with a predictor.

    Args:
        predictor: of the model; safe to call from several threads.
        side_by_side: predictions that run at the same time.
    """

    def __init__(self, predictor: Predictor, side_by_side: int) -> None:
        self._predictor = predictor
        self._pool = ThreadPoolExecutor(side_by_side, "predict")
        self._places = asyncio.Semaphore(side_by_side)
        self.counters = Counters()

    async def answer(
        self, pictures: Sequence[ReceivedPicture], options: PredictOptions, *, max_pixels: int = MAX_PIXELS
    ) -> list[PictureAnswer]:
        """One answer per picture, in order; a picture that cannot be read has an error, the others their answers.

        Raises:
            Busy: too many requests are waiting.
        """
        counters = self.counters
        counters.calls += 1
        if counters.waiting >= WAITING:
            counters.refused += 1
            raise Busy(
                "instance_busy",
                Text(en="Too many requests are waiting.", zh="等待的请求过多。"),
                Text(en="Try again in a moment.", zh="请稍后再试。"),
            )
        arrived = time.perf_counter()
        counters.waiting += 1
        try:
            await self._places.acquire()
        finally:
            counters.waiting -= 1
        counters.running += 1
        try:
            loop = asyncio.get_running_loop()
            waited = (time.perf_counter() - arrived) * 1000
            return await loop.run_in_executor(self._pool, self._answer_all, pictures, options, waited, max_pixels)
        finally:
            counters.running -= 1
            self._places.release()

    def _answer_all(
        self, pictures: Sequence[ReceivedPicture], options: PredictOptions, waited: float, max_pixels: int
    ) -> list[PictureAnswer]:
        return [self._answer_one(picture, options, waited, max_pixels) for picture in pictures]

    def _answer_one(
        self, picture: ReceivedPicture, options: PredictOptions, waited: float, max_pixels: int
    ) -> PictureAnswer:
        self.counters.pictures += 1
        started = time.perf_counter()
        try:
            decoded = decode_picture(picture.data, picture.name, max_pixels=max_pixels)
            height, width = decoded.shape[:2]
            decoding = (time.perf_counter() - started) * 1000
            [prediction] = self._predictor.predict([Query(lambda: decoded, width, height)], options)
        except SandglassError as error:
            self.counters.errors += 1
            return PictureAnswer(file=picture.name, error=problem_of(error))
        total = (time.perf_counter() - started) * 1000 + waited
        timings = Timings(
            queue=round(waited, 2),
            decode=round(decoding, 2),
            total=round(total, 2),
            parts={name: round(value, 2) for name, value in self._predictor.timings().items()},
        )
        return picture_answer(picture.name, prediction, timings)

    def close(self) -> None:
        """Wait for what is running."""
        self._pool.shutdown(wait=True)


def picture_answer(name: str, prediction: Prediction, timings: Timings) -> PictureAnswer:
    """A prediction as it is sent."""
    return PictureAnswer.model_validate({**prediction.model_dump(), "file": name, "timings": timings})
