import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useParams } from 'react-router';
import { upload, type Schemas } from '../../shared/api/client';
import { evaluationQuery, evaluationsQuery, picture, serviceQuery } from '../../shared/api/queries';
import { count } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { RequestValue } from '../../shared/scenario/contract';
import { useScenarioParts } from '../../shared/scenario/registry';
import { Alert, Card, Empty, LinkButton, Plain, Primary, say } from '../../shared/ui/kit';
import { keep, kept } from '../../shared/ui/keep';
import { Loaded, useErrorText } from '../../shared/ui/Loaded';
import { Page } from '../../shared/ui/Page';
import { ServiceActions, TimeLeft } from '../../shared/ui/ServiceBits';
import { StatusTag } from '../../shared/ui/Status';
import { Result, type Item } from './Result';

type Service = Schemas['ServiceOut'];

export default function ServiceTestPage() {
  const { service = '' } = useParams();
  const query = useQuery(serviceQuery(service));
  return (
    <Loaded query={query} rows={8}>
      {(data) => <Test key={data.id} service={data} />}
    </Loaded>
  );
}

/** The evaluation of the model with the most traffic: it knows the trained keys and has pictures to try. */
function useEvaluation(service: Service) {
  const main = service.versions.reduce<Service['versions'][number] | undefined>((best, item) => (best === undefined || item.weight > best.weight ? item : best), undefined);
  const list = useQuery({ ...evaluationsQuery(main?.task ?? '', main?.task_version ?? 1), enabled: main !== undefined });
  const id = list.data?.items.find((item) => item.evaluation !== null)?.evaluation ?? null;
  const { data } = useQuery({ ...evaluationQuery(id ?? ''), enabled: id !== null });
  return data;
}

function Test({ service }: { service: Service }) {
  const { t } = useText();
  const errorText = useErrorText();
  const parts = useScenarioParts(service.scenario);
  const evaluation = useEvaluation(service);
  const [items, setItems] = useState<Item[]>([]);
  const [present, setPresent] = useState(0);
  const [request, setRequest] = useRequest(service.name);
  const [over, setOver] = useState(false);
  const tried = useRef(0);
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
  const addExample = async (id: string, total: number) => {
    const position = tried.current % total;
    tried.current += 1;
    try {
      const answer = await fetch(picture.test(id, position));
      if (!answer.ok) throw new Error(String(answer.status));
      const data = await answer.blob();
      latest.current([new File([data], `test-${position + 1}.${data.type.split('/')[1] ?? 'jpg'}`, { type: data.type })]);
    } catch (error) {
      say.failed(errorText(error).title);
    }
  };

  const change = (file: File, part: Partial<Item>) => setItems((before) => before.map((item) => (item.file === file ? { ...item, ...part } : item)));
  const run = async () => {
    for (const item of items) {
      change(item.file, { busy: true, error: null });
      const body = new FormData();
      body.append('files', item.file);
      body.append('keys', request.keys);
      if (request.keys === 'custom') for (const key of request.custom_keys) body.append('custom_keys', key);
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
  const failed = items.filter((item) => item.error !== null || item.answer?.error).length;
  const why =
    service.status !== 'running'
      ? t('service.testWaits')
      : items.length === 0
        ? t('test.noPicture')
        : request.keys === 'custom' && request.custom_keys.length === 0
          ? t('test.noKeys')
          : null;
  return (
    <Page
      title={service.name}
      tab={`${service.name} · ${t('test.title')}`}
      crumbs={[{ text: t('shell.pages.services'), to: '/services' }, { text: service.name, to: path }, { text: t('test.title') }]}
      tag={
        <>
          <StatusTag about="service" code={service.status} />
          <span className="sg-secondary">
            {t('service.left')} <TimeLeft service={service} />
          </span>
        </>
      }
      actions={
        <>
          <LinkButton to={path}>{t('test.view')}</LinkButton>
          <ServiceActions service={service} />
        </>
      }
    >
      <div className="sg-stack">
        {service.status !== 'running' && (
          <Alert theme="warning" title={t('service.testWaits')}>
            {service.error?.message}
          </Alert>
        )}
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
              <div className="sg-row" style={{ justifyContent: 'center' }}>
                <Plain onClick={() => picker.current?.click()}>{t('test.choose')}</Plain>
                {evaluation && evaluation.sample_count > 0 && <Plain onClick={() => void addExample(evaluation.id, evaluation.sample_count)}>{t('test.example')}</Plain>}
              </div>
            </div>
            <div className="sg-spread" style={{ alignItems: 'flex-end' }}>
              <div className="sg-grow">
                {parts.RequestOptions && (
                  <parts.RequestOptions service={service.name} trained={evaluation?.results.labels.map((item) => item.label) ?? []} value={request} onChange={setRequest} />
                )}
              </div>
              <Primary loading={busy} why={why} onClick={() => void run()}>
                {t('test.run')}
              </Primary>
            </div>
          </div>
        </Card>
        {items.length > 1 && (
          <div className="sg-stack-s">
            <div className="sg-row">
              {items.map((item, index) => (
                <button key={item.url} type="button" className="sg-thumb" style={{ width: 132 }} aria-pressed={item === chosen} onClick={() => setPresent(index)}>
                  <img src={item.url} alt="" style={{ height: 80 }} />
                  <span className="sg-ellipsis" title={item.file.name}>
                    {item.busy ? '… ' : item.error || item.answer?.error ? '✗ ' : item.answer ? '✓ ' : ''}
                    {item.file.name}
                  </span>
                </button>
              ))}
            </div>
            <p className="sg-secondary sg-small" role="status">
              {t('test.counts', { all: count(items.length), failed: count(failed) })}
            </p>
          </div>
        )}
        {chosen ? (
          <Result key={chosen.url} item={chosen} service={service} request={request} />
        ) : (
          <Card>
            <Empty title={t('test.empty')} text={t('test.emptyText')} />
          </Card>
        )}
      </div>
    </Page>
  );
}

/** Key mode and typed keys, remembered per service. */
function useRequest(service: string): [RequestValue, (value: RequestValue) => void] {
  const [value, setValue] = useState<RequestValue>(() => ({ keys: 'labelled', custom_keys: [], ...kept<Partial<RequestValue>>(`keys.${service}`, {}) }));
  return [
    value,
    (next) => {
      keep(`keys.${service}`, next);
      setValue(next);
    },
  ];
}
