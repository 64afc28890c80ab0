"""``/v1/datasets/…/labels`` and ``…/dictionary``: labels or fields, and which printed key means which field."""

from fastapi import APIRouter

from sandglass.api.permissions import needs
from sandglass.api.problems import responses
from sandglass.api.studio import OpenStudio
from sandglass.core.actor import Role
from sandglass.core.dictionary import KeyDictionary
from sandglass.studio.labels import LabelRemoval, LabelRename, LabelView, NewLabel, Relabelled
from sandglass.studio.page import Page

router = APIRouter(prefix="/v1/datasets/{dataset}", tags=["datasets"], responses=responses(404))


@router.get("/labels", dependencies=[needs(Role.VIEWER)])
def list_labels(studio: OpenStudio, dataset: str) -> Page[LabelView]:
    """Labels or fields of the draft: on how many samples each is, and its colour."""
    labels = studio.labels.list(dataset)
    return Page(items=list(labels), total=len(labels))


@router.post("/labels", dependencies=[needs(Role.ANNOTATOR, change="dataset")])
def put_label(studio: OpenStudio, dataset: str, form: NewLabel) -> LabelView:
    """Add a label, or give one another colour."""
    return studio.labels.add(dataset, form)


@router.post("/labels/rename", responses=responses(404, 409), dependencies=[needs(Role.ANNOTATOR, change="dataset")])
def rename_label(studio: OpenStudio, dataset: str, form: LabelRename) -> Relabelled:
    """Rename a label on all samples in one transaction, or with `merge` make two labels one."""
    return studio.labels.rename(dataset, form)


@router.post("/labels/delete", dependencies=[needs(Role.ANNOTATOR, change="dataset")])
def delete_label(studio: OpenStudio, dataset: str, form: LabelRemoval) -> Relabelled:
    """Take a label off all samples, in one transaction."""
    return studio.labels.remove(dataset, form)


@router.get("/dictionary", dependencies=[needs(Role.VIEWER)])
def get_dictionary(studio: OpenStudio, dataset: str) -> KeyDictionary:
    """The key dictionary of a dataset of documents."""
    return studio.labels.dictionary(dataset)


@router.put("/dictionary", dependencies=[needs(Role.ANNOTATOR, change="dataset")])
def set_dictionary(studio: OpenStudio, dataset: str, form: KeyDictionary) -> KeyDictionary:
    """Replace the key dictionary."""
    return studio.labels.set_dictionary(dataset, form)
