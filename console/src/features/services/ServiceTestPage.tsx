import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Link, useParams } from 'react-router';
import { upload, type Schemas } from '../../shared/api/client';
import { serviceQuery } from '../../shared/api/queries';
import { PictureView } from '../../shared/canvas/PictureView';
import { latency } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { RequestValue } from '../../shared/scenario/contract';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Alert, Card, CopyButton, Empty, Plain, Primary } from '../../shared/ui/kit';
import { Loaded, ProblemBox } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { ServiceActions, TimeLeft } from '../../shared/ui/ServiceBits';
import { StatusTag } from '../../shared/ui/Status';

type Service = Schemas['ServiceOut'];
type Answer = Schemas['PictureAnswer'];
type Item = { file: File; url: string; answer: Answer | null; error: unknown; busy: boolean };

export default function ServiceTestPage() {
  const { service = '' } = useParams();
  const query = useQuery(serviceQuery(service));
  return <Loaded query={query}>{(data) => <Test service={data} />}</Loaded>;
}

function Test({ service }: { service: Service }) {
  const { t } = useText();
  const parts = useScenarioParts(service.scenario);
  const [items, setItems] = useState<Item[]>([]);
  const [present, setPresent] = useState(0);
  const [request, setRequest] = useRequest(service.name);
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const path = `/services/${encodeURIComponent(service.name)}`;

  const add = (files: Iterable<File>) => {
    const more = [...files].map((file) => ({ file, url: URL.createObjectURL(file), answer: null, error: null, busy: false }));
    if (more.length === 0) return;
    setPresent(items.length);
    setItems([...items, ...more]);
  };
  const latest = useRef(add);
  useEffect(() => {
    latest.current = add;
  });
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => latest.current([...(event.clipboardData?.files ?? [])]);
    window.addEventListener('paste', onPaste);
    return () => window.removeEventListener('paste', onPaste);
  }, []);

  const change = (file: File, part: Partial<Item>) => setItems((before) => before.map((item) => (item.file === file ? { ...item, ...part } : item)));
  const run = async () => {
    for (const item of items) {
      change(item.file, { busy: true, error: null });
      const body = new FormData();
      body.append('files', item.file);
      body.append('keys', request.keys);
      if (request.keys === 'custom') body.append('custom_keys', request.custom_keys.join(','));
      try {
        const answer = await upload<Schemas['PredictAnswer']>(`/v1/services/${encodeURIComponent(service.name)}/predict`, body);
        change(item.file, { busy: false, answer: answer.results[0] ?? null });
      } catch (error) {
        change(item.file, { busy: false, error, answer: null });
      }
    }
  };
  const chosen = items[Math.min(present, items.length - 1)];
  const busy = items.some((item) => item.busy);
  const noKeys = request.keys === 'custom' && request.custom_keys.length === 0;
  return (
    <Page
      title={t('test.title')}
      crumbs={[{ text: t('shell.pages.services'), to: '/services' }, { text: service.name, to: path }, { text: t('test.title') }]}
      tag={
        <>
          <StatusTag about="service" code={service.status} />
          <TimeLeft service={service} />
        </>
      }
      actions={
        <>
          <Link to={path}>{t('test.view')}</Link>
          <ServiceActions service={service} />
        </>
      }
    >
      <div className="sg-stack">
        {service.status !== 'running' && <Alert theme="warning" title={t('service.testWaits')} />}
        <Card>
          <div className="sg-stack">
            <div
              className="sg-drop"
              data-over={over}
              onDragOver={(event) => {
                event.preventDefault();
                setOver(true);
              }}
              onDragLeave={() => setOver(false)}
              onDrop={(event) => {
                event.preventDefault();
                setOver(false);
                add([...event.dataTransfer.files]);
              }}
            >
              <p style={{ marginBottom: 8 }}>{t('test.drop')}</p>
              <input ref={picker} type="file" accept="image/*" multiple hidden aria-label={t('test.choose')} onChange={(event) => add([...(event.target.files ?? [])])} />
              <Plain onClick={() => picker.current?.click()}>{t('test.choose')}</Plain>
            </div>
            <div className="sg-spread">
              <div className="sg-grow">{parts.RequestOptions && <parts.RequestOptions service={service.name} value={request} onChange={setRequest} />}</div>
              <Primary
                loading={busy}
                disabled={items.length === 0 || service.status !== 'running' || noKeys}
                title={items.length === 0 ? t('test.noPicture') : noKeys ? t('test.noKeys') : undefined}
                onClick={() => void run()}
              >
                {t('test.run')}
              </Primary>
            </div>
          </div>
        </Card>
        {items.length > 1 && (
          <div className="sg-row">
            {items.map((item, index) => (
              <button key={item.url} type="button" className="sg-thumb" style={{ width: 132 }} aria-pressed={item === chosen} onClick={() => setPresent(index)}>
                <img src={item.url} alt="" style={{ height: 80 }} />
                <span className="sg-ellipsis">
                  {item.busy ? '… ' : item.error ? '✗ ' : item.answer ? (item.answer.error ? '✗ ' : '✓ ') : ''}
                  {item.file.name}
                </span>
              </button>
            ))}
          </div>
        )}
        {chosen ? <Result key={chosen.url} item={chosen} service={service} request={request} /> : <Empty title={t('test.empty')} text={t('test.emptyText')} />}
      </div>
    </Page>
  );
}

