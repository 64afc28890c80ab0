import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { Danger, Dialog, Plain } from '../../shared/ui/kit';
import { useErrorText } from '../../shared/ui/Loaded';
import { trains } from './TaskRow';

type Task = Schemas['TaskView'];
export type Question = 'stop' | 'restart' | 'delete';
export type Asked = { what: Question; tasks: Task[] };

/** Asks before tasks are stopped, restarted or deleted, names what goes with each, and says what did not work. */
export function Asking({ asked, onClose, onDone }: { asked: Asked | null; onClose: () => void; onDone: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const errorText = useErrorText();
  const [busy, setBusy] = useState(false);
  const [failures, setFailures] = useState<string[]>([]);
  const what = asked?.what ?? 'stop';
  const tasks = asked ? (what === 'stop' ? asked.tasks.filter(trains) : asked.tasks) : [];
  const close = () => {
    setFailures([]);
    onClose();
  };
  const act = async () => {
    setBusy(true);
    const wrong: string[] = [];
    for (const task of tasks) {
      const path = { task: task.name, number: task.versions.at(-1)!.number };
      try {
        if (what === 'stop') await unwrap(api.POST('/v1/tasks/{task}/versions/{number}/stop', { params: { path } }));
        else if (what === 'restart') await unwrap(api.POST('/v1/tasks/{task}/versions/{number}/restart', { params: { path } }));
        else await unwrap(api.DELETE('/v1/tasks/{task}', { params: { path: { task: task.name } } }));
      } catch (error) {
        const { title, action } = errorText(error);
        wrong.push(`${task.name}: ${title} ${action}`);
      }
    }
    setBusy(false);
    void client.invalidateQueries({ queryKey: ['tasks'] });
    void client.invalidateQueries({ queryKey: ['activity'] });
    onDone();
    if (wrong.length > 0) setFailures(wrong);
    else close();
  };
  const title = {
    stop: t('tasks.stopTitle', { count: tasks.length }),
    restart: t('tasks.restartTitle', { count: tasks.length }),
    delete: t('tasks.deleteTitle', { count: tasks.length }),
  }[what];
  const text = { stop: t('tasks.stopText'), restart: t('training.restartText'), delete: t('tasks.deleteText') }[what];
  const verb = { stop: t('tasks.stop'), restart: t('training.restart'), delete: t('tasks.delete') }[what];
  return (
    <Dialog
      open={asked !== null}
      onClose={close}
      title={title}
      footer={
        <>
          <Plain onClick={close}>{failures.length > 0 ? t('common.close') : t('common.cancel')}</Plain>
          {failures.length === 0 && (
            <Danger loading={busy} why={tasks.length === 0 && t('tasks.nothingToStop')} onClick={() => void act()}>
              {verb}
            </Danger>
          )}
        </>
      }
    >
      {failures.length > 0 ? (
        <ul role="alert" className="sg-error">
          {failures.map((failure) => (
            <li key={failure}>{failure}</li>
          ))}
        </ul>
      ) : (
        <>
          <p>{text}</p>
          <ul className="sg-list">
            {tasks.map((task) => (
              <li key={task.id}>
                <span className="sg-cell-name">{task.name}</span>{' '}
                {what === 'delete' && <span className="sg-secondary">{t('tasks.goesWith', { count: task.versions.length })}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}
