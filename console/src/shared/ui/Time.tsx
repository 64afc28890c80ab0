import { ago, moment } from '../format/format';
import { useText } from '../i18n';
import { useNow } from './useNow';

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A moment, with the time zone on hover; recent ones as "3 min ago". */
export function When({ at, relative = false }: { at: string | null | undefined; relative?: boolean }) {
  const { language } = useText();
  const now = useNow(relative, 30_000);
  if (!at) return <>-</>;
  return (
    <time dateTime={at} title={`${moment(at, language)} (${zone()})`} style={{ whiteSpace: 'nowrap' }}>
      {relative ? ago(at, language, now) : moment(at, language)}
    </time>
  );
}
