import { useText } from '../../shared/i18n';
import { Field, Input } from '../../shared/ui/kit';

/** Below which score answers are left out; empty takes the model's own. */
export function ThresholdField({ value, recommended, error, onChange }: { value: string; recommended: number | undefined; error?: string; onChange: (value: string) => void }) {
  const { t } = useText();
  return (
    <Field
      label={t('evaluation.threshold')}
      help={t('publish.thresholdHelp')}
      hint={recommended === undefined ? undefined : t('publish.recommended', { threshold: recommended.toFixed(2) })}
      error={error}
    >
      <Input type="number" min={0} max={1} step={0.05} style={{ width: 120 }} value={value} placeholder={recommended?.toFixed(2)} onChange={(event) => onChange(event.target.value)} />
    </Field>
  );
}
