/** Annotating objects: boxes with labels; what a model suggests is dashed until a person accepts it. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { acceptItems, addItems, labelItems, rejectItems, removeItems } from '../../shared/annotation/commands';
import { blank, readingOrder } from '../../shared/annotation/document';
import { boxId } from '../../shared/annotation/ids';
import { LabelKeys } from '../../shared/annotation/LabelKeys';
import { useWorkspace } from '../../shared/annotation/workspace';
import { bounds } from '../../shared/canvas/shapes';
import { count, score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { AnnotationParts, AnnotationProps } from '../../shared/scenario/annotation';
import { Plain, Select } from '../../shared/ui/kit';

const ROW = 44;

function ObjectsPanel({ context }: AnnotationProps) {
  const { t } = useText();
  const { workspace, labels } = context;
  const doc = useWorkspace(workspace, (space) => space.doc);
  const counts = new Map<string, number>();
  for (const item of Object.values(doc.items)) if (item.label) counts.set(item.label, (counts.get(item.label) ?? 0) + 1);
  const suggested = Object.keys(doc.suggested).length;
  return (
    <>
      <LabelKeys context={context} title={t('annotation.labels')} add={t('annotation.addLabel')} note={(name) => count(counts.get(name) ?? 0)} />
      <div className="sg-spread sg-annotation-filter">
        <h2>{t('annotation.boxes', { count: Object.keys(doc.items).length })}</h2>
        {suggested > 0 && (
          <span className="sg-row">
            <Plain size="small" onClick={() => workspace.run('accept', acceptItems(Object.keys(doc.suggested)))}>
              {t('annotation.acceptAll', { count: suggested })}
            </Plain>
            <Plain size="small" onClick={() => workspace.run('reject', rejectItems(Object.keys(doc.suggested)))}>
              {t('annotation.rejectAll')}
            </Plain>
          </span>
        )}
      </div>
      {labels.items.length === 0 && <p className="sg-annotation-empty sg-secondary">{t('annotation.noLabels')}</p>}
      <ObjectList context={context} />
    </>
  );
}

function ObjectList({ context }: AnnotationProps) {
  const { t } = useText();
  const { workspace, labels } = context;
  const doc = useWorkspace(workspace, (space) => space.doc);
  const selection = useWorkspace(workspace, (space) => space.selection);
  const list = useRef<HTMLDivElement>(null);
  const ids = readingOrder(doc.items);
  const rows = useVirtualizer({ count: ids.length, getScrollElement: () => list.current, estimateSize: () => ROW, getItemKey: (index) => ids[index]!, overscan: 6 });
  if (ids.length === 0) return <p className="sg-annotation-empty sg-secondary">{doc.state === 'labelled' ? t('annotation.nothingHere') : t('annotation.noObjects')}</p>;
  return (
    <div ref={list} className="sg-annotation-list" role="list" aria-label={t('annotation.boxList')} tabIndex={0}>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((row) => {
          const item = doc.items[ids[row.index]!]!;
          const box = bounds(item.points);
          const told = doc.suggested[item.id];
          return (
            <div key={row.key} role="listitem" aria-setsize={ids.length} aria-posinset={row.index + 1} className="sg-annotation-row sg-annotation-object" data-on={selection.includes(item.id) || undefined} style={{ transform: `translateY(${row.start}px)`, height: ROW }}>
              <button
                type="button"
                className="sg-swatch"
                style={{ background: labels.look(item.label).colour }}
                aria-label={t('annotation.selectBox', { name: `${item.label} ${row.index + 1}` })}
                aria-pressed={selection.includes(item.id)}
                onClick={() => {
                  workspace.select([item.id]);
                  context.stage?.reveal([item.id]);
                }}
              />
              <Select aria-label={t('annotation.label')} value={item.label ?? ''} disabled={workspace.readOnly} onChange={(event) => workspace.run('label', labelItems([item.id], event.target.value))}>
                {[...new Set([...labels.items.map((label) => label.name), item.label ?? ''])].map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </Select>
              <span className="sg-figures sg-secondary sg-grow">
                {`${Math.round(box.x2 - box.x1)}×${Math.round(box.y2 - box.y1)}`}
                {told && ` · ${score(told.score)}`}
              </span>
              {told && (
                <Plain size="small" onClick={() => workspace.run('accept', acceptItems([item.id]))}>
                  {t('annotation.accept')}
                </Plain>
              )}
              <Plain size="small" disabled={workspace.readOnly} onClick={() => workspace.run('delete', removeItems([item.id]))} aria-label={`${t('annotation.delete')} ${item.label} ${row.index + 1}`}>
                ×
              </Plain>
            </div>
          );
        })}
      </div>
    </div>
  );
}

const parts: AnnotationParts = {
  tools: ['select', 'rectangle', 'pan'],
  Panel: ObjectsPanel,
  turns: false,
  hotkeys: [],
  draw: (context, points) => {
    const label = context.current ?? context.labels.items[0]?.name ?? null;
    if (!label) return context.findLabel();
    const item = blank(boxId(), points, { rect: true, label });
    context.workspace.run('draw', addItems([item]), [item.id]);
  },
  assign: (context, label) => {
    context.setCurrent(label);
    context.workspace.run('label', labelItems(context.workspace.selection, label));
  },
  outline: (item, doc, labels) => ({
    id: item.id,
    points: item.points,
    look: labels.look(item.label),
    name: item.id in doc.suggested ? `${item.label} ${score(doc.suggested[item.id]!.score)}` : (item.label ?? undefined),
    suggested: item.id in doc.suggested,
  }),
  describe: (item) => item.label ?? '',
};
export default parts;
