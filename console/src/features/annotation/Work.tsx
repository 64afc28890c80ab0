import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { api, unwrap, type Schemas } from '../../shared/api/client';
import { picture } from '../../shared/api/queries';
import { copies, setState } from '../../shared/annotation/commands';
import { contents, emptyDoc, fromSample, readingOrder, suggestions, type Doc, type Item } from '../../shared/annotation/document';
import { boxId } from '../../shared/annotation/ids';
import { addSuggestions, setReading } from '../../shared/annotation/text';
import { useWorkspace, Workspace, type History } from '../../shared/annotation/workspace';
import { bounds } from '../../shared/canvas/shapes';
import type { Stage } from '../../shared/canvas/stage';
import { useText } from '../../shared/i18n';
import type { AnnotationContext, AnnotationParts } from '../../shared/scenario/annotation';
import { useScenarioParts } from '../../shared/scenario/registry';
import { say, Skeleton } from '../../shared/ui/kit';
import { useErrorText } from '../../shared/ui/Loaded';
import { Canvas } from './Canvas';
import { Conflicts } from './Conflicts';
import { FindLabel } from './FindLabel';
import { hotkeys, matches, paste, type PageActions } from './hotkeys';
import { KeysDialog } from './KeysDialog';
import { annotationQuery, filterOf, neighboursQuery } from './queries';
import { Strip } from './Strip';
import { manager } from './sync/manager';
import type { SampleSync } from './sync/sampleSync';
import { ToolBar } from './ToolBar';
import { TopBar } from './TopBar';
import { Trouble } from './Trouble';
import { useLabels } from './useLabels';

type Sample = Schemas['SampleView'];
type Props = { dataset: string; scenario: string; kind: Doc['kind']; sample: Sample };

/** Loads what a workspace needs beside its sample: the scenario's parts, and what this machine has kept. */
export function Work(props: Props) {
  const parts = useScenarioParts(props.scenario);
  const [ready, setReady] = useState<{ history: History; parts: AnnotationParts } | null>(null);
  const { sample } = props;
  const load = parts.annotation;
  useEffect(() => {
    let gone = false;
    void Promise.all([manager.start().then(() => manager.history(sample.id)), load?.()]).then(([history, loaded]) => {
      if (!gone && loaded) setReady({ history: history ?? { undo: [], redo: [] }, parts: loaded.default });
    });
    return () => {
      gone = true;
    };
  }, [sample.id, load]);
  return ready ? <Open {...props} {...ready} /> : <Skeleton />;
}

