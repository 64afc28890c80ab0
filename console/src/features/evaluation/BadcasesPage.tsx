import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useParams } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { badcasesQuery, evaluationQuery, picture } from '../../shared/api/queries';
import { PictureView, type Window } from '../../shared/canvas/PictureView';
import type { Point, Shape } from '../../shared/canvas/shapes';
import { count, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { TRUTH, WRONG } from '../../shared/theme/palette';
import { Card, Check, Chip, Empty, Select } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { taskPath } from '../../shared/ui/TaskHeader';
import { diff, Marked } from '../../shared/ui/TextDiff';
import { useAddress } from '../../shared/ui/useAddress';
import { ThresholdSlider } from './ThresholdSlider';

type Case = Schemas['CaseView'];
const LIMIT = 20;
const PREVIEW = 'sandglass.badcase.pictures';
/** Stands for "any" in the address, since an empty value stands for "nothing is there". */
const ANY = '*';

export default function BadcasesPage() {
  const { t } = useText();
  const { task = '', version = '1', evaluation = '' } = useParams();
  const loaded = useQuery(evaluationQuery(evaluation));
  const base = taskPath(task, Number(version));
  return (
    <Page
      title={t('badcase.title')}
      crumbs={[
        { text: t('shell.pages.tasks'), to: '/tasks' },
        { text: `${task} v${version}`, to: base },
        { text: t('task.steps.evaluations'), to: `${base}/evaluations/${evaluation}` },
        { text: t('badcase.title') },
      ]}
    >
      <Loaded query={loaded}>{(data) => <List data={data} />}</Loaded>
    </Page>
  );
}

function List({ data }: { data: Schemas['EvaluationView'] }) {
  const { t } = useText();
  const names = useScenarioNames();
  const [kept, keep] = useAddress('t', data.results.recommended_threshold.toFixed(2));
  const [threshold, setThreshold] = useState(Number(kept));
  const [truth, setTruth] = useAddress('truth', ANY);
  const [predicted, setPredicted] = useAddress('predicted', ANY);
  const [cause, setCause] = useAddress('cause');
  const [offset, setOffset] = useAddress('offset', '0');
  const [pictures, setPictures] = useState(localStorage.getItem(PREVIEW) === 'on');
  const [present, setPresent] = useState(0);
  const query = useQuery(
    badcasesQuery(data.id, {
      threshold: Number(kept),
      truth: truth === ANY ? undefined : truth,
      predicted: predicted === ANY ? undefined : predicted,
      cause: cause || undefined,
      limit: LIMIT,
      offset: Number(offset),
    }),
  );
  const items = query.data?.items ?? [];
  const length = items.length;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
      if (event.key === 'j') setPresent((before) => Math.min(length - 1, before + 1));
      if (event.key === 'k') setPresent((before) => Math.max(0, before - 1));
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [length]);
  const labels = data.results.labels.map((item) => item.label);
  const chosen = items[Math.min(present, length - 1)];
  const filter = (value: string, set: (value: string | null) => void, label: string) => (
    <label className="sg-row">
      {label}
      <Select
        value={value}
        onChange={(event) => {
          set(event.target.value);
          setOffset(null);
          setPresent(0);
        }}
      >
        <option value={ANY}>{t('badcase.any')}</option>
        <option value="">{t('evaluation.nothing')}</option>
        {labels.map((item) => (
          <option key={item} value={item}>
            {item}
          </option>
        ))}
      </Select>
    </label>
  );
  return (
    <div className="sg-stack">
      <Card>
        <div className="sg-stack">
          <ThresholdSlider value={threshold} best={data.results.recommended_threshold} onChange={setThreshold} onRelease={() => keep(threshold.toFixed(2))} />
          <div className="sg-row">
            {filter(truth, setTruth, t('evaluation.truth'))}
            {filter(predicted, setPredicted, t('evaluation.predicted'))}
            <Check
              label={t('badcase.pictures')}
              title={t('badcase.picturesWhy')}
              checked={pictures}
              onChange={() => {
                localStorage.setItem(PREVIEW, pictures ? 'off' : 'on');
                setPictures(!pictures);
              }}
            />
          </div>
          <div className="sg-row">
            {Object.entries(query.data?.causes ?? {}).map(([code, number]) => (
              <Chip key={code} on={cause === code} onClick={() => setCause(cause === code ? null : code)}>
                {names.cause(data.scenario, code)} <span className="sg-figures">{count(number)}</span>
              </Chip>
            ))}
          </div>
        </div>
      </Card>
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('badcase.none')} text={t('badcase.noneText')} />
          ) : (
            <div className="sg-side" style={{ gridTemplateColumns: '280px minmax(0, 1fr)' }}>
              <Card title={t('badcase.count', { count: page.total })} extra={<span className="sg-secondary sg-small">{t('badcase.keys')}</span>}>
                <div className="sg-stack-s">
                  {page.items.map((item, index) => (
                    <button key={item.position} type="button" className="sg-thumb" aria-pressed={chosen === item} onClick={() => setPresent(index)}>
                      {pictures && <img src={picture.test(data.id, item.position, 240)} alt="" loading="lazy" />}
                      <span className="sg-ellipsis">
                        {item.path} · {count(item.matches.length)}
                      </span>
                    </button>
                  ))}
                </div>
                <Pager offset={Number(offset)} limit={LIMIT} total={page.total} onChange={(next) => setOffset(String(next))} />
              </Card>
              {chosen && <CaseCard key={chosen.position} item={chosen as Case} data={data} pictures={pictures} />}
            </div>
          )
        }
      </Loaded>
    </div>
  );
}

