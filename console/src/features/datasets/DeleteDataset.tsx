import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, unwrap } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Danger, Dialog, Plain, say, Skeleton } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { liveDatasetQuery, usesQuery, versionListQuery } from './queries';

/** Deletes a dataset after saying what goes with it; what tasks use is not deleted, and they are named. */
export function DeleteDataset(props: { dataset: string | null; onClose: () => void; onDone?: () => void }) {
  const { t } = useText();
  return (
    <Dialog title={t('deleteDataset.title', { name: props.dataset ?? '' })} open={props.dataset !== null} onClose={props.onClose} footer={null}>
      {props.dataset !== null && <Content dataset={props.dataset} onClose={props.onClose} onDone={props.onDone} />}
    </Dialog>
  );
}

function Content({ dataset, onClose, onDone }: { dataset: string; onClose: () => void; onDone?: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const info = useQuery(liveDatasetQuery(dataset));
  const uses = useQuery(usesQuery(dataset));
  const versions = useQuery(versionListQuery(dataset));
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/v1/datasets/{dataset}', { params: { path: { dataset } } })),
    onSuccess: () => {
      say.done(t('deleteDataset.done', { name: dataset }));
      onClose();
      onDone?.();
      void client.invalidateQueries({ queryKey: ['datasets'] });
    },
  });
  if (!info.data || !uses.data || !versions.data) return <Skeleton rows={2} />;
  const used = uses.data.items;
  return (
    <div className="sg-stack-s">
      <p>{t('deleteDataset.text', { pictures: count(info.data.sample_count), versions: count(versions.data.total) })}</p>
      {used.length > 0 && (
        <>
          <p>{t('deleteDataset.uses', { count: used.length })}</p>
          <ul style={{ margin: 0, paddingLeft: 20 }}>
            {used.slice(0, 8).map((use) => (
              <li key={`${use.task} ${use.task_version}`}>
                <Link to={`/tasks/${encodeURIComponent(use.task)}/${use.task_version}`}>{`${use.task} v${use.task_version}`}</Link>{' '}
                <span className="sg-secondary">{use.versions.map((version) => `${dataset}@v${version}`).join(', ')}</span>
              </li>
            ))}
            {used.length > 8 && <li>{t('deleteDataset.more', { count: used.length - 8 })}</li>}
          </ul>
        </>
      )}
      {remove.isError && <ProblemBox error={remove.error} />}
      <footer>
        <Plain onClick={onClose}>{t('common.cancel')}</Plain>
        <Danger loading={remove.isPending} onClick={() => remove.mutate()}>
          {t('deleteDataset.confirm')}
        </Danger>
      </footer>
    </div>
  );
}
