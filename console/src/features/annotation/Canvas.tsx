import { useEffect, useLayoutEffect, useRef, type ReactNode } from 'react';
import { picture } from '../../shared/api/queries';
import { placeItems } from '../../shared/annotation/commands';
import { Stage, type StageHost } from '../../shared/canvas/stage';
import { useText } from '../../shared/i18n';
import type { AnnotationContext, AnnotationParts } from '../../shared/scenario/annotation';
import { useWorkspace } from '../../shared/annotation/workspace';

type Props = { context: AnnotationContext; parts: AnnotationParts; onStage: (stage: Stage | null) => void; children?: ReactNode };

/** The picture with its boxes. React makes the frame; all that moves is drawn by the stage. */
export function Canvas({ context, parts, onStage, children }: Props) {
  const { t } = useText();
  const { workspace, sample, dataset, labels } = context;
  const frame = useRef<HTMLDivElement>(null);
  const latest = useRef({ context, parts });
  useLayoutEffect(() => {
    latest.current = { context, parts };
  });
  useEffect(() => {
    const host = hostOf(latest);
    const stage = new Stage(frame.current!, host, { width: sample.width, height: sample.height });
    stage.open(picture.sample(dataset, sample.id), { width: sample.width, height: sample.height });
    (window as { sandglassStage?: Stage }).sandglassStage = stage;
    onStage(stage);
    return () => {
      onStage(null);
      stage.dispose();
    };
  }, [dataset, onStage, sample.id, sample.width, sample.height]);
  const { stage } = context;
  // Boxes reach the stage without any rendering by React.
  useEffect(() => {
    if (!stage) return;
    let shown: unknown[] = [];
    const known = new Map<object, ReturnType<AnnotationParts['outline']>>();
    const show = () => {
      const { doc } = workspace;
      const state = [doc.items, doc.suggested, labels, workspace.shown];
      stage.redraw(4);
      if (state.every((part, place) => part === shown[place])) return;
      if (labels !== shown[2] || doc.suggested !== shown[1]) known.clear();
      shown = state;
      const all = Object.values(doc.items).map((item) => {
        let outline = known.get(item);
        if (!outline) known.set(item, (outline = parts.outline(item, doc, labels)));
        return workspace.shown && !workspace.shown.has(item.id) ? { ...outline, faint: true } : outline;
      });
      stage.set(all);
    };
    show();
    return workspace.subscribe(show);
  }, [stage, workspace, labels, parts]);
  const boxes = useWorkspace(workspace, (space) => Object.keys(space.doc.items).length);
  return (
    <div className="sg-annotation-stage">
      <div
        ref={frame}
        className="sg-stage"
        role="application"
        tabIndex={0}
        aria-label={t('annotation.canvas', { name: sample.path })}
        aria-describedby="sg-stage-help"
        aria-roledescription={t('annotation.picture')}
      />
      <p id="sg-stage-help" className="sg-sr">
        {t('annotation.canvasHelp', { count: boxes })}
      </p>
      {children}
    </div>
  );
}

function hostOf(latest: { current: { context: AnnotationContext; parts: AnnotationParts } }): StageHost {
  const space = () => latest.current.context.workspace;
  return {
    tool: () => space().tool,
    readOnly: () => space().readOnly,
    selection: () => space().selection,
    form: (id) => {
      const item = space().doc.items[id];
      return item ? { rect: item.rect, turns: latest.current.parts.turns } : null;
    },
    select: (ids) => space().select(ids),
    place: (places) => {
      const { context } = latest.current;
      const { doc } = context.workspace;
      const straight = Object.fromEntries(Object.entries(places).map(([id, points]) => [id, { rect: axisParallel(points), was: doc.items[id]?.rect ?? true }]));
      context.workspace.run('move', (before) => {
        const moved = placeItems(places, context.sample)(before);
        const items = { ...moved.items };
        // A rectangle that was turned is one no longer.
        for (const [id, { rect, was }] of Object.entries(straight)) if (was && !rect && items[id]) items[id] = { ...items[id], rect: false };
        return { ...moved, items };
      });
    },
    create: (points, rect) => latest.current.parts.draw?.(latest.current.context, points, rect),
    pick: (id) => latest.current.parts.pick?.(latest.current.context, id),
    open: (id) => latest.current.parts.open?.(latest.current.context, id),
    links: () => {
      const { doc, selection, tool } = space();
      const wanted = new Set(selection);
      const pairs: [string, string][] = [];
      for (const item of Object.values(doc.items))
        for (const key of item.keys) if (tool === 'link' || wanted.has(item.id) || wanted.has(key)) pairs.push([item.id, key]);
      // More lines than anybody can follow would only hide the page: then those of the selection are shown.
      return pairs.length > MOST_LINKS ? pairs.filter(([from, to]) => wanted.has(from) || wanted.has(to)) : pairs;
    },
    targets: () => {
      const { doc, selection, tool } = space();
      if (tool !== 'link') return NONE;
      return new Set(Object.values(doc.items).filter((item) => item.role === 'key' && !selection.includes(item.id)).map((item) => item.id));
    },
  };
}

const NONE: ReadonlySet<string> = new Set();
const MOST_LINKS = 150;

function axisParallel(points: readonly (readonly [number, number])[]): boolean {
  const [a, b, c, d] = points as [readonly [number, number], readonly [number, number], readonly [number, number], readonly [number, number]];
  const near = (one: number, other: number) => Math.abs(one - other) < 0.01;
  return points.length === 4 && near(a[1], b[1]) && near(b[0], c[0]) && near(c[1], d[1]) && near(d[0], a[0]);
}