function Open({ dataset, kind, sample, history, parts }: Props & { history: History; parts: AnnotationParts }) {
  const { t } = useText();
  const told = useErrorText();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [params] = useSearchParams();
  const filter = useMemo(() => filterOf(params), [params]);
  const labels = useLabels(dataset, kind === 'document');
  const [stage, setStage] = useState<Stage | null>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const [dialog, setDialog] = useState<'keys' | 'find' | null>(null);
  const [message, setMessage] = useState('');

  const [{ workspace, sync }] = useState(() => {
    const sync: SampleSync = manager.of(dataset, kind, sample);
    const workspace: Workspace = new Workspace(sample.id, sample, sync.local, history, {
      onEdit: (patch) => {
        const named = [
          ...Object.values(patch.items ?? {}).flatMap((item) => item?.label ?? []),
          ...Object.keys(patch.values ?? {}), ...(patch.labels ?? []), ...(patch.absent ?? []),
        ];
        sync.edit(patch, [...new Set(named)]);
      },
      onHistory: (next) => manager.putHistory(sample.id, next),
    });
    if (parts.tools.length === 1) workspace.tool = parts.tools[0]!;
    return { workspace, sync };
  });
  // Somebody else's work, once it is merged, shows at once; a server that refuses makes the page read-only.
  useEffect(
    () =>
      manager.subscribe(() => {
        if (sync.differs(workspace.doc)) workspace.replace(sync.local);
        const refused = sync.status === 'refused' || sync.status === 'full';
        if (workspace.readOnly !== refused) workspace.set({ readOnly: refused });
      }),
    [sync, workspace],
  );

  const neighbours = useQuery(neighboursQuery(dataset, sample.id, filter));
  const there = neighbours.data;
  const beside = useCallback(() => queries.fetchQuery(neighboursQuery(dataset, sample.id, filter)), [dataset, filter, queries, sample.id]);
  const go = useCallback(
    async (which: 'before' | 'after') => {
      const list = await beside().catch(() => null);
      const target = which === 'after' ? list?.after[0] : list?.before.at(-1);
      if (target) void navigate(`/datasets/${encodeURIComponent(dataset)}/annotate/${target.id}?${params}`);
      else setMessage(t(which === 'after' ? 'annotation.last' : 'annotation.first'));
    },
    [beside, dataset, navigate, params, t],
  );
  const next = useCallback(() => void go('after'), [go]);
  const previous = useCallback(() => void go('before'), [go]);
  // The next picture and what is said about it come before they are asked for.
  const following = there?.after[0]?.id;
  useEffect(() => {
    if (!following) return;
    void queries.prefetchQuery(annotationQuery(dataset, following));
    new Image().src = picture.sample(dataset, following);
  }, [dataset, following, queries]);
  // What this page has edited must not come back from memory as it was before.
  useEffect(() => {
    const key = annotationQuery(dataset, sample.id).queryKey;
    return () => {
      queries.removeQueries({ queryKey: key });
      void queries.invalidateQueries({ queryKey: ['dataset', dataset, 'neighbours'] });
    };
  }, [dataset, queries, sample.id]);

  const read = useCallback(
    (ids: readonly string[], again = false) => {
      const wanted = ids.filter((id) => workspace.doc.items[id] && (again || workspace.doc.items[id]!.text === ''));
      if (wanted.length === 0 || workspace.readOnly) return;
      const before = new Map(wanted.map((id) => [id, workspace.doc.items[id]!.text]));
      workspace.set({ reading: new Set([...workspace.reading, ...wanted]) });
      const polygons = wanted.map((id) => workspace.doc.items[id]!.points as unknown as [number, number][]);
      unwrap(api.POST('/v1/datasets/{dataset}/samples/{sample}/read', { params: { path: { dataset, sample: sample.id } }, body: { polygons: polygons as never } }))
        .then(({ items }) =>
          items.forEach((item, place) => {
            const id = wanted[place]!;
            // What a person has typed meanwhile stays.
            if (workspace.doc.items[id]?.text !== before.get(id) || workspace.typing === id) return;
            if (!item.text) return;
            const reading = { score: item.score, ...(item.characters?.length ? { characters: item.characters } : {}) };
            const command = setReading(id, item.text, reading);
            if (again) workspace.run('read', command);
            else workspace.amend(command);
          }),
        )
        .catch((error: unknown) => setMessage(told(error).title))
        .finally(() => workspace.set({ reading: new Set([...workspace.reading].filter((id) => !wanted.includes(id))) }));
    },
    [dataset, sample.id, told, workspace],
  );

  const done = useCallback(() => {
    workspace.run('done', setState('labelled'));
    next();
  }, [next, workspace]);

  const context = useMemo(
    (): AnnotationContext => ({
      dataset, sample, workspace, stage, labels, current, setCurrent, tell: setMessage, read, done, findLabel: () => setDialog('find'),
    }),
    [dataset, sample, workspace, stage, labels, current, read, done],
  );

  const [asking, setAsking] = useState(false);
  const prelabel = useCallback(() => {
    if (workspace.readOnly || asking) return;
    setAsking(true);
    setMessage(t('annotation.suggesting'));
    unwrap(api.POST('/v1/datasets/{dataset}/samples/{sample}/suggest', { params: { path: { dataset, sample: sample.id } }, body: { task: params.get('model') } }))
      .then((answer) => {
        const page: Doc = { ...emptyDoc(kind), ...contents(answer.annotation as unknown as Schemas['SampleView']['annotation']), suggested: suggestions(answer.suggested) };
        const before = Object.keys(workspace.doc.items).length;
        workspace.run('prelabel', addSuggestions(page, covered(workspace.doc), boxId));
        setMessage(t('annotation.suggested', { count: Object.keys(workspace.doc.items).length - before }));
      })
      .catch((error: unknown) => {
        const text = told(error);
        setMessage('');
        say.failed(`${text.title} ${text.action}`);
      })
      .finally(() => setAsking(false));
  }, [asking, dataset, kind, params, sample.id, t, told, workspace]);

  const page = useMemo((): PageActions => {
    const other = async (id: string | undefined) => (id ? fromSample(kind, await queries.fetchQuery(annotationQuery(dataset, id))) : null);
    const notice = (key: ReturnType<Workspace['undo']>) => key && setMessage(t(`annotation.notices.${key}`));
    return {
      previous,
      next,
      undo: () => notice(workspace.undo()),
      redo: () => notice(workspace.redo()),
      help: () => setDialog('keys'),
      prelabel,
      copyPrevious: () =>
        void beside()
          .then((list) => other(list.before.at(-1)?.id))
          .then((doc) => doc && paste(context, Object.values(doc.items), 'copyPrevious')),
      copyNext: () => {
        const items = workspace.selection.map((id) => workspace.doc.items[id]!);
        if (items.length === 0) return;
        void beside().then(async (list) => {
          const target = list.after[0]?.id;
          if (!target) return setMessage(t('annotation.last'));
          const found = await queries.fetchQuery(annotationQuery(dataset, target));
          const placed = Object.fromEntries(copies(items, boxId).map((item) => [item.id, item]));
          manager.of(dataset, kind, found).edit({ items: placed });
          next();
        });
      },
    };
  }, [beside, context, dataset, kind, next, prelabel, previous, queries, t, workspace]);

  const keys = useMemo(() => hotkeys(parts, page), [parts, page]);
  const latest = useRef({ keys, context });
  useEffect(() => {
    latest.current = { keys, context };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // While an input method composes, keys are its own.
      if (event.isComposing || event.key === 'Process' || event.defaultPrevented) return;
      if (document.querySelector('dialog[open]')) return;
      const { keys, context } = latest.current;
      const target = event.target instanceof HTMLElement ? event.target : null;
      const typing = target?.closest('input:not([type=checkbox]), textarea, select, [contenteditable]');
      if (event.key === 'Escape') return escape(context, typing instanceof HTMLElement ? typing : null);
      if (typing && !(event.key === 'Enter' && (event.ctrlKey || event.metaKey))) return;
      // Tab walks through boxes only on the picture; elsewhere it walks through the page as everywhere.
      if (event.key === 'Tab' && !context.stage?.element.contains(target)) return;
      if (['Enter', 'Backspace'].includes(event.key) && target?.closest('button, a') && !event.ctrlKey) return;
      const hit = keys.find((hotkey) => hotkey.keys.some((name) => matches(event, name)));
      if (!hit) return;
      event.preventDefault();
      if (typing instanceof HTMLElement) typing.blur();
      hit.run(context);
    };
    const onHide = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'h' || event.isComposing) return;
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select');
      const hidden = event.type === 'keydown' && !typing && !event.ctrlKey;
      latest.current.context.stage?.setHidden(hidden);
    };
    window.addEventListener('keydown', onKey);
    window.addEventListener('keydown', onHide);
    window.addEventListener('keyup', onHide);
    return () => {
      window.removeEventListener('keydown', onKey);
      window.removeEventListener('keydown', onHide);
      window.removeEventListener('keyup', onHide);
    };
  }, []);

  useAnnounce(workspace, parts, setMessage);
  const { Panel, Overlay } = parts;
  return (
    <div className="sg-annotation" data-sample={sample.id}>
      <TopBar context={context} page={page} neighbours={there} busy={asking} grid={parts.grid ?? false} />
      <Trouble sync={sync} dataset={dataset} sample={sample.id} />
      <div className="sg-annotation-body">
        <ToolBar context={context} parts={parts} page={page} />
        <div className="sg-annotation-middle">
          <Canvas context={context} parts={parts} onStage={setStage}>
            {Overlay && <Overlay context={context} />}
          </Canvas>
          <Strip dataset={dataset} sample={sample.id} neighbours={there} />
        </div>
        <aside className="sg-annotation-panel" aria-label={t('annotation.panel')}>
          <Panel context={context} />
        </aside>
      </div>
      <div className="sg-annotation-message" role="status" aria-live="polite">
        {message}
      </div>
      <Conflicts sync={sync} context={context} />
      {dialog === 'keys' && <KeysDialog keys={keys} onClose={() => setDialog(null)} />}
      {dialog === 'find' && (
        <FindLabel
          context={context}
          onClose={() => setDialog(null)}
          choose={(name) => {
            setDialog(null);
            parts.assign(context, name);
          }}
        />
      )}
    </div>
  );
}

