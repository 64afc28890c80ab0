import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { count, duration, interval, NOTHING, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Card, Check, Facts, Figure, Help } from '../../shared/ui/kit';
import { When } from '../../shared/ui/Time';
import { useAddress } from '../../shared/ui/useAddress';
import { Charts } from './Charts';
import { Compare } from './Compare';
import { LabelTable } from './LabelTable';
import { rows, stepOf, total, type Results } from './numbers';
import { ThresholdSlider } from './ThresholdSlider';

const SEPARATOR = '\u001f';

type Props = { data: Schemas['EvaluationView']; version: Schemas['TaskVersionOut']; base: string };

/** Everything about one evaluation; the slider moves all of it at once, from counts that came in one answer. */
export function Numbers({ data, version, base }: Props) {
  const { t, language } = useText();
  const parts = useScenarioParts(data.scenario);
  const go = useNavigate();
  const results: Results = data.results;
  const [kept, keep] = useAddress('t', results.recommended_threshold.toFixed(2));
  const [threshold, setThreshold] = useState(Number(kept));
  const [exactly, setExactly] = useAddress('exact');
  const exact = exactly !== '';
  const [own, setOwn] = useState(false);
  const [fields, setFields] = useAddress('fields');
  const chosen = fields === '' ? null : new Set(fields.split(SEPARATOR));
  const step = stepOf(results, threshold);
  const shownStep = own ? null : step;
  const overall = total(results, shownStep, exact, chosen);
  const accuracy = (exact ? results.document_accuracy_exact : results.document_accuracy)[step];
  const document = data.scenario === 'ocr';
  const at = threshold.toFixed(2);
  const query = `t=${at}${exact ? '&exact=1' : ''}`;
  const badcases = exact && accuracy !== null && accuracy !== undefined ? Math.round((1 - accuracy) * results.sample_count) : results.badcases[step]!;
  const move = (value: number) => {
    setOwn(false);
    setThreshold(value);
  };
  return (
    <>
      <Card
        title={
          <span className="sg-row">
            {t('evaluation.basic')} <Help text={t([`evaluation.rule.${data.scenario}`, 'evaluation.rule.other'])} />
          </span>
        }
        extra={
          <>
            <Link to={`${base}/samples`}>{t('evaluation.viewTest')}</Link>
            <Link to={`${base}/badcases?${query}`} data-testid="badcases">
              {t('evaluation.viewBadcases', { count: badcases })}
            </Link>
          </>
        }
      >
        <Facts
          wide
          items={[
            [t('service.model'), `${data.task} v${data.version}`],
            [t('evaluation.test'), data.test.join(t('common.listJoin')) || t('evaluation.heldOut')],
            [t('evaluation.pictures'), count(data.sample_count)],
            ...(document ? ([[t('evaluation.text'), data.text === 'given' ? t('evaluation.given') : t('evaluation.read')]] as [string, string][]) : []),
            [t('evaluation.took'), duration(data.seconds, language)],
            [t('evaluation.at'), <When at={data.created_at} />],
          ]}
        />
      </Card>
      <Card
        title={
          <span className="sg-row">
            {t('evaluation.threshold')} <Help text={t('evaluation.thresholdHelp')} />
          </span>
        }
        extra={
          <>
            <Check label={t('evaluation.own')} checked={own} onChange={() => setOwn(!own)} />
            {document && <Check label={t('evaluation.exact')} checked={exact} onChange={() => setExactly(exact ? null : '1')} />}
          </>
        }
      >
        <div className="sg-stack">
          <ThresholdSlider value={threshold} best={results.recommended_threshold} varies={own} onChange={move} onRelease={keep} />
          <div className="sg-strip" data-testid="figures">
            <Figure label={t('evaluation.precision')} help={t('evaluation.precisionHelp')} value={percent(overall.precision, language)} />
            <Figure label={t('evaluation.recall')} help={t('evaluation.recallHelp')} value={percent(overall.recall, language)} />
            <Figure
              label={t('evaluation.f1')}
              help={t('evaluation.f1Help')}
              value={percent(overall.f1, language)}
              note={t('evaluation.interval', { interval: interval(overall.low, overall.high) })}
            />
            <Figure label={t('evaluation.accuracy')} value={own || chosen ? NOTHING : percent(accuracy, language)} note={chosen ? t('evaluation.allOnly') : undefined} />
            {Object.entries(results.extra).map(([name, value]) => (
              <Figure key={name} label={t([`metric.${name}`, 'metric.other'], { name })} value={percent(value, language)} />
            ))}
          </div>
        </div>
      </Card>
      <LabelTable
        name={`${data.task}-v${data.version}`}
        rows={rows(results, shownStep, exact)}
        chosen={chosen}
        all={results.labels.map((item) => item.label)}
        onChoose={(next) => setFields(next === null ? null : next.join(SEPARATOR))}
        badcases={(label) => `${base}/badcases?${query}&truth=${encodeURIComponent(label)}`}
      />
      <Charts
        name={`${data.task}-v${data.version}-${at}`}
        results={results}
        step={step}
        exact={exact}
        nothing={t(parts.nothing ?? 'evaluation.nothing')}
        onThreshold={(value) => {
          move(value);
          keep(value.toFixed(2));
        }}
        onCell={(truth, predicted) => void go(`${base}/badcases?${query}&${new URLSearchParams({ truth: truth ?? '', predicted: predicted ?? '' })}`)}
      />
      <Compare data={data} version={version} threshold={threshold} exact={exact} base={base} />
    </>
  );
}
