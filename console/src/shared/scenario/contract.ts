import type { ComponentType } from 'react';
import type { Schemas } from '../api/client';
import type { Shape } from '../canvas/shapes';

export type Annotation = NonNullable<Schemas['SampleView']['annotation']>;
export type Prediction = Schemas['CaseView']['prediction'];
export type PictureAnswer = Schemas['PictureAnswer'];

/** What a result shows beside its picture; hovering a row selects the outline of the same id. */
export type ResultPanelProps = {
  answer: PictureAnswer;
  selected: string | null;
  onSelect: (id: string | null) => void;
};

/** What the person sends besides the picture. */
export type RequestValue = { keys: 'labelled' | 'all' | 'custom'; custom_keys: string[] };
export type RequestOptionsProps = { service: string; value: RequestValue; onChange: (value: RequestValue) => void };

/** Parts of the console that a scenario brings; every part is optional and has a generic fallback. */
export interface ScenarioParts {
  annotationShapes?: (annotation: Annotation) => Shape[];
  answerShapes?: (answer: PictureAnswer) => Shape[];
  predictionShapes?: (prediction: Prediction) => Shape[];
  ResultPanel?: ComponentType<ResultPanelProps>;
  RequestOptions?: ComponentType<RequestOptionsProps>;
}
