import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap, type Schemas } from '../api/client';
import { duration } from '../format/format';
import { useText } from '../i18n';
import { Danger, Dialog, Plain, say } from './kit';
import { useErrorText } from './Loaded';
import { useNow } from './useNow';

type Service = Schemas['ServiceOut'];
const HOUR = 3600;
const SOON = 600;

/** What is left of a service's time; ticks by itself. */
export function TimeLeft({ service }: { service: Service }) {
  const { t, language } = useText();
  const live = service.status === 'running';
  const now = useNow(live);
  if (!live) return <>-</>;
  if (service.expires_at === null) return <>{t('form.noLimit')}</>;
  const left = Math.max(0, (new Date(service.expires_at).getTime() - now) / 1000);
  return (
    <span className="sg-figures" style={{ color: left < SOON ? 'var(--sg-warning-text)' : undefined }}>
      {duration(left, language)}
    </span>
  );
}

/** Start, stop, one hour more. Each shows the server's new state at once. */
export function ServiceActions({ service, onDeleted }: { service: Service; onDeleted?: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const errorText = useErrorText();
  const [asking, setAsking] = useState<'stop' | 'delete' | null>(null);
  const path = { service: service.name };
  const act = useMutation({
    mutationFn: async (what: 'start' | 'stop' | 'extend' | 'delete') => {
      if (what === 'start') await unwrap(api.POST('/v1/services/{service}/start', { params: { path } }));
      if (what === 'stop') await unwrap(api.POST('/v1/services/{service}/stop', { params: { path } }));
      if (what === 'extend') await unwrap(api.POST('/v1/services/{service}/extend', { params: { path }, body: { seconds: HOUR } }));
      if (what === 'delete') await unwrap(api.DELETE('/v1/services/{service}', { params: { path } }));
      return what;
    },
    onSuccess: (what) => {
      if (what === 'delete') onDeleted?.();
    },
    onError: (error) => say.failed(errorText(error).title),
    onSettled: () => {
      setAsking(null);
      void client.invalidateQueries({ queryKey: ['services'] });
      void client.invalidateQueries({ queryKey: ['service', service.name] });
    },
  });
  const resting = ['stopped', 'create_failed', 'arrears_stopped'].includes(service.status);
  return (
    <>
      {service.status === 'running' && service.expires_at !== null && (
        <Plain size="small" loading={act.isPending} onClick={() => act.mutate('extend')}>
          {t('service.hourMore')}
        </Plain>
      )}
      {resting && (
        <Plain size="small" loading={act.isPending} onClick={() => act.mutate('start')}>
          {t('service.start')}
        </Plain>
      )}
      {!resting && service.status !== 'stopping' && (
        <Danger size="small" onClick={() => setAsking('stop')}>
          {t('service.stop')}
        </Danger>
      )}
      {resting && (
        <Danger size="small" onClick={() => setAsking('delete')}>
          {t('service.delete')}
        </Danger>
      )}
      <Dialog
        open={asking !== null}
        onClose={() => setAsking(null)}
        title={asking === 'delete' ? t('service.deleteTitle', { name: service.name }) : t('service.stopTitle', { name: service.name })}
        footer={
          <>
            <Plain onClick={() => setAsking(null)}>{t('common.cancel')}</Plain>
            <Danger loading={act.isPending} onClick={() => asking && act.mutate(asking)}>
              {asking === 'delete' ? t('service.delete') : t('service.stop')}
            </Danger>
          </>
        }
      >
        <p>{asking === 'delete' ? t('service.deleteText') : t('service.stopText')}</p>
      </Dialog>
    </>
  );
}
