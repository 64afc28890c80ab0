import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import type { Point, Shape } from '../../shared/canvas/shapes';
import { score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { Annotation, LookOf, PictureAnswer, Prediction, RequestOptionsProps, ResultPanelProps, ScenarioParts, TaskFormExtrasProps } from '../../shared/scenario/contract';
import { labelLook, NEUTRAL } from '../../shared/theme/palette';
import { Check, Chip, Group, Plain } from '../../shared/ui/kit';
import { Picker } from '../../shared/ui/Picker';
import { correction } from './correction';

type Polygon = readonly Point[];
const polygon = (points: unknown) => points as Polygon;

function annotationShapes(annotation: Annotation, look?: LookOf): Shape[] {
  if (annotation.kind !== 'document') return [];
  const fields = [...new Set((annotation.values ?? []).map((value) => value.field))];
  const fieldOf = new Map((annotation.values ?? []).flatMap((value) => (value.box_ids ?? []).map((id) => [id, value.field])));
  return (annotation.boxes ?? []).map((box) => {
    const field = fieldOf.get(box.id) ?? box.field ?? undefined;
    return {
      id: box.id,
      points: polygon(box.polygon),
      look: field ? (look?.(field) ?? labelLook(fields.indexOf(field))) : NEUTRAL,
      name: field,
      title: box.text,
    };
  });
}

function fieldShapes(fields: readonly Schemas['FieldPrediction'][]): Shape[] {
  return fields.flatMap((field, index) =>
    field.value_polygons.map((points, part) => ({
      id: part === 0 ? `f${index}` : `f${index}.${part}`,
      points: polygon(points),
      look: labelLook(index),
      name: field.key,
      title: `${field.key}: ${field.value ?? ''}`,
    })),
  );
}

const lineShapes = (lines: readonly Schemas['TextLine'][]): Shape[] =>
  lines.map((line, index) => ({ id: `l${index}`, points: polygon(line.polygon), look: NEUTRAL, title: line.text }));

const answerShapes = (answer: PictureAnswer) => [...lineShapes(answer.lines ?? []), ...fieldShapes(answer.fields ?? [])];

function predictionShapes(prediction: Prediction): Shape[] {
  if (prediction.kind !== 'document') return [];
  return fieldShapes((prediction.fields ?? []).filter((field) => field.value !== null));
}

function ResultPanel({ answer, selected, onSelect }: ResultPanelProps) {
  const { t } = useText();
  const [lines, setLines] = useState(false);
  const fields = answer.fields ?? [];
  return (
    <div className="sg-stack-s">
      <div className="sg-table-box">
        <table className="sg-table sg-tight">
          <thead>
            <tr>
              <th>{t('ocr.key')}</th>
              <th>{t('ocr.value')}</th>
              <th className="sg-num">{t('ocr.score')}</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field, index) => (
              <tr
                key={`${field.key}-${index}`}
                aria-selected={selected === `f${index}`}
                onMouseEnter={() => onSelect(`f${index}`)}
                onMouseLeave={() => onSelect(null)}
              >
                <td>
                  <button type="button" className="sg-sort" onFocus={() => onSelect(`f${index}`)}>
                    {field.key}
                  </button>
                </td>
                <td style={{ overflowWrap: 'anywhere' }}>
                  {field.value ?? <span className="sg-secondary">{t('ocr.notFound')}</span>}
                </td>
                <td className="sg-num">{field.value === null ? '-' : score(field.score)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {fields.length === 0 && <p className="sg-secondary">{t('ocr.noFields')}</p>}
      <Plain size="small" onClick={() => setLines(!lines)} aria-expanded={lines}>
        {t('ocr.lines', { count: answer.lines?.length ?? 0 })}
      </Plain>
      {lines && (
        <ol style={{ margin: 0, paddingLeft: 24, maxHeight: 320, overflow: 'auto' }}>
          {(answer.lines ?? []).map((line, index) => (
            <li key={index} onMouseEnter={() => onSelect(`l${index}`)}>
              {line.text} <span className="sg-secondary">{score(line.score)}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function RequestOptions({ trained, value, onChange }: RequestOptionsProps) {
  const { t } = useText();
  const add = (typed: string) => {
    const keys = typed.split(/[,，;；\n]/).map((key) => key.trim()).filter(Boolean);
    if (keys.length) onChange({ ...value, keys: 'custom', custom_keys: [...new Set([...value.custom_keys, ...keys])] });
  };
  return (
    <div className="sg-stack-s">
      <Group label={t('ocr.keys')} help={t('ocr.keysHelp')}>
        {(['labelled', 'all', 'custom'] as const).map((keys) => (
          <Check
            key={keys}
            kind="radio"
            name="keys"
            checked={value.keys === keys}
            onChange={() => onChange({ ...value, keys })}
            label={t(`ocr.keyModes.${keys}`)}
          />
        ))}
      </Group>
      {value.keys === 'custom' && (
        <div className="sg-row">
          {value.custom_keys.map((key) => (
            <Chip
              key={key}
              on
              aria-label={t('ocr.removeKey', { key })}
              onClick={() => onChange({ ...value, custom_keys: value.custom_keys.filter((other) => other !== key) })}
            >
              {key} ×
            </Chip>
          ))}
          <span style={{ width: 260 }}>
            <Picker
              options={trained.filter((key) => !value.custom_keys.includes(key)).map((key) => ({ value: key, text: key, note: t('ocr.trained') }))}
              onPick={add}
              onOwn={add}
              placeholder={t('ocr.addKey')}
              aria-label={t('ocr.addKey')}
            />
          </span>
        </div>
      )}
    </div>
  );
}

/** What the documents look like is asked at once: it picks the base models. */
function TaskFormExtras({ schema, values, onChange }: TaskFormExtrasProps) {
  const use = schema.properties?.use;
  if (!use) return null;
  const present = values.use ?? use.default;
  return (
    <Group label={use.title ?? 'use'} help={use.description}>
      {(use.enum ?? []).map((item) => (
        <Check
          key={String(item)}
          kind="radio"
          name="use"
          checked={present === item}
          onChange={() => onChange({ ...values, use: item })}
          label={use['x-names']?.[String(item)] ?? String(item)}
        />
      ))}
    </Group>
  );
}

const parts: ScenarioParts = { correction, TaskFormExtras, formFields: ['use'], annotationShapes, answerShapes, predictionShapes, ResultPanel, RequestOptions, annotation: () => import('./annotation') };
export default parts;
