import type { ComponentType } from 'react';
import type { Schemas } from '../api/client';
import type { Shape } from '../canvas/shapes';
import type { LabelLook } from '../theme/palette';
import type { Schema, Values } from '../ui/SchemaForm';
import type { AnnotationParts } from './annotation';

export type Annotation = NonNullable<Schemas['SampleView']['annotation']>;
export type Prediction = Schemas['CaseView']['prediction'];
export type PictureAnswer = Schemas['PictureAnswer'];

export type LookOf = (label: string) => LabelLook | undefined;

/** What a result shows beside its picture; hovering a row selects the outline of the same id. */
export type ResultPanelProps = {
  answer: PictureAnswer;
  selected: string | null;
  onSelect: (id: string | null) => void;
};

/** What the person sends besides the picture. */
export type RequestValue = { keys: 'labelled' | 'all' | 'custom'; custom_keys: string[] };
export type RequestOptionsProps = { service: string; /** Keys that the model has learnt. */ trained: readonly string[]; value: RequestValue; onChange: (value: RequestValue) => void };

/** How an answer becomes an annotation that a person corrects before it goes into a dataset. */
export type Correction = { from: (answer: PictureAnswer) => Annotation; Form: ComponentType<{ value: Annotation; onChange: (value: Annotation) => void }> };

/** What a test picture shows beside its outlines: what a person said, what the model said, and from which score it counts. */
export type CasePanelProps = { truth: Annotation | null; prediction: Prediction; threshold: number };

/** Settings of a new task that a scenario wants seen at once; the other ones are drawn from its schema. */
export type TaskFormExtrasProps = { schema: Schema; values: Values; onChange: (values: Values) => void };

/** Parts of the console that a scenario brings; every part is optional and has a generic fallback. */
export interface ScenarioParts {
  TaskFormExtras?: ComponentType<TaskFormExtrasProps>;
  /** Parameters that `TaskFormExtras` shows; the advanced form leaves them out. */
  formFields?: string[];
  /** Outlines of an annotation; `look` tells the colour that a dataset keeps for a label or field. */
  annotationShapes?: (annotation: Annotation, look?: LookOf) => Shape[];
  answerShapes?: (answer: PictureAnswer) => Shape[];
  predictionShapes?: (prediction: Prediction) => Shape[];
  ResultPanel?: ComponentType<ResultPanelProps>;
  correction?: Correction;
  RequestOptions?: ComponentType<RequestOptionsProps>;
  CasePanel?: ComponentType<CasePanelProps>;
  /** Key of the word for "no answer"; `evaluation.nothing` unless given. */
  nothing?: string;
  /** Loaded by the annotation workspace alone. */
  annotation?: () => Promise<{ default: AnnotationParts }>;
}