/** Leaves step by step: what is typed, a draft, the tool, the selection. */
function escape(context: AnnotationContext, typing: HTMLElement | null): void {
  const { workspace, stage } = context;
  if (typing) return typing.blur();
  if (stage?.cancel()) return;
  if (workspace.tool !== 'select' && workspace.tool !== 'pan') return workspace.set({ tool: 'select' });
  workspace.select([]);
}

/** Says by voice which box is selected: "box 12 of 40, total, 12.50". */
function useAnnounce(workspace: Workspace, parts: AnnotationParts, tell: (text: string) => void): void {
  const { t } = useText();
  const selection = useWorkspace(workspace, (space) => space.selection);
  useEffect(() => {
    const [id, more] = selection;
    const item = id ? workspace.doc.items[id] : undefined;
    if (!item || !id) return;
    if (more) return tell(t('annotation.selected', { count: selection.length }));
    const order = readingOrder(workspace.doc.items);
    tell(t('annotation.boxOf', { number: order.indexOf(id) + 1, count: order.length, name: parts.describe(item) }));
  }, [selection, workspace, parts, tell, t]);
}

/** Whether a box lies mostly on one that is there already. */
function covered(doc: Doc): (item: Item) => boolean {
  const there = Object.values(doc.items).map((item) => bounds(item.points));
  return (item) => {
    const box = bounds(item.points);
    const area = Math.max(1, (box.x2 - box.x1) * (box.y2 - box.y1));
    return there.some((other) => {
      const width = Math.min(box.x2, other.x2) - Math.max(box.x1, other.x1);
      const height = Math.min(box.y2, other.y2) - Math.max(box.y1, other.y1);
      return width > 0 && height > 0 && (width * height) / Math.min(area, Math.max(1, (other.x2 - other.x1) * (other.y2 - other.y1))) > 0.5;
    });
  };
}

