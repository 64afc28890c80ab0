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
  'x-names'?: Record<string, string>;
};
export type Values = Record<string, unknown>;

/** A form drawn from the schema of a scenario's parameters; values that differ from their default are marked. */
export function SchemaForm(props: { schema: Schema; values: Values; errors: Record<string, string>; onChange: (values: Values) => void }) {
  const { t } = useText();
  const entries = Object.entries(props.schema.properties ?? {});
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
                {schema.title ?? name} {changed && <span className="sg-tag">{t('form.changed')}</span>}
              </>
            }
            hint={schema.description}
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
  const { t } = useText();
  const { schema, value, onChange, ...rest } = props;
  const optional = schema.anyOf?.some((item) => item.type === 'null') ?? false;
  const plain = schema.anyOf?.find((item) => item.type !== 'null') ?? schema;
  if (plain.enum)
    return (
      <Select {...rest} value={String(value ?? '')} onChange={(event) => onChange(event.target.value)}>
        {plain.enum.map((item) => (
          <option key={String(item)} value={String(item)}>
            {schema['x-names']?.[String(item)] ?? String(item)}
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
  if (plain.type === 'object' || plain.type === 'array') return <JsonText {...rest} value={value} onChange={onChange} />;
  return <Input {...rest} value={String(value ?? '')} onChange={(event) => onChange(event.target.value)} />;
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
