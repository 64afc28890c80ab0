import { useText } from '../../shared/i18n';
import { Alert, Plain } from '../../shared/ui/kit';
import { useErrorText } from '../../shared/ui/Loaded';
import { readSample } from './queries';
import { manager, useOverview } from './sync/manager';
import type { SampleSync } from './sync/sampleSync';

/** Stays over the picture while edits cannot reach the server, and says what becomes of them. */
export function Trouble({ sync, dataset, sample }: { sync: SampleSync; dataset: string; sample: string }) {
  const { t } = useText();
  const told = useErrorText();
  const { status, waiting } = useOverview();
  const download = () =>
    void manager.waitingAsJson().then((text) => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
      link.download = 'sandglass-edits.json';
      link.click();
      URL.revokeObjectURL(link.href);
    });
  if (sync.status === 'refused' && sync.error) {
    const { title, action, code } = told(sync.error);
    const discard = () => void readSample(dataset, sample).then((now) => sync.discard(now));
    return (
      <Alert
        theme="danger"
        title={`${t('annotation.refused')} ${title}`}
        extra={
          <span className="sg-row">
            <Plain size="small" onClick={download}>
              {t('annotation.download')}
            </Plain>
            <Plain size="small" onClick={discard}>
              {t('annotation.discard', { count: sync.waiting })}
            </Plain>
          </span>
        }
      >
        {action} <code className="sg-secondary">{code}</code>
      </Alert>
    );
  }
  if (status === 'full')
    return (
      <Alert
        theme="danger"
        title={t('annotation.full')}
        extra={
          <Plain size="small" onClick={download}>
            {t('annotation.download')}
          </Plain>
        }
      />
    );
  if (status === 'offline')
    return (
      <Alert
        theme="warning"
        title={t('annotation.offline', { count: waiting })}
        extra={
          <Plain size="small" onClick={() => manager.now()}>
            {t('common.retry')}
          </Plain>
        }
      />
    );
  return null;
}
