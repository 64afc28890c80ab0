import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Danger, Dialog, Field, Input, Plain, Primary, say, Select } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { refresh, type Dataset, type Label, type SampleFilter } from './queries';
import { told, type Selection } from './selection';

type Props = { dataset: Dataset; filter: SampleFilter; selection: Selection; chosen: number; labels: Label[]; onDone: () => void };
type Form = Pick<Schemas['BulkChange'], 'action'> & { part?: Schemas['BulkChange']['part']; labels?: string[] };

const PARTS = ['train', 'validation', 'test', 'none'] as const;

/** What can be done to the chosen samples, in one change of the draft. */
export function BulkBar({ dataset, filter, selection, chosen, labels, onDone }: Props) {
  const { t } = useText();
  const client = useQueryClient();
  const [asking, setAsking] = useState<'label' | 'remove' | null>(null);
  const [label, setLabel] = useState('');
  const change = useMutation({
    mutationFn: (form: Form) => {
      // What was seen is what is changed: when somebody changed the draft meanwhile, the server refuses.
      const body = { ...form, selection: told(selection, filter), revision: dataset.revision } as Schemas['BulkChange'];
      return unwrap(api.POST('/v1/datasets/{dataset}/samples/bulk', { params: { path: { dataset: dataset.name } }, body }));
    },
    onSuccess: (done, form) => {
      say.done(t(`samples.done.${form.action}`, { count: done.samples }));
      setAsking(null);
      onDone();
      return refresh(client, dataset.name);
    },
    onError: () => void refresh(client, dataset.name),
  });
  const close = () => {
    setAsking(null);
    change.reset();
  };
  return (
    <div className="sg-bulk" role="region" aria-label={t('samples.bulk')}>
      {change.isError && asking === null && <ProblemBox error={change.error} />}
      <div className="sg-row">
        <strong className="sg-figures">{t('samples.chosen', { count: chosen, shown: count(chosen) })}</strong>
        <Select aria-label={t('samples.mark')} value="" disabled={change.isPending} onChange={(event) => change.mutate({ action: 'mark', part: event.target.value === 'none' ? null : (event.target.value as 'train') })}>
          <option value="" disabled>
            {t('samples.mark')}
          </option>
          {PARTS.map((part) => (
            <option key={part} value={part}>
              {part === 'none' ? t('samples.unmark') : t(`samples.parts.${part}`)}
            </option>
          ))}
        </Select>
        {dataset.scenario === 'classification' && <Plain onClick={() => setAsking('label')}>{t('samples.label')}</Plain>}
        <Danger onClick={() => setAsking('remove')}>{t('samples.remove')}</Danger>
        <span className="sg-grow" />
        <Plain onClick={onDone}>{t('samples.selectNone')}</Plain>
      </div>
      <Dialog title={t('samples.labelTitle', { count: chosen, shown: count(chosen) })} open={asking === 'label'} onClose={close} footer={<><Plain onClick={close}>{t('common.cancel')}</Plain><Primary loading={change.isPending} disabled={!label.trim()} onClick={() => change.mutate({ action: 'label', labels: [label] })}>{t('samples.labelConfirm', { count: count(chosen) })}</Primary></>}>
        <div className="sg-stack-s">
          <Field label={t('samples.newLabel')} hint={t('samples.labelHint')}>
            <Input value={label} list="sg-labels" maxLength={200} onChange={(event) => setLabel(event.target.value)} />
          </Field>
          <datalist id="sg-labels">
            {labels.map((item) => (
              <option key={item.label} value={item.label} />
            ))}
          </datalist>
          {change.isError && <ProblemBox error={change.error} />}
        </div>
      </Dialog>
      <Dialog title={t('samples.removeTitle', { count: chosen, shown: count(chosen) })} open={asking === 'remove'} onClose={close} footer={<><Plain onClick={close}>{t('common.cancel')}</Plain><Danger loading={change.isPending} onClick={() => change.mutate({ action: 'remove' })}>{t('samples.removeConfirm', { count: count(chosen) })}</Danger></>}>
        <div className="sg-stack-s">
          <p>{t(dataset.latest_version === null ? 'samples.removeText' : 'samples.removeKept', { version: dataset.latest_version ?? 0 })}</p>
          {change.isError && <ProblemBox error={change.error} />}
        </div>
      </Dialog>
    </div>
  );
}
