import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { datasetsQuery, evaluationQuery, evaluationsQuery, isOver } from '../../shared/api/queries';
import { count, duration, interval, moment, NOTHING, percent, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Alert, Bar, Card, Check, Dialog, Empty, Facts, Field, Figure, Group, Plain, Primary, Select } from '../../shared/ui/kit';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { StatusTag } from '../../shared/ui/Status';
import { TaskPage, taskPath } from '../../shared/ui/TaskHeader';
import { useAddress } from '../../shared/ui/useAddress';
import { useTaskVersion } from '../../shared/ui/useTaskVersion';
import { Charts } from './Charts';
import { rows, stepOf, total, type Results } from './numbers';
import { ThresholdSlider } from './ThresholdSlider';

type Version = Schemas['TaskVersionOut'];
const FEW = 10;

export default function EvaluationPage() {
  const query = useTaskVersion();
  return <Loaded query={query}>{(version) => <Evaluation version={version} />}</Loaded>;
}

function Evaluation({ version }: { version: Version }) {
  const { t, language } = useText();
  const go = useNavigate();
  const { evaluation: named } = useParams();
  const list = useQuery(evaluationsQuery(version.task, version.number));
  const [asking, setAsking] = useState(false);
  const path = taskPath(version.task, version.number);
  return (
    <TaskPage
      version={version}
      stage="evaluations"
      title={version.task}
      actions={
        <>
          <Plain disabled={version.model_id === null} onClick={() => setAsking(true)}>
            {t('evaluation.again')}
          </Plain>
          <Primary disabled={version.model_id === null} onClick={() => void go(`${path}/publish`)}>
            {t('evaluation.publish')}
          </Primary>
        </>
      }
    >
      <EvaluateAgain version={version} open={asking} onClose={() => setAsking(false)} />
      <Loaded query={list}>
        {(page) => {
          const done = page.items.filter((item) => item.evaluation !== null);
          const running = page.items.filter((item) => !isOver(item.status));
          const failed = page.items.find((item) => item.error !== null);
          const shown = named ?? done[0]?.evaluation ?? null;
          return (
            <div className="sg-stack">
              {running.map((item) => (
                <Alert key={item.id} theme="info" title={t('evaluation.running')} extra={<StatusTag about="run" code={item.status} />}>
                  <Bar value={item.progress} label={t('task.progress')} />
                </Alert>
              ))}
              {failed?.error && !done.length && (
                <Alert theme="danger" title={failed.error.message}>
                  {failed.error.action}
                </Alert>
              )}
              {done.length > 1 && (
                <Field label={t('evaluation.which')}>
                  <Select value={shown ?? ''} onChange={(event) => void go(`${path}/evaluations/${event.target.value}`)}>
                    {done.map((item) => (
                      <option key={item.id} value={item.evaluation!}>
                        {t('evaluation.option', {
                          test: item.test.join(', ') || t('evaluation.heldOut'),
                          text: textName(t, (item.settings as { text?: string }).text),
                          at: moment(item.ended_at, language),
                        })}
                      </option>
                    ))}
                  </Select>
                </Field>
              )}
              {shown === null ? (
                running.length === 0 && <Empty title={t('evaluation.none')} text={t('evaluation.noneText')} />
              ) : (
                <Shown id={shown} base={`${path}/evaluations/${shown}`} />
              )}
            </div>
          );
        }}
      </Loaded>
    </TaskPage>
  );
}

const textName = (t: (key: string) => string, text: string | undefined) => (text === 'given' ? t('evaluation.given') : t('evaluation.read'));

function Shown({ id, base }: { id: string; base: string }) {
  const query = useQuery(evaluationQuery(id));
  return <Loaded query={query}>{(data) => <Numbers data={data} base={base} />}</Loaded>;
}

