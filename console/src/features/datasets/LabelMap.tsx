import { useQuery } from '@tanstack/react-query';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Check, Input } from '../../shared/ui/kit';
import { mergedLabels, type Names } from './labelMap';
import { labelListQuery } from './queries';

const SHOWN = 200;

/** New names for the labels of an import: rename, merge by one name, or leave out. */
export function LabelMap(props: { dataset: string; labels: Record<string, number>; names: Names; onChange: (names: Names) => void }) {
  const { t } = useText();
  const known = useQuery({ ...labelListQuery(props.dataset), retry: false });
  const labels = Object.entries(props.labels);
  const merged = mergedLabels(props.labels, props.names);
  const there = new Set(known.data?.items.map((item) => item.label));
  return (
    <div className="sg-stack-s">
      <p className="sg-secondary">{t('importing.mapText')}</p>
      <div className="sg-table-box">
        <table className="sg-table sg-tight">
          <thead>
            <tr>
              <th>{t('importing.inSource')}</th>
              <th className="sg-num">{t('labels.samples')}</th>
              <th>{t('importing.inDataset')}</th>
              <th>{t('importing.result')}</th>
              <th>{t('importing.leaveOut')}</th>
            </tr>
          </thead>
          <tbody>
            {labels.slice(0, SHOWN).map(([label, samples]) => {
              const name = label in props.names ? props.names[label]! : label;
              const out = name === null;
              const target = (name ?? '').trim() || label;
              const others = merged.get(target) ?? [];
              return (
                <tr key={label}>
                  <td style={{ overflowWrap: 'anywhere' }}>{label}</td>
                  <td className="sg-num">{count(samples)}</td>
                  <td>
                    <Input value={out ? '' : (name ?? '')} disabled={out} list="sg-known" maxLength={200} aria-label={t('importing.nameOf', { label })} onChange={(event) => props.onChange({ ...props.names, [label]: event.target.value })} />
                  </td>
                  <td className="sg-secondary">
                    {out ? t('importing.isLeftOut') : others.length > 1 ? t('importing.isMerged', { label: target }) : there.has(target) ? t('importing.isKnown') : target !== label ? t('importing.isRenamed') : t('importing.isNew')}
                  </td>
                  <td>
                    <Check label={<span className="sg-sr">{t('importing.leaveOutOf', { label })}</span>} checked={out} onChange={() => props.onChange({ ...props.names, [label]: out ? label : null })} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {labels.length > SHOWN && <p className="sg-secondary">{t('importing.mapMore', { count: labels.length - SHOWN })}</p>}
      <datalist id="sg-known">
        {[...there].map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
    </div>
  );
}
