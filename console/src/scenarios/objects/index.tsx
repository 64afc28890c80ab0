import type { Schemas } from '../../shared/api/client';
import { box, type Point, type Shape } from '../../shared/canvas/shapes';
import { count, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { Annotation, LookOf, PictureAnswer, Prediction, ResultPanelProps, ScenarioParts } from '../../shared/scenario/contract';
import { labelLook } from '../../shared/theme/palette';
import { Ratio } from './Ratio';
import { Tally } from './Tally';

/** Colours follow the alphabet of the labels, so a label keeps its colour over pictures with the same labels. */
function looks(labels: string[]) {
  const order = [...new Set(labels)].sort();
  return (label: string) => labelLook(order.indexOf(label));
}

function annotationShapes(annotation: Annotation, kept?: LookOf): Shape[] {
  if (annotation.kind !== 'objects') return [];
  const objects = annotation.objects ?? [];
  const look = looks(objects.map((item) => item.label));
  return objects.map((item, index) => ({
    id: `o${index}`,
    points: item.polygon ? (item.polygon as unknown as Point[]) : box(...(item.box as [number, number, number, number])),
    look: kept?.(item.label) ?? look(item.label),
    name: item.label,
  }));
}

function objectShapes(objects: readonly Schemas['ObjectPrediction'][]): Shape[] {
  const look = looks(objects.map((item) => item.label));
  return objects.map((item, index) => ({
    id: `o${index}`,
    points: box(...(item.box as [number, number, number, number])),
    look: look(item.label),
    name: `${item.label} ${score(item.score)}`,
  }));
}

const answerShapes = (answer: PictureAnswer) => objectShapes(answer.objects ?? []);
const predictionShapes = (prediction: Prediction) =>
  prediction.kind === 'objects' ? objectShapes(prediction.objects ?? []) : [];

function ResultPanel({ answer, selected, onSelect }: ResultPanelProps) {
  const { t } = useText();
  const objects = answer.objects ?? [];
  const counts = new Map<string, number>();
  for (const item of objects) counts.set(item.label, (counts.get(item.label) ?? 0) + 1);
  return (
    <div className="sg-stack-s">
      {answer.ratio && <Ratio ratio={answer.ratio} />}
      {answer.tally && answer.tally.counts.length > 0 && <Tally tally={answer.tally} />}
      {!answer.tally && <div className="sg-row">
        {[...counts].map(([label, number]) => (
          <span key={label} className="sg-tag">
            {label} × {count(number)}
          </span>
        ))}
      </div>}
      <table className="sg-table sg-tight">
        <thead>
          <tr>
            <th>{t('objects.label')}</th>
            <th className="sg-num">{t('objects.score')}</th>
          </tr>
        </thead>
        <tbody>
          {objects.map((item, index) => (
            <tr key={index} aria-selected={selected === `o${index}`} onMouseEnter={() => onSelect(`o${index}`)} onMouseLeave={() => onSelect(null)}>
              <td>{item.label}</td>
              <td className="sg-num">{score(item.score)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {objects.length === 0 && <p className="sg-secondary">{t('objects.none')}</p>}
    </div>
  );
}

const parts: ScenarioParts = { annotationShapes, answerShapes, predictionShapes, ResultPanel, annotation: () => import('./annotation') };
export default parts;
