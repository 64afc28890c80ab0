import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { taskVersionQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { useScenarioNames } from '../../shared/scenario/useScenario';
import { Loaded } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import type { Values } from '../../shared/ui/SchemaForm';
import { fromVersion, keptDraft, withScenario, type Draft } from './form';
import { TaskForm } from './TaskForm';

/** The one form: a new task, a new version of one (`from`, `as=version`), or a copy of one (`as=copy`). */
export default function NewTaskPage() {
  const { t } = useText();
  const [params] = useSearchParams();
  const from = params.get('from');
  const as = params.get('as') === 'copy' ? 'copy' : 'version';
  const number = Number(params.get('version') ?? '1');
  const version = useQuery({ ...taskVersionQuery(from ?? '', number), enabled: from !== null });
  const scenarios = useScenarioNames();
  const title = from === null ? t('form.title') : as === 'copy' ? t('form.copyOf', { name: from }) : t('form.newVersionOf', { name: from });
  const crumbs = [{ text: t('shell.groups.learning'), to: '/' }, { text: t('shell.pages.tasks'), to: '/tasks' }, { text: title }];
  return (
    <Page title={title} crumbs={crumbs}>
      <Loaded query={scenarios.query} rows={10}>
        {(list) =>
          from !== null ? (
            <Loaded query={version} rows={10}>
              {(data) => <TaskForm start={fromVersion(data, as)} copied={number} keeps={false} />}
            </Loaded>
          ) : (
            <TaskForm
              key={params.toString()}
              start={startOf(params, (scenario, preset) => list.items.find((item) => item.id === scenario)?.presets.find((item) => item.id === preset)?.parameters ?? {})}
              keeps
            />
          )
        }
      </Loaded>
    </Page>
  );
}

/** An address that names something wins over what was kept; otherwise the kept draft is taken up again. */
function startOf(params: URLSearchParams, parametersOf: (scenario: string, preset: string) => Values): Draft {
  const before = keptDraft();
  const scenario = params.get('scenario');
  const preset = params.get('preset');
  const dataset = params.get('dataset');
  const changed = scenario !== null && scenario !== before.scenario;
  const base = changed ? withScenario(before, scenario)[0] : before;
  // The catalogue entry that was picked brings its own settings; the person may change them afterwards.
  const parameters = scenario !== null && preset !== null ? { ...base.parameters, ...parametersOf(scenario, preset) } : base.parameters;
  return { ...base, parameters, train: dataset ? [dataset] : base.train };
}
