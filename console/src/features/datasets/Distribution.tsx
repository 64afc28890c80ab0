import { useState } from 'react';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { labelLook } from '../../shared/theme/palette';
import { Card, TextButton } from '../../shared/ui/kit';
import type { Dataset, Label } from './queries';

const SHOWN = 24;
const FEW = 5;

/** On how many samples each label is; a bar is a filter. */
export function Distribution(props: { dataset: Dataset; labels: Label[]; label: string | undefined; onLabel: (label: string | undefined) => void }) {
  const { t } = useText();
  const [all, setAll] = useState(false);
  const most = Math.max(1, ...props.labels.map((item) => item.samples));
  const shown = all ? props.labels : props.labels.slice(0, SHOWN);
  const fields = props.dataset.scenario === 'ocr';
  return (
    <Card title={t('samples.distribution')}>
      {props.labels.length === 0 ? (
        <p className="sg-secondary">{t(fields ? 'samples.noFields' : 'samples.noLabels')}</p>
      ) : (
        <>
          <p className="sg-secondary sg-small" style={{ marginBottom: 8 }}>
            {t('samples.barsFilter')}
          </p>
          <ul className="sg-bars">
            {shown.map((item) => (
              <li key={item.label}>
                <button type="button" aria-pressed={item.label === props.label} title={item.label} onClick={() => props.onLabel(item.label === props.label ? undefined : item.label)}>
                  <span className="sg-ellipsis">{item.label}</span>
                  <span className="sg-figures">{count(item.samples)}</span>
                  <span className="sg-bars-track">
                    <span style={{ width: `${(item.samples / most) * 100}%`, background: labelLook(item.colour).colour }} />
                  </span>
                  {item.samples < FEW && <span className="sg-small sg-secondary">{t('samples.few')}</span>}
                </button>
              </li>
            ))}
          </ul>
          {props.labels.length > SHOWN && <TextButton onClick={() => setAll(!all)}>{all ? t('samples.fewer') : t('samples.allLabels', { count: props.labels.length })}</TextButton>}
        </>
      )}
    </Card>
  );
}
