import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { datasetsQuery, versionsQuery } from '../../shared/api/queries';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Plain, say, Select } from '../../shared/ui/kit';
import { useErrorText } from '../../shared/ui/Loaded';
import { Picker } from '../../shared/ui/Picker';
import { useLater } from './useLater';

type Dataset = Schemas['DatasetView'];
type Props = { label: string; scenario: string; value: string[]; error?: string; onChange: (value: string[]) => void };

const nameOf = (ref: string) => ref.split('@')[0]!;
/** A dataset as it is picked: its newest version, or its draft where that holds more. */
const refOf = (dataset: Dataset) => (dataset.changed || dataset.latest_version === null ? dataset.name : `${dataset.name}@v${dataset.latest_version}`);

/** Datasets of a scenario with the version of each that is used. */
export function DatasetPicks({ label, scenario, value, error, onChange }: Props) {
  const { t } = useText();
  const [typed, setTyped] = useState('');
  const q = useLater(typed, 250);
  const list = useQuery({ ...datasetsQuery({ scenario, q: q || undefined, limit: 50 }), enabled: scenario !== '' });
  const known = list.data?.items ?? [];
  if (scenario === '') return <p className="sg-secondary">{t('form.scenarioFirst')}</p>;
  if (list.data?.total === 0 && q === '' && value.length === 0)
    return (
      <p>
        <Link to="/datasets/new">{t('form.importFirst')}</Link>
      </p>
    );
  const options = known
    .filter((dataset) => !value.some((ref) => nameOf(ref) === dataset.name))
    .map((dataset) => ({
      value: dataset.name,
      text: dataset.name,
      note: t('form.labelledOf', { labelled: count(dataset.labelled_count), all: count(dataset.sample_count) }),
      why: dataset.labelled_count === 0 ? t('form.nothingLabelled') : null,
    }));
  return (
    <div className="sg-stack-s">
      {value.map((ref) => (
        <Pick key={ref} reference={ref} onChange={(next) => onChange(value.map((other) => (other === ref ? next : other)))} onRemove={() => onChange(value.filter((other) => other !== ref))} />
      ))}
      <Picker
        options={options}
        onSearch={setTyped}
        onPick={(name) => onChange([...value, refOf(known.find((dataset) => dataset.name === name)!)])}
        placeholder={value.length === 0 ? t('form.addDataset') : t('form.addAnother')}
        aria-label={t('form.addTo', { label })}
        aria-invalid={error ? true : undefined}
      />
      {error && <div className="sg-error sg-small">{error}</div>}
    </div>
  );
}

/** One picked dataset: which version of it, and what its draft holds beyond. */
function Pick({ reference, onChange, onRemove }: { reference: string; onChange: (reference: string) => void; onRemove: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const errorText = useErrorText();
  const name = nameOf(reference);
  const dataset = useQuery({ queryKey: ['dataset', name], queryFn: () => unwrap(api.GET('/v1/datasets/{dataset}', { params: { path: { dataset: name } } })) });
  const versions = useQuery(versionsQuery(name));
  const publish = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/datasets/{dataset}/versions', { params: { path: { dataset: name } } })),
    onSuccess: (version) => {
      void client.invalidateQueries({ queryKey: ['dataset', name] });
      void client.invalidateQueries({ queryKey: ['datasets'] });
      onChange(`${name}@v${version.number}`);
    },
    onError: (problem) => say.failed(errorText(problem).title),
  });
  const changed = dataset.data?.changed ?? false;
  const draft = reference === name;
  const next = (dataset.data?.latest_version ?? 0) + 1;
  return (
    <div className="sg-pick">
      <span className="sg-grow sg-cell-name">{name}</span>
      <Select aria-label={t('form.versionOfDataset', { name })} value={reference} onChange={(event) => onChange(event.target.value)}>
        {(draft || changed) && <option value={name}>{t('form.draft', { next })}</option>}
        {!draft && !versions.data && <option value={reference}>{reference.split('@')[1]}</option>}
        {versions.data?.items.map((version) => (
          <option key={version.id} value={`${name}@v${version.number}`}>
            {t('form.versionOption', { number: version.number, count: version.labelled_count })}
          </option>
        ))}
      </Select>
      {changed && !draft && (
        <Plain size="small" loading={publish.isPending} onClick={() => publish.mutate()}>
          {t('form.publishAndUse')}
        </Plain>
      )}
      <button type="button" className="sg-icon-button" aria-label={t('form.removeDataset', { name })} onClick={onRemove}>
        ×
      </button>
      {changed && <div className="sg-secondary sg-small sg-pick-note">{draft ? t('form.draftNote', { next }) : t('form.newerDraft')}</div>}
      {dataset.isError && <div className="sg-error sg-small sg-pick-note">{errorText(dataset.error).title}</div>}
    </div>
  );
}
