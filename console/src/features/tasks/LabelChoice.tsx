import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Check, Group, Input, Plain } from '../../shared/ui/kit';
import type { SectionProps } from './TaskForm';

type Labels = Schemas['DataCheckOut']['labels'];

/** Which labels or fields are learnt, how often each occurs, and what each is called in the model. */
export function LabelChoice({ draft, labels, set }: { draft: SectionProps['draft']; labels: Labels; set: SectionProps['set'] }) {
  const { t } = useText();
  const [renames, setRenames] = useState(Object.keys(draft.labelMap).length > 0);
  // The check counts what is asked for; labels that were left out stay on the list to be taken back.
  const [all, setAll] = useState<string[]>([]);
  const seen = [...new Set([...all, ...labels.map((item) => item.label)])];
  if (seen.length !== all.length) setAll(seen);
  const chosen = new Set(draft.labels ?? seen);
  const toggle = (label: string) => {
    const next = seen.filter((item) => (item === label ? !chosen.has(item) : chosen.has(item)));
    set({ labels: next.length === seen.length || next.length === 0 ? null : next });
  };
  const rename = (label: string, to: string) => {
    const map = { ...draft.labelMap };
    if (to.trim() === '' || to.trim() === label) delete map[label];
    else map[label] = to.trim();
    set({ labelMap: map, labels: null });
  };
  const sources = [...new Set([...Object.keys(draft.labelMap), ...seen.filter((label) => !Object.values(draft.labelMap).includes(label))])];
  return (
    <div data-field="labels" className="sg-stack-s">
      <Group label={t('form.labels')} help={t('form.labelsHelp')}>
        {seen.map((label) => {
          const counts = labels.find((item) => item.label === label);
          return (
            <Check
              key={label}
              checked={chosen.has(label)}
              onChange={() => toggle(label)}
              label={
                <>
                  {label} {counts && <span className="sg-secondary sg-figures">{count(counts.train + counts.validation + counts.test)}</span>}
                </>
              }
            />
          );
        })}
      </Group>
      <div>
        <Plain size="small" aria-expanded={renames} onClick={() => setRenames(!renames)}>
          {t('form.rename')}
        </Plain>
      </div>
      {renames && (
        <table className="sg-table sg-tight" style={{ maxWidth: 560 }}>
          <thead>
            <tr>
              <th scope="col">{t('form.inData')}</th>
              <th scope="col">{t('form.inModel')}</th>
            </tr>
          </thead>
          <tbody>
            {sources.map((label) => (
              <tr key={label}>
                <td className="sg-cell-name">{label}</td>
                <td>
                  <Rename label={label} value={draft.labelMap[label] ?? ''} onChange={(to) => rename(label, to)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** A new name is taken over when the field is left, so that half a name is never checked. */
function Rename({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const { t } = useText();
  return (
    <Input
      className="sg-wide"
      aria-label={t('form.renameOf', { label })}
      defaultValue={value}
      placeholder={label}
      maxLength={200}
      onBlur={(event) => event.target.value !== value && onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
        event.preventDefault();
        event.currentTarget.blur();
      }}
    />
  );
}
