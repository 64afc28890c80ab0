import type { Schemas } from '../../shared/api/client';
import { bounds, type Point } from '../../shared/canvas/shapes';
import { useText } from '../../shared/i18n';
import type { Annotation, Correction, PictureAnswer } from '../../shared/scenario/contract';
import { Field, Input } from '../../shared/ui/kit';

type Document = Extract<Annotation, { kind?: 'document' }>;
type FieldAnswer = Schemas['FieldPrediction'];

function holds(polygon: unknown, points: unknown): boolean {
  const area = bounds(polygon as Point[]);
  const line = bounds(points as Point[]);
  const [x, y] = [(line.x1 + line.x2) / 2, (line.y1 + line.y2) / 2];
  return x >= area.x1 && x <= area.x2 && y >= area.y1 && y <= area.y2;
}

/** What was read becomes boxes, what was answered becomes values; the lines that a value lies over belong to it. */
function from(answer: PictureAnswer): Annotation {
  const lines = answer.lines ?? [];
  const fields = answer.fields ?? [];
  const owner = (line: Schemas['TextLine']): FieldAnswer | undefined => fields.find((field) => field.value !== null && field.value_polygons.some((polygon) => holds(polygon, line.polygon)));
  const boxes = lines.map((line, index) => {
    const field = owner(line);
    return { id: `b${index}`, polygon: line.polygon, text: line.text, role: field ? ('value' as const) : ('background' as const), field: field?.key ?? null, direction: 'horizontal' as const, key_ids: [] };
  });
  const values = fields.map((field) => ({ field: field.key, text: field.value ?? '', box_ids: boxes.filter((box) => box.field === field.key).map((box) => box.id) }));
  return { kind: 'document', boxes, values: values.filter((value) => value.text !== ''), absent: values.filter((value) => value.text === '').map((value) => value.field) } as Annotation;
}

/** The values of the document, each to be put right; an empty one says that the field is not on the page. */
function Form({ value, onChange }: { value: Annotation; onChange: (value: Annotation) => void }) {
  const { t } = useText();
  const document = value as Document;
  const values = document.values ?? [];
  const absent = document.absent ?? [];
  const names = [...new Set([...values.map((item) => item.field), ...absent])];
  const set = (field: string, text: string) => {
    const known = values.find((item) => item.field === field);
    const others = values.filter((item) => item !== known);
    const next = text === '' ? others : [...others, { field, text, box_ids: known?.box_ids ?? [] }];
    onChange({ ...document, values: next, absent: text === '' ? [...new Set([...absent, field])] : absent.filter((name) => name !== field) } as Annotation);
  };
  return (
    <div className="sg-stack-s">
      <p className="sg-secondary">{t('ocr.correct')}</p>
      {names.map((name) => (
        <Field key={name} label={name}>
          <Input className="sg-wide" value={values.find((item) => item.field === name)?.text ?? ''} placeholder={t('ocr.absent')} onChange={(event) => set(name, event.target.value)} />
        </Field>
      ))}
    </div>
  );
}

export const correction: Correction = { from, Form };
