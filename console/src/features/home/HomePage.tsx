import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from 'react-router';
import { datasetsQuery, servicesQuery, tasksQuery } from '../../shared/api/queries';
import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Bar, Card, Empty, Plain, Primary } from '../../shared/ui/kit';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { StatusTag } from '../../shared/ui/Status';
import { taskPath } from '../../shared/ui/TaskHeader';

export default function HomePage() {
  const { t, language } = useText();
  const go = useNavigate();
  const scenarios = useScenarioNames();
  const tasks = useQuery(tasksQuery({ limit: 5 }));
  return (
    <Page title={t('home.title')} actions={<Primary onClick={() => void go('/tasks/new')}>{t('home.start')}</Primary>}>
      <div className="sg-stack">
        <FirstSteps />
        <Card title={t('home.scenarios')}>
          <div className="sg-cards">
            {scenarios.items.flatMap((scenario) =>
              (scenario.presets.length ? scenario.presets : [null]).map((preset) => (
                <section key={`${scenario.id}/${preset?.id ?? ''}`} className="sg-card sg-stack-s">
                  <span className="sg-tag" style={{ alignSelf: 'start' }}>
                    {preset?.domain ?? scenario.name}
                  </span>
                  <h3>{preset?.name ?? scenario.name}</h3>
                  <p className="sg-secondary sg-grow">{preset?.description}</p>
                  <Plain
                    onClick={() => void go(`/tasks/new?scenario=${scenario.id}${preset ? `&preset=${preset.id}` : ''}`)}
                    aria-label={t('home.useNamed', { name: preset?.name ?? scenario.name })}
                  >
                    {t('home.use')}
                  </Plain>
                </section>
              )),
            )}
          </div>
        </Card>
        <Card title={t('home.recent')} extra={<Link to="/tasks">{t('home.allTasks')}</Link>}>
          <Loaded query={tasks}>
            {(page) =>
              page.items.length === 0 ? (
                <Empty title={t('home.noTasks')} text={t('home.noTasksText')} />
              ) : (
                <div className="sg-table-box">
                  <table className="sg-table">
                    <tbody>
                      {page.items.map((task) => {
                        const latest = task.versions.at(-1)!;
                        return (
                          <tr key={task.id}>
                            <td>
                              <Link to={taskPath(task.name, latest.number)}>{task.name}</Link>
                            </td>
                            <td className="sg-secondary">{scenarios.name(task.scenario)}</td>
                            <td>
                              <StatusTag about={task.stage === 'service' ? 'service' : 'run'} code={task.status} />
                            </td>
                            <td style={{ width: '30%' }}>
                              <Bar value={task.progress} label={t('task.progress')} />
                            </td>
                            <td className="sg-num">{percent(latest.best_score, language)}</td>
                          </tr>
                        );
                      })}
                    </tbody>
                  </table>
                </div>
              )
            }
          </Loaded>
        </Card>
      </div>
    </Page>
  );
}

/** The way from data to service, until the first service is there. */
function FirstSteps() {
  const { t } = useText();
  const datasets = useQuery(datasetsQuery({ limit: 1 }));
  const tasks = useQuery(tasksQuery({ limit: 5 }));
  const services = useQuery(servicesQuery({ limit: 1 }));
  if (!services.data || services.data.total > 0 || !datasets.data || !tasks.data) return null;
  const latest = tasks.data.items[0];
  const steps = [
    { key: 'data', done: datasets.data.total > 0, to: '/datasets/new' },
    { key: 'task', done: tasks.data.total > 0, to: '/tasks/new' },
    { key: 'evaluate', done: latest?.stage === 'evaluation', to: latest ? taskPath(latest.name, latest.versions.at(-1)!.number) : '/tasks' },
    { key: 'publish', done: false, to: latest ? taskPath(latest.name, latest.versions.at(-1)!.number, 'publish') : '/tasks' },
  ] as const;
  const next = steps.findIndex((step) => !step.done);
  return (
    <Card title={t('home.firstSteps')}>
      <ol className="sg-cards" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
        {steps.map((step, index) => (
          <li key={step.key} className="sg-stack-s">
            <h3>
              {index + 1} · {t(`home.steps.${step.key}.title`)} {step.done && '✓'}
            </h3>
            <p className="sg-secondary">{t(`home.steps.${step.key}.text`)}</p>
            {index === next && <Link to={step.to}>{t(`home.steps.${step.key}.action`)}</Link>}
          </li>
        ))}
      </ol>
    </Card>
  );
}