function CaseCard({ item, data, pictures }: { item: Case; data: Schemas['EvaluationView']; pictures: boolean }) {
  const { t } = useText();
  const names = useScenarioNames();
  const [seen, setSeen] = useState<Window | null>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const shapes = (side: 'truth' | 'predicted'): Shape[] =>
    item.matches.flatMap((match, index) =>
      (side === 'truth' ? match.truth_polygons : match.predicted_polygons).map((points, part) => ({
        id: part === 0 ? `${index}` : `${index}.${part}`,
        points: points as unknown as Point[],
        look: side === 'truth' ? TRUTH : WRONG,
        name: (side === 'truth' ? match.truth : match.predicted) ?? undefined,
        title: (side === 'truth' ? match.truth_text : match.predicted_text) ?? undefined,
      })),
    );
  const view = (side: 'truth' | 'predicted', title: string) => (
    <div>
      <h3>{title}</h3>
      <PictureView
        src={picture.test(data.id, item.position)}
        width={item.width}
        height={item.height}
        shapes={shapes(side)}
        selected={selected}
        onSelect={setSelected}
        label={`${title}: ${item.path}`}
        window={seen}
        onWindow={setSeen}
        tall={420}
      />
    </div>
  );
  return (
    <Card title={item.path} extra={<span className="sg-secondary">{`${item.width} × ${item.height}`}</span>}>
      <div className="sg-stack">
        {pictures && (
          <div className="sg-two">
            {view('truth', t('evaluation.truth'))}
            {view('predicted', t('evaluation.predicted'))}
          </div>
        )}
        <div className="sg-table-box">
          <table className="sg-table sg-tight">
            <thead>
              <tr>
                <th>{t('badcase.cause')}</th>
                <th>{t('evaluation.truth')}</th>
                <th>{t('evaluation.predicted')}</th>
                <th className="sg-num">{t('badcase.score')}</th>
              </tr>
            </thead>
            <tbody>
              {item.matches.map((match, index) => {
                const [left, right] = diff(match.truth_text ?? '', match.predicted_text ?? '') as [never, never];
                return (
                  <tr key={index} aria-selected={selected === `${index}`} onMouseEnter={() => setSelected(`${index}`)} onMouseLeave={() => setSelected(null)}>
                    <td>{names.cause(data.scenario, match.cause)}</td>
                    <td style={{ overflowWrap: 'anywhere' }}>
                      <div className="sg-secondary sg-small">{match.truth ?? t('evaluation.nothing')}</div>
                      <Marked parts={left} />
                    </td>
                    <td style={{ overflowWrap: 'anywhere' }}>
                      <div className="sg-secondary sg-small">{match.predicted ?? t('evaluation.nothing')}</div>
                      <Marked parts={right} />
                    </td>
                    <td className="sg-num">{match.predicted === null ? '-' : score(match.score)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </div>
    </Card>
  );
}
