import type { Schemas } from '../../shared/api/client';
import { useText } from '../../shared/i18n';
import type { RequestValue } from '../../shared/scenario/contract';
import { CopyButton } from '../../shared/ui/kit';

const KEY = 'YOUR_KEY';
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Calls to copy, with the real address and a key to put in. */
export function Call({ service, request }: { service: Schemas['ServiceOut']; request: RequestValue }) {
  const { t } = useText();
  const address = `${window.location.origin}/v1/services/${encodeURIComponent(service.name)}/predict`;
  const custom = request.keys === 'custom' ? request.custom_keys : [];
  const curl = [
    'curl -F files=@picture.jpg',
    `  -F keys=${request.keys}`,
    ...custom.map((key) => `  -F ${quoted(`custom_keys=${key}`)}`),
    `  -H 'Authorization: Bearer ${KEY}'`,
    `  ${address}`,
  ].join(' \\\n');
  const python = [
    'import requests',
    '',
    'with open("picture.jpg", "rb") as picture:',
    '    answer = requests.post(',
    `        "${address}",`,
    '        files={"files": picture},',
    `        data=${JSON.stringify({ keys: request.keys, ...(custom.length > 0 && { custom_keys: custom }) })},`,
    `        headers={"Authorization": "Bearer ${KEY}"},`,
    '    )',
    'answer.raise_for_status()',
    'print(answer.json()["results"][0])',
  ].join('\n');
  return (
    <div className="sg-stack">
      <p className="sg-secondary">{t('test.callKey', { key: KEY })}</p>
      {[curl, python].map((text) => (
        <div key={text}>
          <CopyButton text={text} />
          <pre style={{ overflow: 'auto' }} tabIndex={0}>
            {text}
          </pre>
        </div>
      ))}
    </div>
  );
}
