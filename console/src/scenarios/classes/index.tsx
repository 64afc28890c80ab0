import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { CasePanelProps, ResultPanelProps, ScenarioParts } from '../../shared/scenario/contract';
import { Bar, Plain } from '../../shared/ui/kit';

const MOST = 8;

/** Labels with their probability, the likeliest first; more than `MOST` are folded away. */
function Bars({ labels }: { labels: readonly Schemas['LabelScore'][] }) {
  const { t, language } = useText();
  const [all, setAll] = useState(false);
  const shown = all ? labels : labels.slice(0, MOST);
  return (
    <div className="sg-stack-s">
      {shown.map((item) => (
        <div key={item.label} className="sg-spread">
          <span style={{ width: 160 }} className="sg-ellipsis" title={item.label}>
            {item.label}
          </span>
          <span className="sg-grow">
            <Bar value={item.score} label={item.label} />
          </span>
          <span className="sg-num">{percent(item.score, language)}</span>
        </div>
      ))}
      {labels.length > MOST && (
        <Plain size="small" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? t('classes.fewer') : t('classes.more', { count: labels.length - MOST })}
        </Plain>
      )}
    </div>
  );
}

function Chips({ labels, theme }: { labels: readonly string[]; theme?: 'success' | 'danger' }) {
  const { t } = useText();
  if (labels.length === 0) return <span className="sg-tag">{t('classes.none')}</span>;
  return labels.map((label) => (
    <span key={label} className="sg-tag" data-theme={theme}>
      {label}
    </span>
  ));
}

function ResultPanel({ answer }: ResultPanelProps) {
  const { t } = useText();
  const labels = answer.labels ?? [];
  if (labels.length === 0) return <p className="sg-secondary">{t('classes.unknown')}</p>;
  const said = answer.several ? labels : labels.slice(0, 1);
  return (
    <div className="sg-stack-s">
      <div className="sg-row">
        <Chips labels={said.map((item) => item.label)} />
      </div>
      <Bars labels={labels} />
    </div>
  );
}

function CasePanel({ truth, prediction, threshold }: CasePanelProps) {
  const { t } = useText();
  if (prediction.kind !== 'classes') return null;
  const expected = truth?.kind === 'classes' ? (truth.labels ?? []) : [];
  const labels = prediction.labels ?? [];
  const given = (prediction.several ? labels : labels.slice(0, 1)).filter((item) => item.score >= threshold).map((item) => item.label);
  const right = given.length > 0 && given.every((label) => expected.includes(label));
  return (
    <div className="sg-stack-s">
      <div className="sg-row">
        <span className="sg-secondary">{t('evaluation.truth')}</span>
        <Chips labels={expected} />
        <span className="sg-secondary">{t('evaluation.predicted')}</span>
        {given.length === 0 ? <span className="sg-tag">{t('classes.unknownShort')}</span> : <Chips labels={given} theme={right ? 'success' : 'danger'} />}
      </div>
      <Bars labels={labels} />
    </div>
  );
}

const parts: ScenarioParts = { ResultPanel, CasePanel, nothing: 'classes.unknownShort', annotation: () => import('./annotation') };
export default parts;
