import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { evaluationsQuery, taskQuery } from '../../shared/api/queries';
import { count, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useAddress } from '../../shared/ui/useAddress';
import { Card, Figure, Help, Plain, Select } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { saveCsv } from '../../shared/ui/save';

type Props = { data: Schemas['EvaluationView']; version: Schemas['TaskVersionOut']; threshold: number; exact: boolean; base: string };
type Comparison = Schemas['ComparisonView'];
const SURE = 0.05;
const MOST = 20;

/** This version against another one on the pictures that both measured, with the chance of an accident. */
export function Compare({ data, version, threshold, exact, base }: Props) {
  const { t } = useText();
  const { data: task } = useQuery(taskQuery(version.task));
  const [other, setOther] = useAddress('with');
  const others = (task?.versions ?? []).filter((item) => item.number !== version.number && item.evaluation_run_id !== null);
  const list = useQuery({ ...evaluationsQuery(version.task, Number(other)), enabled: other !== '' });
  const found = list.data?.items.filter((item) => item.evaluation !== null) ?? [];
  const same = found.find((item) => item.test.join() === data.test.join()) ?? found[0];
  const query = useQuery({
    queryKey: ['comparison', data.id, same?.evaluation, threshold, exact],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/v1/evaluations/{evaluation}/comparison', { params: { path: { evaluation: data.id }, query: { other: same!.evaluation!, threshold, exact } }, signal })),
    enabled: same !== undefined,
    placeholderData: (before) => before,
    staleTime: Infinity,
  });
  if (others.length === 0) return null;
  return (
    <Card
      title={
        <span className="sg-row">
          {t('compare.title')} <Help text={t('compare.help')} />
        </span>
      }
      extra={
        <Select aria-label={t('compare.with')} value={other} onChange={(event) => setOther(event.target.value || null)}>
          <option value="">{t('compare.choose')}</option>
          {others.map((item) => (
            <option key={item.number} value={item.number}>
              {`${version.task} v${item.number}`}
            </option>
          ))}
        </Select>
      }
    >
      {other === '' ? (
        <p className="sg-secondary">{t('compare.none')}</p>
      ) : list.data && !same ? (
        <p className="sg-secondary">{t('compare.notEvaluated')}</p>
      ) : (
        <Loaded query={query}>{(found) => <Result found={found} here={version.number} base={base} />}</Loaded>
      )}
    </Card>
  );
}

function Result({ found, here, base }: { found: Comparison; here: number; base: string }) {
  const { t, language } = useText();
  const gain = found.f1 === null || found.other_f1 === null ? null : found.f1 - found.other_f1;
  const sign = (value: number | null) => (value === null ? '-' : `${value > 0 ? '+' : value < 0 ? '−' : '±'}${Math.abs(value * 100).toFixed(1)}`);
  const chance = (p: number | null) => (p === null ? '-' : p < 0.001 ? t('compare.pBelow') : t('compare.p', { p: p.toFixed(3) }));
  const verdict = (p: number | null) => (p === null ? '' : p < SURE ? t('compare.sure') : t('compare.unsure'));
  const notes = [
    found.only_here + found.only_there > 0 && t('compare.onlySome', { here: count(found.only_here), there: count(found.only_there) }),
    found.labels_left_out.length > 0 && t('compare.leftOut', { labels: found.labels_left_out.join(t('common.listJoin')) }),
  ].filter(Boolean);
  const head = [t('evaluation.label'), `F1 v${here}`, `F1 v${found.other_version}`, t('compare.gain'), t('compare.fixed'), t('compare.broken'), t('compare.pHead')];
  const rows = found.labels.map((item) => [
    item.label,
    percent(item.f1, language),
    percent(item.other_f1, language),
    sign(item.f1 === null || item.other_f1 === null ? null : item.f1 - item.other_f1),
    count(item.truths.fixed),
    count(item.truths.broken),
    item.truths.p === null ? '-' : item.truths.p.toFixed(3),
  ]);
  return (
    <div className="sg-stack">
      <div className="sg-strip">
        <Figure label={t('compare.f1')} help={t('compare.f1Help')} value={sign(gain)} note={`${chance(found.f1_p)} ${verdict(found.f1_p)}`} />
        <Figure label={t('compare.pictures')} value={count(found.sample_count)} />
        <Figure label={t('compare.fixed')} help={t('compare.fixedHelp')} value={count(found.samples.fixed)} note={<Samples items={found.fixed} base={base} />} />
        <Figure label={t('compare.broken')} help={t('compare.brokenHelp')} value={count(found.samples.broken)} note={<Samples items={found.broken} base={base} />} />
        <Figure label={t('compare.whole')} help={t('compare.wholeHelp')} value={found.samples.p === null ? '-' : found.samples.p.toFixed(3)} note={verdict(found.samples.p)} />
      </div>
      {notes.length > 0 && <p className="sg-secondary sg-small">{notes.join(' ')}</p>}
      <div className="sg-table-box" tabIndex={0} role="region" aria-label={t('compare.title')}>
        <table className="sg-table sg-tight">
          <thead>
            <tr>
              {head.map((name, index) => (
                <th key={name} scope="col" className={index > 0 ? 'sg-num' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row[0]}>
                {row.map((value, index) => (
                  <td key={index} className={index > 0 ? 'sg-num' : 'sg-cell-name'}>
                    {value}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div>
        <Plain size="small" onClick={() => saveCsv(`compare-v${here}-v${found.other_version}`, head, rows)}>
          {t('chart.csv')}
        </Plain>
      </div>
    </div>
  );
}

/** Links to the first samples of a list, by their place in the test set. */
function Samples({ items, base }: { items: readonly number[]; base: string }) {
  if (items.length === 0) return null;
  return (
    <span className="sg-row" style={{ gap: 4, maxWidth: 240 }}>
      {items.slice(0, MOST).map((position) => (
        <Link key={position} to={`${base}/samples?sample=${position}`}>
          {position + 1}
        </Link>
      ))}
      {items.length > MOST && '…'}
    </span>
  );
}
