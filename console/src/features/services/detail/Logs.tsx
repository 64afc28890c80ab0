import { useCallback, useEffect, useRef, useState } from 'react';
import { api, unwrap, type Schemas } from '../../../shared/api/client';
import { timeOfDay } from '../../../shared/format/format';
import { useText } from '../../../shared/i18n';
import { Card, Check, Input, Select } from '../../../shared/ui/kit';
import { ProblemBox } from '../../../shared/ui/Loaded';

type Line = Schemas['InstanceLine'];
type Level = 'info' | 'warning' | 'error';
const MOST = 5000;

/** The log of a service's processes: the server searches all of it; followed while the service runs. */
export function Logs({ service }: { service: Schemas['ServiceOut'] }) {
  const { t } = useText();
  const [typed, setTyped] = useState('');
  const [q, setQ] = useState('');
  const [level, setLevel] = useState<Level | ''>('');
  const [instance, setInstance] = useState('');
  const live = !['stopped', 'create_failed', 'arrears_stopped'].includes(service.status);
  const [follow, setFollow] = useState(live);
  const { lines, error, retry } = useLines(service.name, q, level, instance, live && follow);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed), 300);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, lines]);
  const query = instance ? `?instance=${encodeURIComponent(instance)}` : '';
  return (
    <Card
      title={t('log.title')}
      extra={
        <>
          <Input type="search" aria-label={t('log.search')} placeholder={t('log.search')} value={typed} onChange={(event) => setTyped(event.target.value)} />
          <Select aria-label={t('svc.event.instance')} value={instance} onChange={(event) => setInstance(event.target.value)}>
            <option value="">{t('svc.allInstances')}</option>
            {service.instances.map((item) => (
              <option key={item.id} value={item.id}>
                {item.id.slice(-6)}
              </option>
            ))}
          </Select>
          <Select aria-label={t('log.level')} value={level} onChange={(event) => setLevel(event.target.value as Level | '')}>
            <option value="">{t('log.levels.all')}</option>
            {(['info', 'warning', 'error'] as const).map((item) => (
              <option key={item} value={item}>
                {t(`log.levels.${item}`)}
              </option>
            ))}
          </Select>
          {live && <Check label={t('log.follow')} checked={follow} onChange={() => setFollow(!follow)} />}
          <a className="t-button t-button--theme-default t-button--variant-outline t-button--shape-rectangle t-size-s" href={`/v1/services/${encodeURIComponent(service.name)}/logs/download${query}`} download>
            <span className="t-button__text">{t('log.download')}</span>
          </a>
        </>
      }
    >
      {error !== null && <ProblemBox error={error} retry={retry} />}
      <div
        ref={box}
        className="sg-log"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={t('log.title')}
        onScroll={({ currentTarget: at }) => follow && at.scrollTop + at.clientHeight < at.scrollHeight - 60 && setFollow(false)}
      >
        {lines.map((line) => (
          <div key={line.number} className="sg-log-line" data-level={line.level}>
            <span className="sg-secondary">{line.at ? `${timeOfDay(new Date(line.at).getTime())}.${line.at.slice(20, 23)}` : ''}</span>
            <span className="sg-secondary" title={line.instance}>
              {line.instance.slice(-6)}
            </span>
            <span>{line.message}</span>
          </div>
        ))}
        {lines.length === 0 && error === null && <p className="sg-secondary" style={{ padding: '0 12px' }}>{t('log.none')}</p>}
      </div>
    </Card>
  );
}

/** All lines by pages, the latest kept; while `follow`, what is written later is added. */
function useLines(service: string, q: string, level: Level | '', instance: string, follow: boolean) {
  const [lines, setLines] = useState<Line[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const cursor = useRef<string | undefined>(undefined);
  const read = useCallback(
    async (signal: AbortSignal) => {
      for (;;) {
        const query = { cursor: cursor.current, q, level: level || undefined, instance: instance || undefined, limit: 2000 };
        const page = await unwrap(api.GET('/v1/services/{service}/logs', { params: { path: { service }, query }, signal }));
        if (signal.aborted) return;
        cursor.current = page.next;
        if (page.items.length > 0) setLines((before) => [...before, ...page.items].slice(-MOST));
        if (page.end) return;
      }
    },
    [service, q, level, instance],
  );
  useEffect(() => {
    const control = new AbortController();
    cursor.current = undefined;
    setLines([]);
    setError(null);
    const failed = (problem: unknown) => {
      if (!control.signal.aborted) setError(problem);
    };
    void read(control.signal).catch(failed);
    const timer = follow ? setInterval(() => !document.hidden && cursor.current !== undefined && void read(control.signal).catch(failed), 2000) : undefined;
    return () => {
      clearInterval(timer);
      control.abort();
    };
  }, [read, round, follow]);
  return { lines, error, retry: () => setRound(round + 1) };
}
