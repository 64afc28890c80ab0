import { Link, useNavigate } from 'react-router';
import type { Schemas } from '../../shared/api/client';
import { isOver } from '../../shared/api/queries';
import { clock, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Bar, Check } from '../../shared/ui/kit';
import { Menu } from '../../shared/ui/Menu';
import { StatusTag } from '../../shared/ui/Status';
import { taskPath } from '../../shared/ui/TaskHeader';
import { When } from '../../shared/ui/Time';
import type { Question } from './Asking';

type Task = Schemas['TaskView'];
type Version = Task['versions'][number];

/** Whether the newest version still trains. */
export const trains = (task: Task) => task.stage === 'training' && !isOver(task.status) && task.status !== 'not_started';

type Props = {
  task: Task;
  scenario: string;
  chosen: boolean;
  onChoose: () => void;
  open: boolean;
  onOpen: () => void;
  onAsk: (what: Question) => void;
};

/** A task in its newest version; the earlier ones fold out. */
export function TaskRow(props: Props) {
  const { t } = useText();
  const go = useNavigate();
  const { task } = props;
  const latest = task.versions.at(-1)!;
  const form = (as: 'version' | 'copy') => void go(`/tasks/new?from=${encodeURIComponent(task.name)}&version=${latest.number}&as=${as}`);
  const again = task.stage === 'training' && (task.status === 'failed' || task.status === 'stopped');
  return (
    <>
      <tr>
        <td>
          <Check checked={props.chosen} onChange={props.onChoose} label={<span className="sg-sr">{t('tasks.choose', { name: task.name })}</span>} />
        </td>
        <td className="sg-cell-name">
          <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
            <button
              type="button"
              className="sg-fold"
              aria-expanded={props.open}
              aria-label={t('tasks.versions', { name: task.name })}
              disabled={task.versions.length < 2}
              onClick={props.onOpen}
            >
              {task.versions.length < 2 ? '' : props.open ? '▾' : '▸'}
            </button>
            <span>
              <Link to={taskPath(task.name, latest.number)}>{task.name}</Link> <span className="sg-secondary">v{latest.number}</span>
              {task.tags.length > 0 && (
                <span className="sg-row" style={{ gap: 4 }}>
                  {task.tags.map((tag) => (
                    <span key={tag} className="sg-tag sg-tag-small">
                      {tag}
                    </span>
                  ))}
                </span>
              )}
            </span>
          </span>
        </td>
        <td>{props.scenario}</td>
        <Line version={latest} />
        <td>
          <Menu
            label={t('tasks.actions', { name: task.name })}
            items={[
              trains(task) && { text: t('tasks.stop'), onSelect: () => props.onAsk('stop') },
              again && { text: t('training.restart'), onSelect: () => props.onAsk('restart') },
              { text: t('tasks.newVersion'), onSelect: () => form('version') },
              { text: t('tasks.copy'), onSelect: () => form('copy') },
              { text: t('tasks.delete'), danger: true, why: trains(task) && t('tasks.deleteRunning'), onSelect: () => props.onAsk('delete') },
            ]}
          />
        </td>
      </tr>
      {props.open &&
        task.versions
          .slice(0, -1)
          .reverse()
          .map((version) => (
            <tr key={version.number} className="sg-sub">
              <td />
              <td style={{ paddingLeft: 44 }}>
                <Link to={taskPath(task.name, version.number)}>v{version.number}</Link>
              </td>
              <td />
              <Line version={version} />
              <td />
            </tr>
          ))}
    </>
  );
}

function Line({ version }: { version: Version }) {
  const { t, language } = useText();
  const moves = version.stage !== 'service' && !isOver(version.status);
  return (
    <>
      <td>{t(`tasks.stages.${version.stage}`)}</td>
      <td>
        <StatusTag about={version.stage === 'service' ? 'service' : 'run'} code={version.status} />
      </td>
      <td>
        {moves ? (
          <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
            <Bar value={version.progress} label={t('task.progress')} />
            <span className="sg-small sg-figures">{percent(version.progress, language)}</span>
          </span>
        ) : (
          <span className="sg-figures">{version.best_score === null ? '-' : t('home.score', { score: percent(version.best_score, language) })}</span>
        )}
      </td>
      <td className="sg-num">{clock(version.used_seconds)}</td>
      <td>{version.spec}</td>
      <td>
        <When at={version.created_at} relative />
      </td>
    </>
  );
}
