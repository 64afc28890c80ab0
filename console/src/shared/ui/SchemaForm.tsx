import { useState } from 'react';
import { useText } from '../i18n';
import { Field, Input, Plain, Select } from './kit';

/** The parts of JSON Schema that scenario parameters use. */
export type Schema = {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  'x-names'?: Record<string, string>;
  'x-zh'?: { title?: string; description?: string; names?: Record<string, string> };
};
export type Values = Record<string, unknown>;

/** A form drawn from the schema of a scenario's parameters; values that differ from their default are marked. */
export function SchemaForm(props: { schema: Schema; values: Values; errors: Record<string, string>; onChange: (values: Values) => void }) {
  const { t, language } = useText();
  const entries = Object.entries(props.schema.properties ?? {});
  const local = (schema: Schema) => (language === 'zh-CN' ? schema['x-zh'] : undefined);
  const set = (name: string, value: unknown) => {
    const next = { ...props.values };
    if (value === undefined) delete next[name];
    else next[name] = value;
    props.onChange(next);
  };
  return (
    <div className="sg-stack">
      {entries.map(([name, schema]) => {
        const changed = name in props.values;
        return (
          <Field
            key={name}
            label={
              <>
                {local(schema)?.title ?? schema.title ?? name} {changed && <span className="sg-tag">{t('form.changed')}</span>}
              </>
            }
            hint={local(schema)?.description ?? schema.description}
            error={props.errors[name] ?? props.errors[`parameters.${name}`]}
          >
            <Control schema={schema} value={changed ? props.values[name] : schema.default} onChange={(value) => set(name, same(value, schema.default) ? undefined : value)} />
          </Field>
        );
      })}
      {Object.keys(props.values).length > 0 && (
        <div>
          <Plain size="small" onClick={() => props.onChange({})}>
            {t('form.reset')}
          </Plain>
        </div>
      )}
    </div>
  );
}

const same = (one: unknown, other: unknown) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

function Control(props: { schema: Schema; value: unknown; onChange: (value: unknown) => void; id?: string }) {
  const { t, language } = useText();
  const { schema, value, onChange, ...rest } = props;
  const names = (language === 'zh-CN' ? schema['x-zh']?.names : undefined) ?? schema['x-names'];
  const optional = schema.anyOf?.some((item) => item.type === 'null') ?? false;
  const plain = schema.anyOf?.find((item) => item.type !== 'null') ?? schema;
  if (plain.enum)
    return (
      <Select {...rest} value={String(value ?? '')} onChange={(event) => onChange(event.target.value)}>
        {plain.enum.map((item) => (
          <option key={String(item)} value={String(item)}>
            {names?.[String(item)] ?? String(item)}
          </option>
        ))}
      </Select>
    );
  if (plain.type === 'boolean')
    return (
      <Select {...rest} value={String(Boolean(value))} onChange={(event) => onChange(event.target.value === 'true')}>
        <option value="true">{t('form.yes')}</option>
        <option value="false">{t('form.no')}</option>
      </Select>
    );
  if (plain.type === 'integer' || plain.type === 'number')
    return (
      <Input
        {...rest}
        type="number"
        min={plain.minimum ?? plain.exclusiveMinimum}
        max={plain.maximum}
        step={plain.type === 'integer' ? 1 : 'any'}
        placeholder={optional ? t('form.automatic') : undefined}
        value={value === null || value === undefined ? '' : String(value)}
        onChange={(event) => onChange(event.target.value === '' ? (optional ? null : undefined) : Number(event.target.value))}
      />
    );
  if (plain.type === 'object' && plain.additionalProperties && !plain.properties)
    return <Pairs value={(value ?? {}) as Record<string, unknown>} onChange={onChange} />;
  if (plain.type === 'object' || plain.type === 'array') return <JsonText {...rest} value={value} onChange={onChange} />;
  return <Input {...rest} value={String(value ?? '')} onChange={(event) => onChange(event.target.value)} />;
}

/** Names with a value each, such as a price list; an empty row waits for the next one. */
function Pairs(props: { value: Record<string, unknown>; onChange: (value: Record<string, unknown>) => void }) {
  const { t } = useText();
  const [rows, setRows] = useState(() => Object.entries(props.value).map(([name, value]) => [name, String(value)] as const));
  const change = (next: (readonly [string, string])[]) => {
    setRows(next);
    props.onChange(Object.fromEntries(next.filter(([name, value]) => name.trim() !== '' && value.trim() !== '').map(([name, value]) => [name.trim(), value.trim()])));
  };
  const put = (index: number, row: readonly [string, string]) => change([...rows.slice(0, index), row, ...rows.slice(index + 1)]);
  return (
    <div className="sg-stack-s">
      {[...rows, ['', ''] as const].map(([name, value], index) => (
        <div key={index} className="sg-row">
          <Input value={name} aria-label={t('form.pairName')} placeholder={t('form.pairName')} onChange={(event) => put(index, [event.target.value, value])} />
          <Input value={value} inputMode="decimal" aria-label={t('form.pairValue')} placeholder={t('form.pairValue')} onChange={(event) => put(index, [name, event.target.value])} />
          {index < rows.length && (
            <Plain size="small" aria-label={t('form.removePair', { name })} onClick={() => change(rows.filter((_, other) => other !== index))}>
              ×
            </Plain>
          )}
        </div>
      ))}
    </div>
  );
}

/** Anything deeper is written as JSON; it is taken over once it can be read. */
function JsonText(props: { value: unknown; onChange: (value: unknown) => void; id?: string }) {
  const { value, onChange, ...rest } = props;
  return (
    <textarea
      {...rest}
      className="sg-input sg-mono"
      rows={3}
      defaultValue={value === undefined ? '' : JSON.stringify(value)}
      onBlur={(event) => {
        try {
          onChange(event.target.value.trim() === '' ? undefined : JSON.parse(event.target.value));
          event.target.setCustomValidity('');
        } catch (error) {
          event.target.setCustomValidity(String(error));
          event.target.reportValidity();
        }
      }}
    />
  );
}
