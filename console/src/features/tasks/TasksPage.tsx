import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { taskTagsQuery, tasksQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Card, Check, Empty, LinkButton, Plain, Select } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { Pager } from '../../shared/ui/Pager';
import { SearchField } from '../../shared/ui/SearchField';
import { useFilters } from '../../shared/ui/useFilters';
import { Asking, type Asked } from './Asking';
import { TaskRow } from './TaskRow';

type Task = Schemas['TaskView'];
type Sort = 'created' | 'name' | 'elapsed' | 'progress';
type Stage = 'training' | 'evaluation' | 'service';
const LIMIT = 20;
const FILTERS = { q: '', scenario: '', at: '', tag: '', sort: 'created', order: 'desc', offset: '0' };
const CLEAR = { q: '', scenario: '', at: '', tag: '' };
const RUN = ['queued', 'starting', 'running', 'stopping', 'stopped', 'failed', 'succeeded'] as const;
/** Statuses that can be looked for, by stage. */
const STATUSES = {
  training: RUN,
  evaluation: RUN,
  service: ['creating', 'starting', 'running', 'abnormal', 'stopping', 'stopped', 'create_failed', 'arrears_stopped'],
} as const;

export default function TasksPage() {
  const { t } = useText();
  const scenarios = useScenarioNames();
  const [filters, change, filtered] = useFilters(FILTERS);
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<Set<string>>(new Set());
  const [asked, setAsked] = useState<Asked | null>(null);
  const tags = useQuery(taskTagsQuery());
  const [stage, status] = filters.at.split(':');
  const query = useQuery(
    tasksQuery({
      q: filters.q || undefined,
      scenario: filters.scenario || undefined,
      stage: (stage || undefined) as Stage | undefined,
      status: status || undefined,
      tag: filters.tag || undefined,
      sort: filters.sort as Sort,
      descending: filters.order === 'desc',
      limit: LIMIT,
      offset: Number(filters.offset),
    }),
  );
  const items = query.data?.items ?? [];
  const selected = items.filter((task) => chosen.has(task.id));
  const clear = (
    <Plain onClick={() => change(CLEAR)}>{t('common.clearFilters')}</Plain>
  );
  return (
    <Page
      title={t('shell.pages.tasks')}
      actions={
        <LinkButton primary to="/tasks/new">
          {t('tasks.new')}
        </LinkButton>
      }
    >
      <Card>
        <div className="sg-row sg-filters">
          <SearchField value={filters.q} label={t('tasks.search')} onChange={(q) => change({ q })} />
          <Select aria-label={t('tasks.scenario')} value={filters.scenario} onChange={(event) => change({ scenario: event.target.value })}>
            <option value="">{t('tasks.anyScenario')}</option>
            {scenarios.items.map((item) => (
              <option key={item.id} value={item.id}>
                {item.name}
              </option>
            ))}
          </Select>
          <Select aria-label={t('tasks.stageStatus')} value={filters.at} onChange={(event) => change({ at: event.target.value })}>
            <option value="">{t('tasks.anyStage')}</option>
            {(Object.keys(STATUSES) as Stage[]).map((item) => (
              <optgroup key={item} label={t(`tasks.stages.${item}`)}>
                <option value={item}>{t('tasks.anyOf', { stage: t(`tasks.stages.${item}`) })}</option>
                {STATUSES[item].map((code) => (
                  <option key={code} value={`${item}:${code}`}>
                    {t('tasks.stageAnd', { stage: t(`tasks.stages.${item}`), status: t(`status.${item === 'service' ? 'service' : 'run'}.${code}`) })}
                  </option>
                ))}
              </optgroup>
            ))}
          </Select>
          {(tags.data?.total ?? 0) > 0 && (
            <Select aria-label={t('tasks.tag')} value={filters.tag} onChange={(event) => change({ tag: event.target.value })}>
              <option value="">{t('tasks.anyTag')}</option>
              {tags.data?.items.map((item) => (
                <option key={item.tag} value={item.tag}>
                  {item.tag} ({item.tasks})
                </option>
              ))}
            </Select>
          )}
          {filtered && clear}
        </div>
        {selected.length > 0 && (
          <div className="sg-row sg-bulk" role="group" aria-label={t('tasks.chosen', { count: selected.length })}>
            <span>{t('tasks.chosen', { count: selected.length })}</span>
            <Plain size="small" onClick={() => setAsked({ what: 'stop', tasks: selected })}>
              {t('tasks.stop')}
            </Plain>
            <Plain size="small" theme="danger" onClick={() => setAsked({ what: 'delete', tasks: selected })}>
              {t('tasks.delete')}
            </Plain>
            <Plain size="small" onClick={() => setChosen(new Set())}>
              {t('tasks.chooseNone')}
            </Plain>
          </div>
        )}
        <Loaded query={query} rows={8}>
          {(page) =>
            page.items.length === 0 ? (
              filtered ? (
                <Empty title={t('tasks.noMatch')}>{clear}</Empty>
              ) : (
                <Empty title={t('home.noTasks')} text={t('home.noTasksText')}>
                  <LinkButton to="/datasets/new">{t('tasks.importFirst')}</LinkButton>
                </Empty>
              )
            ) : (
              <>
                {table(page.items)}
                <Pager offset={Number(filters.offset)} limit={LIMIT} total={page.total} onChange={(next) => change({ offset: String(next) })} />
              </>
            )
          }
        </Loaded>
      </Card>
      <Asking asked={asked} onClose={() => setAsked(null)} onDone={() => setChosen(new Set())} />
    </Page>
  );

  function table(items: Task[]) {
    const head = (key: Sort, name: string, numeric = false) => (
      <th scope="col" className={numeric ? 'sg-num' : undefined} aria-sort={filters.sort === key ? (filters.order === 'desc' ? 'descending' : 'ascending') : undefined}>
        <button
          type="button"
          className="sg-sort"
          onClick={() => change(filters.sort === key ? { order: filters.order === 'desc' ? 'asc' : 'desc' } : { sort: key, order: key === 'name' ? 'asc' : 'desc' })}
        >
          {name} <span aria-hidden>{filters.sort === key ? (filters.order === 'desc' ? '↓' : '↑') : '↕'}</span>
        </button>
      </th>
    );
    const all = items.every((task) => chosen.has(task.id));
    return (
      <div className="sg-table-box" tabIndex={0} role="region" aria-label={t('shell.pages.tasks')}>
        <table className="sg-table sg-fixed-end">
          <thead>
            <tr>
              <th scope="col">
                <Check
                  checked={all}
                  onChange={() => setChosen(all ? new Set() : new Set(items.map((task) => task.id)))}
                  label={<span className="sg-sr">{t('tasks.chooseAll')}</span>}
                />
              </th>
              {head('name', t('tasks.name'))}
              <th scope="col">{t('tasks.scenario')}</th>
              <th scope="col">{t('tasks.stage')}</th>
              <th scope="col">{t('tasks.status')}</th>
              {head('progress', t('task.progress'))}
              {head('elapsed', t('tasks.elapsed'), true)}
              <th scope="col">{t('tasks.spec')}</th>
              {head('created', t('tasks.created'))}
              <th scope="col">
                <span className="sg-sr">{t('common.actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((task) => (
              <TaskRow
                key={task.id}
                task={task}
                scenario={scenarios.name(task.scenario)}
                chosen={chosen.has(task.id)}
                onChoose={() => setChosen(toggled(chosen, task.id))}
                open={open.has(task.id)}
                onOpen={() => setOpen(toggled(open, task.id))}
                onAsk={(what) => setAsked({ what, tasks: [task] })}
              />
            ))}
          </tbody>
        </table>
      </div>
    );
  }
}

function toggled(set: Set<string>, name: string): Set<string> {
  const next = new Set(set);
  if (!next.delete(name)) next.add(name);
  return next;
}
