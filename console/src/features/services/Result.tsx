import { useEffect, useMemo, useState } from 'react';
import type { Schemas } from '../../shared/api/client';
import { PictureView } from '../../shared/canvas/PictureView';
import { latency } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { RequestValue } from '../../shared/scenario/contract';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Card, CopyButton } from '../../shared/ui/kit';
import { ProblemBox } from '../../shared/ui/Loaded';
import { Call } from './Call';
import { SendToDataset } from './SendToDataset';

type Service = Schemas['ServiceOut'];
export type Item = { file: File; url: string; answer: Schemas['PictureAnswer'] | null; error: unknown; busy: boolean };

/** One picture with what the service says of it: drawn, as a table, as JSON, and as a call to copy. */
export function Result({ item, service, request }: { item: Item; service: Service; request: RequestValue }) {
  const { t } = useText();
  const parts = useScenarioParts(service.scenario);
  const [tab, setTab] = useState<'result' | 'json' | 'call'>('result');
  const [selected, setSelected] = useState<string | null>(null);
  const size = useSize(item.url);
  const { answer } = item;
  const shapes = useMemo(() => (answer && !answer.error ? (parts.answerShapes?.(answer) ?? []) : []), [answer, parts]);
  const shown = answer?.width && answer.height ? { width: answer.width, height: answer.height } : size;
  const json = JSON.stringify(answer, null, 2);
  return (
    <div className="sg-two">
      <Card title={<span className="sg-cell-name">{item.file.name}</span>}>
        {shown && <PictureView src={item.url} {...shown} shapes={shapes} selected={selected} onSelect={setSelected} label={item.file.name} tall={560} />}
        {!shown && size === null && <p className="sg-secondary">{t('test.notShown')}</p>}
      </Card>
      <Card>
        <div className="sg-tabs" role="group" aria-label={t('test.title')}>
          {(['result', 'json', 'call'] as const).map((name) => (
            <button key={name} type="button" aria-pressed={tab === name} onClick={() => setTab(name)}>
              {t(`test.tabs.${name}`)}
            </button>
          ))}
        </div>
        {tab === 'call' ? (
          <Call service={service} request={request} />
        ) : item.busy ? (
          <p className="sg-secondary" role="status">
            {t('test.busy')}
          </p>
        ) : item.error ? (
          <ProblemBox error={item.error} />
        ) : !answer ? (
          <p className="sg-secondary">{t('test.notRun')}</p>
        ) : tab === 'json' ? (
          <>
            <CopyButton text={json} />
            <pre style={{ maxHeight: 520, overflow: 'auto' }} tabIndex={0}>
              {json}
            </pre>
          </>
        ) : (
          <div className="sg-stack">
            {parts.ResultPanel ? <parts.ResultPanel answer={answer} selected={selected} onSelect={setSelected} /> : <pre>{json}</pre>}
            {answer.timings && (
              <p className="sg-secondary sg-small">
                {t('test.timings', {
                  total: latency(answer.timings.total),
                  parts: Object.entries(answer.timings.parts ?? {})
                    .map(([name, value]) => `${t([`test.parts.${name}`, 'test.parts.other'], { name })} ${latency(value)}`)
                    .join(t('common.listJoin')),
                })}
              </p>
            )}
            {!answer.error && parts.correction && <SendToDataset answer={answer} file={item.file} scenario={service.scenario} correction={parts.correction} />}
          </div>
        )}
      </Card>
    </div>
  );
}

/** Size of a picture that the browser can show; null when it cannot, undefined until that is known. */
function useSize(url: string): { width: number; height: number } | null | undefined {
  const [size, setSize] = useState<{ width: number; height: number } | null | undefined>(undefined);
  useEffect(() => {
    const image = new Image();
    image.onload = () => setSize({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => setSize(null);
    image.src = url;
  }, [url]);
  return size;
}
