import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { datasetsQuery } from '../../shared/api/queries';
import { useText } from '../../shared/i18n';
import { Check, Dialog, Field, Group, Plain, Primary, Select } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';

type Version = Schemas['TaskVersionOut'];

/** Measures the model on the same or another test set. */
export function EvaluateAgain({ version, open, onClose }: { version: Version; open: boolean; onClose: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const [test, setTest] = useState('');
  const [text, setText] = useState<'read' | 'given'>('read');
  const { data } = useQuery({ ...datasetsQuery({ scenario: version.scenario, limit: 200 }), enabled: open });
  const start = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/v1/tasks/{task}/versions/{number}/evaluations', {
          params: { path: { task: version.task, number: version.number } },
          body: { test: test ? [test] : [], text },
        }),
      ),
    onSuccess: () => {
      onClose();
      void client.invalidateQueries({ queryKey: ['evaluations', version.task] });
    },
  });
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t('evaluation.again')}
      footer={
        <>
          <Plain onClick={onClose}>{t('common.cancel')}</Plain>
          <Primary loading={start.isPending} onClick={() => start.mutate()}>
            {t('evaluation.start')}
          </Primary>
        </>
      }
    >
      <div className="sg-stack">
        <Field label={t('evaluation.test')} hint={t('evaluation.testHint')}>
          <Select value={test} onChange={(event) => setTest(event.target.value)}>
            <option value="">{t('evaluation.sameTest')}</option>
            {data?.items.map((item) => (
              <option key={item.id} value={item.name}>
                {item.name}
              </option>
            ))}
          </Select>
        </Field>
        {version.scenario === 'ocr' && (
          <Group label={t('evaluation.text')} help={t('evaluation.textHelp')}>
            <Check kind="radio" name="text" checked={text === 'read'} onChange={() => setText('read')} label={t('evaluation.read')} />
            <Check kind="radio" name="text" checked={text === 'given'} onChange={() => setText('given')} label={t('evaluation.given')} />
          </Group>
        )}
        {start.isError && <ProblemBox error={start.error} />}
      </div>
    </Dialog>
  );
}
