import { useState } from 'react';
import type { FieldValue, Item } from '../../shared/annotation/document';
import type { Choice, Conflict } from '../../shared/annotation/patch';
import { useText } from '../../shared/i18n';
import type { AnnotationContext } from '../../shared/scenario/annotation';
import { Check, Dialog, Primary } from '../../shared/ui/kit';
import { useOverview } from './sync/manager';
import type { SampleSync } from './sync/sampleSync';

/** For boxes that two people changed differently: mine, theirs, or both. Nothing is decided silently. */
export function Conflicts({ sync, context }: { sync: SampleSync; context: AnnotationContext }) {
  useOverview();
  if (sync.status !== 'conflict') return null;
  return <Decide key={sync.conflicts.map((conflict) => conflict.name).join()} conflicts={sync.conflicts} sync={sync} context={context} />;
}

function Decide({ conflicts, sync, context }: { conflicts: Conflict[]; sync: SampleSync; context: AnnotationContext }) {
  const { t } = useText();
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const open = conflicts.filter((conflict) => !choices[conflict.name]).length;
  return (
    <Dialog
      title={t('annotation.conflictTitle', { count: conflicts.length })}
      open
      wide
      onClose={() => undefined}
      footer={
        <Primary disabled={open > 0} title={open ? t('annotation.conflictOpen', { count: open }) : undefined} onClick={() => sync.resolve(choices)}>
          {t('annotation.conflictKeep')}
        </Primary>
      }
    >
      <p className="sg-secondary">{t('annotation.conflictText')}</p>
      <ul className="sg-conflicts">
        {conflicts.map((conflict) => (
          <li key={conflict.name}>
            <strong>{nameOf(conflict, context, t)}</strong>
            <div className="sg-choices">
              {(['mine', 'theirs', ...(conflict.name.startsWith('items/') && conflict.mine && conflict.theirs ? ['both'] : [])] as Choice[]).map((choice) => (
                <Check
                  key={choice}
                  kind="radio"
                  name={conflict.name}
                  checked={choices[conflict.name] === choice}
                  onChange={() => setChoices({ ...choices, [conflict.name]: choice })}
                  label={choice === 'both' ? t('annotation.choices.both') : `${t(`annotation.choices.${choice}`)}: ${contents(choice === 'mine' ? conflict.mine : conflict.theirs, t)}`}
                />
              ))}
            </div>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

type T = ReturnType<typeof useText>['t'];

function nameOf({ name, mine, theirs }: Conflict, context: AnnotationContext, t: T): string {
  const [table, key] = [name.split('/')[0]!, name.slice(name.indexOf('/') + 1)];
  if (table === 'items') {
    const item = (theirs ?? mine) as Item | null;
    return `${t('annotation.box')} ${item?.text || item?.label || key}`;
  }
  return table === 'values' ? t('annotation.valueOf', { name: key }) : t(`annotation.conflictParts.${table}`, { name: context.sample.path });
}

function contents(value: unknown, t: T): string {
  if (value === null || value === undefined) return t('annotation.removed');
  if (Array.isArray(value)) return value.map((part) => (typeof part === 'string' ? part : (part as FieldValue).text)).join(', ') || t('annotation.removed');
  if (typeof value === 'string') return value;
  const item = value as Item;
  const [x, y] = item.points[0] ?? [0, 0];
  return [item.text && `“${item.text}”`, item.label, t(`annotation.roles.${item.role}`), `(${Math.round(x)}, ${Math.round(y)})`].filter(Boolean).join(' · ');
}
