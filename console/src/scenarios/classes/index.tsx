import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { ResultPanelProps, ScenarioParts } from '../../shared/scenario/contract';
import { Bar } from '../../shared/ui/kit';

function ResultPanel({ answer }: ResultPanelProps) {
  const { t, language } = useText();
  const labels = answer.labels ?? [];
  if (labels.length === 0) return <p className="sg-secondary">{t('classes.unknown')}</p>;
  return (
    <div className="sg-stack-s">
      {labels.map((item) => (
        <div key={item.label} className="sg-spread">
          <span style={{ width: 160 }} className="sg-ellipsis">
            {item.label}
          </span>
          <span className="sg-grow">
            <Bar value={item.score} label={item.label} />
          </span>
          <span className="sg-num">{percent(item.score, language)}</span>
        </div>
      ))}
    </div>
  );
}

const parts: ScenarioParts = { ResultPanel };
export default parts;
