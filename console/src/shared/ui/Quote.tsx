import { useQuery } from '@tanstack/react-query';
import { useText } from '../i18n';
import { quoteQuery } from '../session/money';
import { useSession } from '../session/session';
import { Alert } from './kit';

/** What a spec freezes for two hours and what is left; says how much is missing and whom to ask. Nothing where money is off. */
export function Quote({ spec, count = 1 }: { spec: string; count?: number }) {
  const { t } = useText();
  const session = useSession();
  const { data } = useQuery({ ...quoteQuery(spec, count), enabled: spec !== '' && Boolean(session?.money) });
  if (!session?.money || !data?.charged) return null;
  const values = { freeze: data.freeze, currency: data.currency, after: data.free_after, price: data.price, missing: data.missing, ask: data.ask.join(', ') };
  if (Number(data.missing) > 0)
    return (
      <Alert theme="warning" title={t('quote.missing', values)}>
        {t('quote.ask', values)}
      </Alert>
    );
  return <p className="sg-secondary sg-small sg-figures">{t('quote.enough', values)}</p>;
}