/** Key mode and typed keys, remembered per service. */
function useRequest(service: string): [RequestValue, (value: RequestValue) => void] {
  const key = `sandglass.keys.${service}`;
  const [value, setValue] = useState<RequestValue>(() => {
    const none: RequestValue = { keys: 'labelled', custom_keys: [] };
    try {
      return { ...none, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<RequestValue>) };
    } catch {
      return none; // written by another version
    }
  });
  return [
    value,
    (next) => {
      localStorage.setItem(key, JSON.stringify(next));
      setValue(next);
    },
  ];
}

function Result({ item, service, request }: { item: Item; service: Service; request: RequestValue }) {
  const { t } = useText();
  const parts = useScenarioParts(service.scenario);
  const [tab, setTab] = useState<'result' | 'json' | 'call'>('result');
  const [selected, setSelected] = useState<string | null>(null);
  const size = useSize(item.url);
  const { answer } = item;
  const shapes = useMemo(() => (answer && !answer.error ? (parts.answerShapes?.(answer) ?? []) : []), [answer, parts]);
  const shown = answer?.width && answer.height ? { width: answer.width, height: answer.height } : size;
  return (
    <div className="sg-two">
      <Card title={<span className="sg-ellipsis">{item.file.name}</span>}>
        {shown && <PictureView src={item.url} {...shown} shapes={shapes} selected={selected} onSelect={setSelected} label={item.file.name} tall={560} />}
        {!shown && size === null && <p className="sg-secondary">{t('test.notShown')}</p>}
      </Card>
      <Card>
        <div className="sg-tabs">
          {(['result', 'json', 'call'] as const).map((name) => (
            <button key={name} type="button" aria-pressed={tab === name} onClick={() => setTab(name)}>
              {t(`test.tabs.${name}`)}
            </button>
          ))}
        </div>
        {tab === 'call' ? (
          <Call service={service} request={request} />
        ) : item.busy ? (
          <p className="sg-secondary">{t('test.busy')}</p>
        ) : item.error ? (
          <ProblemBox error={item.error} />
        ) : !answer ? (
          <p className="sg-secondary">{t('test.notRun')}</p>
        ) : tab === 'json' ? (
          <>
            <CopyButton text={JSON.stringify(answer, null, 2)} />
            <pre style={{ maxHeight: 520, overflow: 'auto' }} tabIndex={0}>
              {JSON.stringify(answer, null, 2)}
            </pre>
          </>
        ) : (
          <div className="sg-stack">
            {parts.ResultPanel ? <parts.ResultPanel answer={answer} selected={selected} onSelect={setSelected} /> : <pre>{JSON.stringify(answer, null, 2)}</pre>}
            {answer.timings && (
              <p className="sg-secondary sg-small">
                {t('test.timings', {
                  total: latency(answer.timings.total),
                  parts: Object.entries(answer.timings.parts ?? {})
                    .map(([name, value]) => `${t([`test.parts.${name}`, 'test.parts.other'], { name })} ${latency(value)}`)
                    .join(', '),
                })}
              </p>
            )}
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

function Call({ service, request }: { service: Service; request: RequestValue }) {
  const address = `${window.location.origin}/v1/services/${encodeURIComponent(service.name)}/predict`;
  const keys: [string, string][] = [['keys', request.keys]];
  if (request.keys === 'custom') keys.push(['custom_keys', request.custom_keys.join(',')]);
  const curl = ['curl -F files=@picture.jpg', ...keys.map(([name, value]) => `  -F ${name}='${value}'`), `  ${address}`].join(' \\\n');
  const python = [
    'import requests',
    '',
    'with open("picture.jpg", "rb") as picture:',
    `    answer = requests.post("${address}", files={"files": picture}, data=${JSON.stringify(Object.fromEntries(keys))})`,
    'answer.raise_for_status()',
    'for field in answer.json()["results"][0]["fields"]:',
    '    print(field["key"], field["value"], field["score"])',
  ].join('\n');
  return (
    <div className="sg-stack">
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
