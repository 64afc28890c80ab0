import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { isOver, tasksQuery } from '../../shared/api/queries';
import { ago, clock, moment, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Bar, Card, Check, Danger, Dialog, Empty, Input, Plain, Primary, say, Select } from '../../shared/ui/kit';
import { Loaded, useErrorText } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { StatusTag } from '../../shared/ui/Status';
import { taskPath } from '../../shared/ui/TaskHeader';
import { useAddress } from '../../shared/ui/useAddress';

type Task = Schemas['TaskView'];
type Sort = 'created' | 'name' | 'elapsed' | 'progress';
type Stage = 'training' | 'evaluation' | 'service';
const LIMIT = 20;

export default function TasksPage() {
  const { t } = useText();
  const go = useNavigate();
  const scenarios = useScenarioNames();
  const [q, setQ] = useAddress('q');
  const [scenario, setScenario] = useAddress('scenario');
  const [stage, setStage] = useAddress('stage');
  const [sort, setSort] = useAddress('sort', 'created');
  const [order, setOrder] = useAddress('order', 'desc');
  const [offset, setOffset] = useAddress('offset', '0');
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<Set<string>>(new Set());
  const query = useQuery(
    tasksQuery({
      q: q || undefined,
      scenario: scenario || undefined,
      stage: (stage || undefined) as Stage | undefined,
      sort: sort as Sort,
      descending: order === 'desc',
      limit: LIMIT,
      offset: Number(offset),
    }),
  );
  const toggle = (set: Set<string>, name: string) => {
    const next = new Set(set);
    if (!next.delete(name)) next.add(name);
    return next;
  };
  const filtered = q || scenario || stage;
  const head = (key: Sort, name: string, numeric = false) => (
    <th className={numeric ? 'sg-num' : undefined} aria-sort={sort === key ? (order === 'desc' ? 'descending' : 'ascending') : undefined}>
      <button
        type="button"
        className="sg-sort"
        onClick={() => (sort === key ? setOrder(order === 'desc' ? 'asc' : 'desc') : setSort(key))}
      >
        {name} {sort === key ? (order === 'desc' ? '↓' : '↑') : '↕'}
      </button>
    </th>
  );
  return (
    <Page title={t('shell.pages.tasks')} actions={<Primary onClick={() => void go('/tasks/new')}>{t('tasks.new')}</Primary>}>
      <Card>
        <div className="sg-row" style={{ marginBottom: 16 }}>
          <Input type="search" value={q} placeholder={t('tasks.search')} aria-label={t('tasks.search')} onChange={(event) => setQ(event.target.value)} />
          <Select aria-label={t('tasks.scenario')} value={scenario} onChange={(event) => setScenario(event.target.value)}>
            <option value="">{t('tasks.anyScenario')}</option>
            {scenarios.items.map((item) => (
              <option key={item.id} value={item.id}>
                {item.name}
              </option>
            ))}
          </Select>
          <Select aria-label={t('tasks.stage')} value={stage} onChange={(event) => setStage(event.target.value)}>
            <option value="">{t('tasks.anyStage')}</option>
            {(['training', 'evaluation', 'service'] as const).map((item) => (
              <option key={item} value={item}>
                {t(`tasks.stages.${item}`)}
              </option>
            ))}
          </Select>
          {filtered && (
            <Plain
              onClick={() => {
                void go('/tasks', { replace: true });
              }}
            >
              {t('common.clearFilters')}
            </Plain>
          )}
          <span className="sg-grow" />
          <Bulk tasks={(query.data?.items ?? []).filter((task) => chosen.has(task.id))} onDone={() => setChosen(new Set())} />
        </div>
        <Loaded query={query}>
          {(page) =>
            page.items.length === 0 ? (
              filtered ? (
                <Empty title={t('tasks.noMatch')} />
              ) : (
                <Empty title={t('home.noTasks')} text={t('home.noTasksText')}>
                  <Plain onClick={() => void go('/datasets/new')}>{t('tasks.importFirst')}</Plain>
                </Empty>
              )
            ) : (
              <>
                <div className="sg-table-box">
                  <table className="sg-table">
                    <thead>
                      <tr>
                        <th>
                          <span className="sg-sr">{t('common.choose')}</span>
                        </th>
                        {head('name', t('tasks.name'))}
                        <th>{t('tasks.scenario')}</th>
                        <th>{t('tasks.stage')}</th>
                        <th>{t('tasks.status')}</th>
                        {head('progress', t('task.progress'))}
                        {head('elapsed', t('tasks.elapsed'), true)}
                        <th>{t('tasks.spec')}</th>
                        {head('created', t('tasks.created'))}
                      </tr>
                    </thead>
                    <tbody>
                      {page.items.map((task) => (
                        <Fragment key={task.id}>
                          <Row
                            task={task}
                            scenario={scenarios.name(task.scenario)}
                            chosen={chosen.has(task.id)}
                            onChoose={() => setChosen(toggle(chosen, task.id))}
                            open={open.has(task.id)}
                            onOpen={() => setOpen(toggle(open, task.id))}
                          />
                        </Fragment>
                      ))}
                    </tbody>
                  </table>
                </div>
                <Pager offset={Number(offset)} limit={LIMIT} total={page.total} onChange={(next) => setOffset(String(next))} />
              </>
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}

function Row(props: { task: Task; scenario: string; chosen: boolean; onChoose: () => void; open: boolean; onOpen: () => void }) {
  const { t, language } = useText();
  const { task } = props;
  const latest = task.versions.at(-1)!;
  const line = (version: Task['versions'][number], sub: boolean) => (
    <>
      <td>{t(`tasks.stages.${version.stage}`)}</td>
      <td>
        <StatusTag about={version.stage === 'service' ? 'service' : 'run'} code={version.status} />
      </td>
      <td>
        {version.best_score !== null && isOver(version.status) ? (
          percent(version.best_score, language)
        ) : (
          <Bar value={version.progress} label={t('task.progress')} />
        )}
      </td>
      <td className="sg-num">{clock(version.used_seconds)}</td>
      <td>{version.spec}</td>
      <td title={moment(version.created_at, language)}>{sub ? moment(version.created_at, language) : ago(version.created_at, language)}</td>
    </>
  );
  return (
    <>
      <tr>
        <td>
          <Check checked={props.chosen} onChange={props.onChoose} label={<span className="sg-sr">{task.name}</span>} />
        </td>
        <td>
          <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
            {task.versions.length > 1 && (
              <button type="button" className="sg-sort" aria-expanded={props.open} aria-label={t('tasks.versions', { name: task.name })} onClick={props.onOpen}>
                {props.open ? '▾' : '▸'}
              </button>
            )}
            <Link to={taskPath(task.name, latest.number)}>{task.name}</Link>
            <span className="sg-secondary">v{latest.number}</span>
          </span>
        </td>
        <td>{props.scenario}</td>
        {line(latest, false)}
      </tr>
      {props.open &&
        task.versions
          .slice(0, -1)
          .reverse()
          .map((version) => (
            <tr key={version.number} className="sg-sub">
              <td />
              <td style={{ paddingLeft: 36 }}>
                <Link to={taskPath(task.name, version.number)}>v{version.number}</Link>
              </td>
              <td />
              {line(version, true)}
            </tr>
          ))}
    </>
  );
}

function Bulk({ tasks, onDone }: { tasks: Task[]; onDone: () => void }) {
  const { t } = useText();
  const [asking, setAsking] = useState<'stop' | 'delete' | null>(null);
  const [busy, setBusy] = useState(false);
  const client = useQueryClient();
  const errorText = useErrorText();
  const running = tasks.filter((task) => task.stage === 'training' && !isOver(task.status));
  if (tasks.length === 0) return null;
  const act = async () => {
    setBusy(true);
    for (const task of asking === 'stop' ? running : tasks) {
      const path = { task: task.name };
      try {
        if (asking === 'stop') {
          const number = task.versions.at(-1)!.number;
          await unwrap(api.POST('/v1/tasks/{task}/versions/{number}/stop', { params: { path: { ...path, number } } }));
        } else await unwrap(api.DELETE('/v1/tasks/{task}', { params: { path } }));
      } catch (error) {
        say.failed(`${task.name}: ${errorText(error).title}`);
      }
    }
    setBusy(false);
    setAsking(null);
    onDone();
    void client.invalidateQueries({ queryKey: ['tasks'] });
  };
  return (
    <span className="sg-row">
      <span className="sg-secondary">{t('tasks.chosen', { count: tasks.length })}</span>
      <Plain disabled={running.length === 0} onClick={() => setAsking('stop')}>
        {t('tasks.stop')}
      </Plain>
      <Danger onClick={() => setAsking('delete')}>{t('tasks.delete')}</Danger>
      <Dialog
        open={asking !== null}
        onClose={() => setAsking(null)}
        title={asking === 'stop' ? t('tasks.stopTitle', { count: running.length }) : t('tasks.deleteTitle', { count: tasks.length })}
        footer={
          <>
            <Plain onClick={() => setAsking(null)}>{t('common.cancel')}</Plain>
            <Danger loading={busy} onClick={() => void act()}>
              {asking === 'stop' ? t('tasks.stop') : t('tasks.delete')}
            </Danger>
          </>
        }
      >
        <p>{asking === 'stop' ? t('tasks.stopText') : t('tasks.deleteText')}</p>
        <p className="sg-secondary">{(asking === 'stop' ? running : tasks).map((task) => task.name).join(', ')}</p>
      </Dialog>
    </span>
  );
}
