import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ApiError, upload, type Schemas } from '../../shared/api/client';
import { datasetsQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import type { Annotation, Correction } from '../../shared/scenario/contract';
import { Alert, Dialog, Field, Plain, Primary, Select } from '../../shared/ui/kit';
import { keep, kept } from '../../shared/ui/keep';
import { ProblemBox } from '../../shared/ui/Loaded';

type Props = { answer: Schemas['PictureAnswer']; file: File; scenario: string; correction: Correction };
type Sample = Schemas['SampleView'];
const KEPT = 'test.dataset';

/** The picture with a corrected answer goes into a dataset's draft, where the next training can learn from it. */
export function SendToDataset({ answer, file, scenario, correction }: Props) {
  const { t } = useText();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [dataset, setDataset] = useState(() => kept(`${KEPT}.${scenario}`, ''));
  const [annotation, setAnnotation] = useState<Annotation>(() => correction.from(answer));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [added, setAdded] = useState<{ dataset: string; sample: string } | null>(null);
  const list = useQuery({ ...datasetsQuery({ scenario, limit: 200 }), enabled: open });
  const names = list.data?.items.map((item) => item.name) ?? [];
  const known = names.includes(dataset) ? dataset : '';
  const send = async () => {
    setBusy(true);
    setError(null);
    const body = new FormData();
    body.append('file', file, file.name);
    body.append('annotation', JSON.stringify(annotation));
    try {
      const sample = await upload<Sample>(`/v1/datasets/${encodeURIComponent(known)}/samples`, body);
      keep(`${KEPT}.${scenario}`, known);
      setAdded({ dataset: known, sample: sample.id });
      setOpen(false);
      void client.invalidateQueries({ queryKey: ['dataset', known] });
      void client.invalidateQueries({ queryKey: ['datasets'] });
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (added)
    return (
      <Alert
        theme="success"
        title={t('send.added', { dataset: added.dataset })}
        extra={<Link to={`/datasets/${encodeURIComponent(added.dataset)}/annotate/${encodeURIComponent(added.sample)}`}>{t('send.open')}</Link>}
      />
    );
  return (
    <div>
      <Plain onClick={() => setOpen(true)}>{t('send.button')}</Plain>
      <Dialog
        wide
        open={open}
        onClose={() => setOpen(false)}
        title={t('send.title')}
        footer={
          <>
            <Plain onClick={() => setOpen(false)}>{t('common.cancel')}</Plain>
            <Primary loading={busy} why={known === '' && t('send.choose')} onClick={() => void send()}>
              {t('send.add')}
            </Primary>
          </>
        }
      >
        <div className="sg-stack">
          <Field label={t('send.dataset')} hint={list.data?.total === 0 ? t('send.none') : undefined}>
            <Select value={known} onChange={(event) => setDataset(event.target.value)}>
              <option value="">{t('send.choose')}</option>
              {names.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </Select>
          </Field>
          <correction.Form value={annotation} onChange={setAnnotation} />
          {error !== null && <ProblemBox error={error} />}
          {error instanceof ApiError && error.code === 'picture_exists' && <Link to={`/datasets/${encodeURIComponent(known)}/samples`}>{t('send.see')}</Link>}
        </div>
      </Dialog>
    </div>
  );
}