function Numbers({ data, base }: { data: Schemas['EvaluationView']; base: string }) {
  const { t, language } = useText();
  const go = useNavigate();
  const results: Results = data.results;
  const [kept, keep] = useAddress('t', results.recommended_threshold.toFixed(2));
  const [threshold, setThreshold] = useState(Number(kept));
  const [exact, setExact] = useState(false);
  const [own, setOwn] = useState(false);
  const [fields, setFields] = useAddress('fields');
  const chosen = fields === '' ? null : new Set(fields.split('\u001f'));
  const step = stepOf(results, threshold);
  const shownStep = own ? null : step;
  const table = rows(results, shownStep, exact);
  const overall = total(results, shownStep, exact, chosen);
  const accuracy = (exact ? results.document_accuracy_exact : results.document_accuracy)[step];
  const at = threshold.toFixed(2);
  const toggle = (label: string) => {
    const next = new Set(chosen ?? results.labels.map((item) => item.label));
    if (!next.delete(label)) next.add(label);
    setFields(next.size === results.labels.length || next.size === 0 ? null : [...next].join('\u001f'));
  };
  return (
    <>
      <Card
        title={t('evaluation.basic')}
        extra={
          <>
            <Link to={`${base}/samples`}>{t('evaluation.viewTest')}</Link>
            <Link to={`${base}/badcases?t=${at}`}>{t('evaluation.viewBadcases', { count: results.badcases[step] })}</Link>
          </>
        }
      >
        <Facts
          items={[
            [t('evaluation.test'), data.test.join(', ') || t('evaluation.heldOut')],
            [t('evaluation.pictures'), count(data.sample_count)],
            ...(data.scenario === 'ocr' ? ([[t('evaluation.text'), textName(t, data.text)]] as [string, string][]) : []),
            [t('evaluation.took'), duration(data.seconds, language)],
            [t('evaluation.at'), moment(data.created_at, language)],
          ]}
        />
      </Card>
      <Card title={t('evaluation.threshold')}>
        <div className="sg-stack">
          <ThresholdSlider value={threshold} best={results.recommended_threshold} varies={own} onChange={(value) => (setOwn(false), setThreshold(value))} onRelease={() => keep(at)} />
          <div className="sg-row">
            <Check label={t('evaluation.own')} checked={own} onChange={() => setOwn(!own)} />
            {data.scenario === 'ocr' && <Check label={t('evaluation.exact')} checked={exact} onChange={() => setExact(!exact)} />}
          </div>
          <div className="sg-strip" data-testid="figures">
            <Figure label={t('evaluation.precision')} value={percent(overall.precision, language)} />
            <Figure label={t('evaluation.recall')} value={percent(overall.recall, language)} />
            <Figure label={t('evaluation.f1')} value={percent(overall.f1, language)} note={t('evaluation.interval', { interval: interval(overall.low, overall.high) })} />
            <Figure label={t('evaluation.accuracy')} value={own ? NOTHING : percent(accuracy, language)} />
            {Object.entries(results.extra).map(([name, value]) => (
              <Figure key={name} label={t([`metric.${name}`, 'metric.other'], { name })} value={percent(value, language)} />
            ))}
          </div>
        </div>
      </Card>
      <Card title={t('evaluation.perLabel')} extra={<span className="sg-secondary sg-small">{t('evaluation.perLabelHint')}</span>}>
        <div className="sg-table-box">
          <table className="sg-table">
            <thead>
              <tr>
                <th>
                  <span className="sg-sr">{t('common.choose')}</span>
                </th>
                <th>{t('evaluation.label')}</th>
                <th className="sg-num">{t('evaluation.precision')}</th>
                <th className="sg-num">{t('evaluation.recall')}</th>
                <th className="sg-num">{t('evaluation.f1')}</th>
                <th className="sg-num">{t('evaluation.intervalHead')}</th>
                <th className="sg-num">{t('evaluation.support')}</th>
                <th className="sg-num">{t('evaluation.best')}</th>
              </tr>
            </thead>
            <tbody>
              {table.map((row) => (
                <tr key={row.label}>
                  <td>
                    <Check checked={chosen === null || chosen.has(row.label)} onChange={() => toggle(row.label)} label={<span className="sg-sr">{row.label}</span>} />
                  </td>
                  <td>
                    <Link to={`${base}/badcases?t=${at}&truth=${encodeURIComponent(row.label)}`}>{row.label}</Link>{' '}
                    {row.support < FEW && <span className="sg-tag" data-theme="warning">{t('evaluation.few')}</span>}
                  </td>
                  <td className="sg-num">{percent(row.precision, language)}</td>
                  <td className="sg-num">{percent(row.recall, language)}</td>
                  <td className="sg-num">{percent(row.f1, language)}</td>
                  <td className="sg-num">{interval(row.low, row.high)}</td>
                  <td className="sg-num">{count(row.support)}</td>
                  <td className="sg-num">{score(row.best)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <Charts
        results={results}
        step={step}
        exact={exact}
        onThreshold={(value) => {
          setOwn(false);
          setThreshold(value);
          keep(value.toFixed(2));
        }}
        onCell={(truth, predicted) => {
          const query = new URLSearchParams({ t: at, truth: truth ?? '', predicted: predicted ?? '' });
          void go(`${base}/badcases?${query}`);
        }}
      />
    </>
  );
}

function EvaluateAgain({ version, open, onClose }: { version: Version; open: boolean; onClose: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const [test, setTest] = useState('');
  const [text, setText] = useState<'read' | 'given'>('read');
  const { data } = useQuery({ ...datasetsQuery({ scenario: version.scenario, limit: 200 }), enabled: open });
  const start = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/tasks/{task}/versions/{number}/evaluations', {
          params: { path: { task: version.task, number: version.number } },
          body: { test: test ? [test] : [], text },
        }),
      ),
    onSuccess: () => {
      onClose();
      void client.invalidateQueries({ queryKey: ['evaluations', version.task] });
    },
  });
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('evaluation.again')}
      footer={
        <>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary loading={start.isPending} onClick={() => start.mutate()}>
            {t('evaluation.start')}
          </Primary>
        </>
      }
    >
      <div className="sg-stack">
        <Field label={t('evaluation.test')} hint={t('evaluation.testHint')}>
          <Select value={test} onChange={(event) => setTest(event.target.value)}>
            <option value="">{t('evaluation.sameTest')}</option>
            {data?.items.map((item) => (
              <option key={item.id} value={item.name}>
                {item.name}
              </option>
            ))}
          </Select>
        </Field>
        {version.scenario === 'ocr' && (
          <Group label={t('evaluation.text')} help={t('evaluation.textHelp')}>
            <Check kind="radio" name="text" checked={text === 'read'} onChange={() => setText('read')} label={t('evaluation.read')} />
            <Check kind="radio" name="text" checked={text === 'given'} onChange={() => setText('given')} label={t('evaluation.given')} />
          </Group>
        )}
        {start.isError && <ProblemBox error={start.error} />}
      </div>
    </Dialog>
  );
}
