import { Link } from 'react-router';
import { UploadIcon } from 'tdesign-icons-react';
import { count, size } from '../shared/format/format';
import { useText } from '../shared/i18n';
import { cancelUpload, retryFailed, useUploads } from '../shared/upload/store';
import { Bar, TextButton } from '../shared/ui/kit';
import { Popover } from '../shared/ui/Popover';

/** Uploads that go on while the person is on other pages. */
export function UploadTray() {
  const { t } = useText();
  const uploads = useUploads().filter((upload) => upload.totals.files > 0);
  if (uploads.length === 0) return null;
  const bytes = uploads.reduce((sum, upload) => sum + upload.totals.bytes, 0);
  const sent = uploads.reduce((sum, upload) => sum + upload.totals.sent, 0);
  return (
    <Popover
      label={t('upload.title')}
      className="sg-pill"
      button={
        <>
          <UploadIcon />
          {t('upload.tray', { percent: bytes ? Math.floor((sent / bytes) * 100) : 100 })}
        </>
      }
    >
      <ul className="sg-activity">
        {uploads.map((upload) => (
          <li key={upload.dataset}>
            <div className="sg-spread">
              <Link to={`/datasets/${encodeURIComponent(upload.dataset)}/imports/new`} className="sg-ellipsis">
                {upload.dataset}
              </Link>
              <span className="sg-row">
                {upload.totals.failed > 0 && <TextButton onClick={() => retryFailed(upload.dataset)}>{t('upload.retryAll')}</TextButton>}
                <TextButton onClick={() => void cancelUpload(upload.dataset)}>{t('common.cancel')}</TextButton>
              </span>
            </div>
            <Bar value={upload.totals.bytes ? upload.totals.sent / upload.totals.bytes : 1} label={upload.dataset} />
            <div className="sg-secondary sg-small sg-figures">
              {upload.offline
                ? t('upload.offline')
                : t('upload.progress', {
                    done: count(upload.totals.done),
                    files: count(upload.totals.files),
                    sent: size(upload.totals.sent),
                    bytes: size(upload.totals.bytes),
                  })}
            </div>
          </li>
        ))}
      </ul>
    </Popover>
  );
}
