import type { Schemas } from '../../shared/api/client';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';

/** An amount as the server adds it up, exact; the currency is written in the present language. */
export function money(amount: string | null | undefined, currency: string | null | undefined, language: string): string {
  if (amount === null || amount === undefined) return '-';
  if (!currency) return amount;
  return new Intl.NumberFormat(language, { style: 'currency', currency }).format(amount as unknown as number);
}

/** Counts per label, and what they cost together. */
export function Tally({ tally }: { tally: Schemas['Tally'] }) {
  const { t, language } = useText();
  const priced = tally.total !== null && tally.total !== undefined;
  return (
    <div className="sg-stack-s">
      <table className="sg-table sg-tight">
        <thead>
          <tr>
            <th>{t('objects.label')}</th>
            <th className="sg-num">{t('objects.count')}</th>
            {priced && <th className="sg-num">{t('objects.price')}</th>}
            {priced && <th className="sg-num">{t('objects.amount')}</th>}
          </tr>
        </thead>
        <tbody>
          {tally.counts.map((item) => (
            <tr key={item.label}>
              <td>{item.label}</td>
              <td className="sg-num">{count(item.count)}</td>
              {priced && <td className="sg-num">{money(item.price, tally.currency, language)}</td>}
              {priced && <td className="sg-num">{money(item.amount, tally.currency, language)}</td>}
            </tr>
          ))}
        </tbody>
        {priced && (
          <tfoot>
            <tr>
              <th scope="row" colSpan={3}>
                {t('objects.total')}
              </th>
              <td className="sg-num">
                <strong>{money(tally.total, tally.currency, language)}</strong>
              </td>
            </tr>
          </tfoot>
        )}
      </table>
      {(tally.unpriced ?? []).length > 0 && (
        <p className="sg-secondary">{t('objects.unpriced', { labels: (tally.unpriced ?? []).join(', ') })}</p>
      )}
    </div>
  );
}
