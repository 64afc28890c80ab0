import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, useState } from 'react';
import { count, size } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { dropFile, retryFailed, type UploadState } from '../../shared/upload/store';
import { Alert, Bar, Check, Plain, TextButton } from '../../shared/ui/kit';

const ROW = 32;

/** The files of an upload, ten thousand of them as well as one. */
export function UploadList({ upload }: { upload: UploadState }) {
  const { t } = useText();
  const frame = useRef<HTMLDivElement>(null);
  const [failedOnly, setFailedOnly] = useState(false);
  const { totals } = upload;
  const files = failedOnly ? upload.files.filter((file) => file.status === 'failed') : upload.files;
  // eslint-disable-next-line react-hooks/incompatible-library
  const rows = useVirtualizer({ count: files.length, getScrollElement: () => frame.current, estimateSize: () => ROW, overscan: 8 });
  return (
    <div className="sg-stack-s">
      {upload.problem && <Alert theme="danger" title={upload.problem} extra={<Plain size="small" onClick={() => retryFailed(upload.dataset)}>{t('common.retry')}</Plain>} />}
      {upload.offline && <Alert theme="warning" title={t('upload.offline')} />}
      <div className="sg-spread">
        <span className="sg-figures" aria-live="polite">
          {t('upload.progress', { done: count(totals.done), files: count(totals.files), sent: size(totals.sent), bytes: size(totals.bytes) })}
        </span>
        {totals.failed > 0 && (
          <span className="sg-row">
            <Check label={t('upload.failedOnly', { count: totals.failed })} checked={failedOnly} onChange={() => setFailedOnly(!failedOnly)} />
            <Plain size="small" onClick={() => retryFailed(upload.dataset)}>
              {t('upload.retryAll')}
            </Plain>
          </span>
        )}
      </div>
      <Bar value={totals.bytes ? totals.sent / totals.bytes : 1} label={t('upload.title')} />
      <div ref={frame} className="sg-files" tabIndex={0} role="region" aria-label={t('upload.files')}>
        <ul style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((row) => {
            const file = files[row.index];
            if (!file) return null;
            return (
              <li key={file.path} style={{ height: ROW, transform: `translateY(${row.start}px)` }}>
                <span className="sg-ellipsis sg-grow" title={file.path}>
                  {file.path}
                </span>
                <span className="sg-secondary sg-figures">{size(file.file.size)}</span>
                <span className={file.status === 'failed' ? 'sg-error' : 'sg-secondary'} title={file.problem} style={{ minWidth: 72 }}>
                  {file.status === 'sending' && file.received > 0 ? `${Math.floor((file.received / file.file.size) * 100)} %` : t(`upload.status.${file.status}`)}
                </span>
                <TextButton aria-label={t('upload.dropFile', { path: file.path })} onClick={() => dropFile(upload.dataset, file.path)}>
                  {t('upload.drop')}
                </TextButton>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}
