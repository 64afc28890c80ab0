"""``/v1/evaluations``: results at every threshold, numbers at one, badcases, the test set."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from sandglass.api.permissions import needs
from sandglass.api.pictures import PICTURE, PreviewSize, picture_response
from sandglass.api.problems import responses
from sandglass.api.studio import Limit, Offset, OpenStudio, Threshold
from sandglass.core.actor import Role
from sandglass.studio.comparisons import ComparisonView
from sandglass.studio.evaluations import CasePage, CaseView, EvaluationView, SummaryView

router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"], responses=responses(404))

Exact = Annotated[bool, Query(description="Whether a text must be the same to the letter.")]
Label = Annotated[str | None, Query(max_length=200)]


@router.get("/{evaluation}", dependencies=[needs(Role.VIEWER)])
def get_evaluation(studio: OpenStudio, evaluation: str) -> EvaluationView:
    """A finished evaluation with its counts at every threshold, so that a slider needs no further question."""
    return studio.evaluations.get(evaluation)


@router.get("/{evaluation}/summary", dependencies=[needs(Role.VIEWER)])
def get_evaluation_summary(
    studio: OpenStudio, evaluation: str, threshold: Threshold = 0.5, exact: Exact = False
) -> SummaryView:
    """The numbers at one threshold."""
    return studio.evaluations.summary(evaluation, threshold=threshold, exact=exact)


@router.get("/{evaluation}/badcases", dependencies=[needs(Role.VIEWER)])
def list_badcases(
    studio: OpenStudio,
    evaluation: str,
    threshold: Threshold = 0.5,
    exact: Exact = False,
    truth: Label = None,
    predicted: Label = None,
    cause: Label = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> CasePage:
    """Samples that the model got wrong, with what is wrong. An empty `truth` or `predicted` means that there is none."""
    return studio.evaluations.badcases(
        evaluation,
        threshold=threshold,
        exact=exact,
        truth=truth,
        predicted=predicted,
        cause=cause,
        limit=limit,
        offset=offset,
    )


@router.get("/{evaluation}/comparison", responses=responses(404, 409), dependencies=[needs(Role.VIEWER)])
def compare_evaluations(
    studio: OpenStudio,
    evaluation: str,
    other: Annotated[str, Query(max_length=40, description="The evaluation to compare with.")],
    threshold: Threshold = 0.5,
    other_threshold: Annotated[
        float | None, Query(ge=0.05, le=0.95, description="Threshold of the other one; the same if not given.")
    ] = None,
    exact: Exact = False,
) -> ComparisonView:
    """Two models on the same pictures, with the chance that the difference is an accident."""
    return studio.comparisons.compare(
        evaluation, other, threshold=threshold, other_threshold=other_threshold, exact=exact
    )


@router.get("/{evaluation}/samples", dependencies=[needs(Role.VIEWER)])
def list_evaluation_samples(studio: OpenStudio, evaluation: str, limit: Limit = 50, offset: Offset = 0) -> CasePage:
    """The test set in order, each sample with truth, prediction and how they were paired."""
    return studio.evaluations.samples(evaluation, limit=limit, offset=offset)


@router.get("/{evaluation}/samples/{position}", dependencies=[needs(Role.VIEWER)])
def get_evaluation_sample(studio: OpenStudio, evaluation: str, position: int) -> CaseView:
    """One sample of the test set."""
    return studio.evaluations.sample(evaluation, position)


@router.get(
    "/{evaluation}/samples/{position}/picture",
    response_class=Response,
    responses=PICTURE,
    dependencies=[needs(Role.VIEWER)],
)
def get_evaluation_picture(
    studio: OpenStudio, request: Request, evaluation: str, position: int, size: PreviewSize = None
) -> Response:
    """The picture of a test sample: the file as it was imported, or a preview."""
    return picture_response(studio, request, studio.evaluations.sample(evaluation, position).digest, size)
