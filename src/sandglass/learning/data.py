"""From dataset versions to examples: manifests are read, labels mapped and restricted, pictures fetched when needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from sandglass.core.annotation import (
    Annotation,
    ClassAnnotation,
    DocumentAnnotation,
    ObjectsAnnotation,
    with_linked_values,
)
from sandglass.core.errors import NotFound
from sandglass.core.sample import Sample
from sandglass.core.text import Text
from sandglass.learning.settings import DatasetRef, TrainingSettings
from sandglass.learning.split import Split, split_samples, without_duplicates
from sandglass.scenarios.base import Example
from sandglass.store.db import Database
from sandglass.store.manifest import read_manifest
from sandglass.store.objects import Objects
from sandglass.store.tables import DatasetVersion


@dataclass(frozen=True)
class TrainingSets:
    """All samples of a training run, split, with the digests of the manifests that they came from."""

    split: Split
    manifests: tuple[str, ...]


class SampleSource:
    """Reads dataset versions from the stores."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database, self._objects = database, objects

    def manifest_of(self, ref: DatasetRef) -> str:
        """Digest of a version's manifest.

        Raises:
            NotFound: ``dataset_version_missing``.
        """
        with self._database.read() as session:
            found = session.scalar(
                select(DatasetVersion.manifest).where(
                    DatasetVersion.dataset_id == ref.dataset_id, DatasetVersion.number == ref.version
                )
            )
        if found is None:
            raise NotFound(
                "dataset_version_missing",
                Text(
                    en=f"Version {ref.version} of dataset {ref.dataset_id} no longer exists.",
                    zh=f"数据集 {ref.dataset_id} 的版本 {ref.version} 已不存在。",
                ),
                Text(en="Create a new task version with other data.", zh="请用其他数据新建任务版本。"),
            )
        return found

    def labelled(
        self, refs: Sequence[DatasetRef], labels: Sequence[str] | None, label_map: dict[str, str]
    ) -> list[Sample]:
        """Labelled samples of several versions; the first one keeps its path when two have the same."""
        samples: list[Sample] = []
        for number, ref in enumerate(refs):
            for sample in read_manifest(self._objects, self.manifest_of(ref)):
                if sample.annotation is None:
                    continue
                annotation = map_labels(sample.annotation, labels, label_map)
                # Paths name samples in splits; those of further datasets are told apart by the dataset.
                path = sample.path if number == 0 else f"{ref.dataset_id}/{sample.path}"
                samples.append(sample.model_copy(update={"annotation": annotation, "path": path}))
        return samples

    def example(self, sample: Sample) -> Example:
        """A sample with access to its picture."""
        return Example(sample, lambda: self._objects.get(sample.digest))

    def examples(self, samples: Sequence[Sample]) -> list[Example]:
        """Samples with access to their pictures."""
        return [self.example(sample) for sample in samples]

    def training_sets(self, settings: TrainingSettings) -> TrainingSets:
        """Everything that a training run uses, split as its settings say."""
        labels, label_map = settings.labels, settings.label_map
        split = split_samples(
            self.labelled(settings.train, labels, label_map),
            validation_percent=settings.validation_percent,
            test_percent=settings.held_out_percent,
            use_marks=settings.use_marks,
            seed=settings.seed,
        )
        if settings.validation:
            given = tuple(self.labelled(settings.validation, labels, label_map))
            split = Split((*split.train, *split.validation), given, split.test)
        if settings.test:
            split = Split(split.train, split.validation, tuple(self.labelled(settings.test, labels, label_map)))
        if settings.exclude_duplicates:
            split = without_duplicates(split)
        refs = (*settings.train, *settings.validation)
        return TrainingSets(split, tuple(self.manifest_of(ref) for ref in refs))


def complete(annotation: Annotation) -> Annotation:
    """The annotation with the values that follow from its links (see `with_linked_values`)."""
    return with_linked_values(annotation) if isinstance(annotation, DocumentAnnotation) else annotation


def map_labels(annotation: Annotation, labels: Sequence[str] | None, label_map: dict[str, str]) -> Annotation:
    """Rename labels by ``label_map``, then keep those in ``labels`` (None = all)."""

    def kept(label: str) -> bool:
        return labels is None or label in labels

    def name(label: str) -> str:
        return label_map.get(label, label)

    match annotation:
        case DocumentAnnotation():
            named = with_linked_values(annotation).values
            values = [value.model_copy(update={"field": name(value.field)}) for value in named]
            absent = tuple(name(field) for field in annotation.absent if kept(name(field)))
            return annotation.model_copy(
                update={"values": tuple(value for value in values if kept(value.field)), "absent": absent}
            )
        case ClassAnnotation():
            return ClassAnnotation(
                labels=tuple(dict.fromkeys(name(label) for label in annotation.labels if kept(name(label))))
            )
        case ObjectsAnnotation():
            shapes = [shape.model_copy(update={"label": name(shape.label)}) for shape in annotation.objects]
            return ObjectsAnnotation(objects=tuple(shape for shape in shapes if kept(shape.label)))
