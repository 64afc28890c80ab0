import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { Card, Field, Help, Input, Plain, say } from '../../shared/ui/kit';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { dictionaryQuery, refresh, type Dataset, type Label } from './queries';
import { TagsInput } from './TagsInput';

type Row = { key: string; field: string };

/** Which printed key means which field; TI OCR is read and written with it. */
export function DictionaryCard({ dataset, labels }: { dataset: Dataset; labels: Label[] }) {
  const { t } = useText();
  const query = useQuery(dictionaryQuery(dataset.name));
  return (
    <Card title={t('dictionary.title')} extra={<Help text={t('dictionary.help')} />}>
      <Loaded query={query}>{(stored) => <Editor key={JSON.stringify(stored)} dataset={dataset} stored={stored} labels={labels} />}</Loaded>
    </Card>
  );
}

function Editor({ dataset, stored, labels }: { dataset: Dataset; stored: Schemas['KeyDictionary']; labels: Label[] }) {
  const { t } = useText();
  const client = useQueryClient();
  const [rows, setRows] = useState<Row[]>([]);
  const [additional, setAdditional] = useState<string[]>([]);
  useEffect(() => {
    setRows(Object.entries(stored.keys ?? {}).map(([key, field]) => ({ key, field })));
    setAdditional([...(stored.additional ?? [])]);
  }, [stored]);
  const wanted = {
    keys: Object.fromEntries(rows.filter((row) => row.key.trim() && row.field.trim()).map((row) => [row.key.trim(), row.field.trim()])),
    additional,
  };
  const changed = JSON.stringify(wanted) !== JSON.stringify({ keys: stored.keys ?? {}, additional: stored.additional ?? [] });
  const save = useMutation({
    mutationFn: () => unwrap(api.PUT('/v1/datasets/{dataset}/dictionary', { params: { path: { dataset: dataset.name } }, body: wanted })),
    onSuccess: () => {
      say.done(t('dictionary.saved'));
      return refresh(client, dataset.name);
    },
  });
  const set = (index: number, change: Partial<Row>) => setRows(rows.map((row, place) => (place === index ? { ...row, ...change } : row)));
  return (
    <div className="sg-stack">
      {rows.length > 0 && (
        <div className="sg-table-box">
          <table className="sg-table sg-tight" style={{ maxWidth: 720 }}>
            <thead>
              <tr>
                <th>{t('dictionary.key')}</th>
                <th>{t('dictionary.field')}</th>
                <th>{t('common.actions')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                <tr key={index}>
                  <td>
                    <Input className="sg-wide" value={row.key} aria-label={t('dictionary.key')} onChange={(event) => set(index, { key: event.target.value })} />
                  </td>
                  <td>
                    <Input className="sg-wide" value={row.field} list="sg-dictionary" aria-label={t('dictionary.field')} onChange={(event) => set(index, { field: event.target.value })} />
                  </td>
                  <td>
                    <Plain size="small" aria-label={t('dictionary.removeKey', { key: row.key })} onClick={() => setRows(rows.filter((_, place) => place !== index))}>
                      {t('dictionary.remove')}
                    </Plain>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <datalist id="sg-dictionary">
        {labels.map((label) => (
          <option key={label.label} value={label.label} />
        ))}
      </datalist>
      <div>
        <Plain onClick={() => setRows([...rows, { key: '', field: '' }])}>{t('dictionary.add')}</Plain>
      </div>
      <Field label={t('dictionary.additional')} hint={t('dictionary.additionalHint')}>
        <TagsInput value={additional} onChange={setAdditional} />
      </Field>
      {save.isError && <ProblemBox error={save.error} />}
      <div>
        <Plain loading={save.isPending} why={!changed && t('dictionary.unchanged')} onClick={() => save.mutate()}>
          {t('dictionary.save')}
        </Plain>
      </div>
    </div>
  );
}
