import { api, unwrap } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import { useWhyNot } from '../../shared/session/session';
import { Alert } from '../../shared/ui/kit';
import { TokenCard } from '../../shared/ui/Tokens';

/** Keys that open this service's prediction and nothing else. */
export function AccessTab({ service }: { service: string }) {
  const { t } = useText();
  const why = useWhyNot()('developer');
  if (why) return <Alert theme="info" title={why} />;
  const path = { service };
  return (
    <TokenCard
      title={t('tokens.keys')}
      text={t('tokens.keysText')}
      queryKey={['keys', service]}
      list={() => unwrap(api.GET('/v1/services/{service}/keys', { params: { path } }))}
      create={(name, days) => unwrap(api.POST('/v1/services/{service}/keys', { params: { path }, body: { name, days } }))}
      revoke={(key) => unwrap(api.DELETE('/v1/services/{service}/keys/{key}', { params: { path: { service, key } } }))}
    />
  );
}
