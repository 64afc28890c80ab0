import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { datasetsQuery, isOver, picture, servicesQuery, tasksQuery } from '../../shared/api/queries';
import { duration, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Bar, Card, Empty, LinkButton, Plain } from '../../shared/ui/kit';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { StatusTag } from '../../shared/ui/Status';
import { taskPath } from '../../shared/ui/TaskHeader';

type Scenario = Schemas['ScenarioOut'];
type Preset = Schemas['PresetOut'];

export default function HomePage() {
  const { t } = useText();
  const scenarios = useScenarioNames();
  return (
    <Page
      title={t('home.title')}
      actions={
        <LinkButton primary to="/tasks/new">
          {t('home.start')}
        </LinkButton>
      }
    >
      <div className="sg-stack">
        <FirstSteps />
        <Card title={t('home.scenarios')}>
          <Loaded query={scenarios.query} rows={6}>
            {() => (
              <div className="sg-cards">
                {scenarios.items.flatMap((scenario) =>
                  scenario.presets.map((preset) => <ScenarioCard key={`${scenario.id}/${preset.id}`} scenario={scenario} preset={preset} />),
                )}
              </div>
            )}
          </Loaded>
        </Card>
        <Recent />
      </div>
    </Page>
  );
}

function ScenarioCard({ scenario, preset }: { scenario: Scenario; preset: Preset }) {
  const { t } = useText();
  const go = useNavigate();
  const client = useQueryClient();
  const [shown, setShown] = useState(true);
  const path = { scenario: scenario.id, preset: preset.id };
  const example = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/examples/{scenario}/{preset}', { params: { path } })),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['tasks'] });
      void client.invalidateQueries({ queryKey: ['datasets'] });
      void go(taskPath(made.task, made.version.number, 'training'));
    },
  });
  return (
    <section className="sg-card sg-scenario" aria-label={preset.name}>
      {preset.example && shown ? (
        <img src={picture.example(scenario.id, preset.id)} alt="" loading="lazy" onError={() => setShown(false)} />
      ) : (
        <div className="sg-scenario-blank" aria-hidden />
      )}
      <div className="sg-row">
        <span className="sg-tag">{preset.domain}</span>
        <span className="sg-tag">{t(`home.annotations.${scenario.annotation}`)}</span>
      </div>
      <h3>{preset.name}</h3>
      <p className="sg-secondary">{preset.description}</p>
      <p className="sg-secondary sg-small sg-grow">{preset.example ? t('home.example', { example: preset.example }) : ''}</p>
      {example.isError && <ProblemBox error={example.error} />}
      <div className="sg-row">
        {preset.example && (
          <Plain loading={example.isPending} onClick={() => example.mutate()} aria-label={t('home.tryNamed', { name: preset.name })}>
            {example.isPending ? t('home.making') : t('home.try')}
          </Plain>
        )}
        <LinkButton to={`/tasks/new?scenario=${scenario.id}&preset=${preset.id}`} aria-label={t('home.useNamed', { name: preset.name })}>
          {t('home.use')}
        </LinkButton>
      </div>
    </section>
  );
}

function Recent() {
  const { t, language } = useText();
  const scenarios = useScenarioNames();
  const tasks = useQuery(tasksQuery({ limit: 5 }));
  return (
    <Card title={t('home.recent')} extra={<Link to="/tasks">{t('home.allTasks')}</Link>}>
      <Loaded query={tasks}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('home.noTasks')} text={t('home.noTasksText')} />
          ) : (
            <ul className="sg-rows">
              {page.items.map((task) => {
                const latest = task.versions.at(-1)!;
                const moves = task.stage !== 'service' && !isOver(task.status);
                return (
                  <li key={task.id}>
                    <span className="sg-rows-name">
                      <Link to={taskPath(task.name, latest.number)}>{task.name}</Link> <span className="sg-secondary">v{latest.number}</span>
                    </span>
                    <span className="sg-secondary sg-ellipsis">{scenarios.name(task.scenario)}</span>
                    <StatusTag about={task.stage === 'service' ? 'service' : 'run'} code={task.status} />
                    {moves ? (
                      <span className="sg-row" style={{ flexWrap: 'nowrap' }}>
                        <span className="sg-grow">
                          <Bar value={task.progress} label={t('task.progress')} />
                        </span>
                        <span className="sg-num sg-small">{percent(task.progress, language)}</span>
                      </span>
                    ) : (
                      <span className="sg-secondary sg-figures">
                        {latest.best_score === null ? duration(task.used_seconds, language) : t('home.score', { score: percent(latest.best_score, language) })}
                      </span>
                    )}
                  </li>
                );
              })}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

/** The way from data to service, until the first service is there. */
function FirstSteps() {
  const { t } = useText();
  const datasets = useQuery(datasetsQuery({ limit: 1 }));
  const tasks = useQuery(tasksQuery({ limit: 5 }));
  const services = useQuery(servicesQuery({ limit: 1 }));
  if (!services.data || services.data.total > 0 || !datasets.data || !tasks.data) return null;
  const latest = tasks.data.items.find((task) => task.stage === 'evaluation') ?? tasks.data.items[0];
  const page = (stage?: string) => (latest ? taskPath(latest.name, latest.versions.at(-1)!.number, stage) : '/tasks');
  const steps = [
    { key: 'data', done: datasets.data.total > 0, to: '/datasets/new' },
    { key: 'train', done: tasks.data.total > 0, to: '/tasks/new' },
    { key: 'evaluate', done: latest?.stage === 'evaluation' && latest.status === 'succeeded', to: page() },
    { key: 'publish', done: false, to: page('publish') },
  ] as const;
  const next = steps.findIndex((step) => !step.done);
  return (
    <Card title={t('home.firstSteps')}>
      <ol className="sg-first-steps">
        {steps.map((step, index) => (
          <li key={step.key} aria-current={index === next ? 'step' : undefined}>
            <h3>
              <span className="sg-step-number" data-done={step.done} aria-hidden>
                {step.done ? '✓' : index + 1}
              </span>
              {t(`home.steps.${step.key}.title`)}
              {step.done && <span className="sg-sr">{t('home.done')}</span>}
            </h3>
            <p className="sg-secondary">{t(`home.steps.${step.key}.text`)}</p>
            {index === next && <Link to={step.to}>{t(`home.steps.${step.key}.action`)}</Link>}
          </li>
        ))}
      </ol>
    </Card>
  );
}
