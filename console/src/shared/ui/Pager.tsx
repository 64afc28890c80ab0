import { useText } from '../i18n';
import { count } from '../format/format';
import { Plain } from './kit';

/** Which part of a list is shown, and the way to the next. */
export function Pager(props: { offset: number; limit: number; total: number; onChange: (offset: number) => void }) {
  const { t } = useText();
  const { offset, limit, total } = props;
  if (total <= limit && offset === 0) return null;
  const last = Math.min(total, offset + limit);
  return (
    <div className="sg-spread" style={{ marginTop: 16 }}>
      <span className="sg-secondary sg-figures">
        {t('common.range', { from: count(Math.min(total, offset + 1)), to: count(last), total: count(total) })}
      </span>
      <div className="sg-row">
        <Plain size="small" disabled={offset === 0} onClick={() => props.onChange(Math.max(0, offset - limit))}>
          {t('common.previous')}
        </Plain>
        <Plain size="small" disabled={last >= total} onClick={() => props.onChange(offset + limit)}>
          {t('common.next')}
        </Plain>
      </div>
    </div>
  );
}
