import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { setPart } from '../../shared/annotation/commands';
import type { Part } from '../../shared/annotation/document';
import { useWorkspace } from '../../shared/annotation/workspace';
import type { Schemas } from '../../shared/api/client';
import { count, percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { AnnotationContext } from '../../shared/scenario/annotation';
import { Plain, Primary, Select } from '../../shared/ui/kit';
import { StatusTag } from '../../shared/ui/Status';
import type { PageActions } from './hotkeys';
import { useOverview } from './sync/manager';

type Props = { context: AnnotationContext; page: PageActions; neighbours: Schemas['Neighbours'] | undefined; busy: boolean; grid: boolean };

export function TopBar({ context, page, neighbours, busy, grid }: Props) {
  const { t, language } = useText();
  const { workspace, dataset, sample, stage } = context;
  const [params] = useSearchParams();
  const state = useWorkspace(workspace, (space) => space.doc.state);
  const part = useWorkspace(workspace, (space) => space.doc.part);
  const undo = useWorkspace(workspace, (space) => space.history.undo.length);
  const redo = useWorkspace(workspace, (space) => space.history.redo.length);
  const suggested = useWorkspace(workspace, (space) => Object.keys(space.doc.suggested).filter((id) => space.doc.kind !== 'classes' || space.doc.labels.includes(id)).length);
  const empty = useWorkspace(workspace, ({ doc }) => Object.keys(doc.items).length === 0 && doc.labels.length === 0 && Object.keys(doc.values).length === 0 && doc.absent.length === 0);
  const readOnly = useWorkspace(workspace, (space) => space.readOnly);
  const filter = new URLSearchParams(params);
  for (const name of ['mode', 'several', 'model']) filter.delete(name);
  const share = neighbours && neighbours.samples > 0 ? neighbours.labelled / neighbours.samples : null;
  const doneText = suggested > 0 ? t('annotation.acceptAndNext', { count: suggested }) : empty && context.workspace.doc.kind === 'objects' ? t('annotation.nothingAndNext') : t('annotation.doneAndNext');
  return (
    <header className="sg-annotation-top">
      <Link to={`/datasets/${encodeURIComponent(dataset)}/samples?${filter}`} className="sg-ellipsis sg-annotation-back">
        ‹ {dataset}
      </Link>
      <h1 className="sg-ellipsis" title={sample.path}>
        {sample.path}
      </h1>
      <span className="sg-secondary sg-figures sg-annotation-place">
        {neighbours && t('annotation.place', { position: count(neighbours.position), total: count(neighbours.total) })}
        {share !== null && ` · ${t('annotation.share', { share: percent(share, language) })}`}
      </span>
      <StatusTag about="sample" code={state} />
      <Saving />
      <span className="sg-grow" />
      {grid && (
        <Link to={`?${new URLSearchParams([...params, ['mode', 'grid']])}`} className="sg-annotation-mode">
          {t('annotation.grid')}
        </Link>
      )}
      <Select aria-label={t('annotation.part')} value={part ?? ''} disabled={readOnly} onChange={(event) => workspace.run('part', setPart((event.target.value || null) as Part | null))}>
        <option value="">{t('annotation.noPart')}</option>
        {(['train', 'validation', 'test'] as const).map((name) => (
          <option key={name} value={name}>
            {t(`annotation.parts.${name}`)}
          </option>
        ))}
      </Select>
      <span className="sg-row sg-annotation-group">
        <Plain size="small" onClick={page.previous} disabled={neighbours?.before.length === 0} title={`${t('annotation.keys.previous')} (A)`}>
          <span aria-hidden="true">‹ <kbd>A</kbd></span>
          <span className="sg-sr">{t('annotation.keys.previous')}</span>
        </Plain>
        <Plain size="small" onClick={page.next} disabled={neighbours?.after.length === 0} title={`${t('annotation.keys.next')} (D)`}>
          <span aria-hidden="true"><kbd>D</kbd> ›</span>
          <span className="sg-sr">{t('annotation.keys.next')}</span>
        </Plain>
      </span>
      <span className="sg-row sg-annotation-group">
        <Plain size="small" onClick={page.undo} disabled={undo === 0 || readOnly} title={`${t('annotation.keys.undo')} (Ctrl+Z)`}>
          <span aria-hidden="true">↶</span>
          <span className="sg-sr">{t('annotation.keys.undo')}</span>
        </Plain>
        <Plain size="small" onClick={page.redo} disabled={redo === 0 || readOnly} title={`${t('annotation.keys.redo')} (Ctrl+Shift+Z)`}>
          <span aria-hidden="true">↷</span>
          <span className="sg-sr">{t('annotation.keys.redo')}</span>
        </Plain>
      </span>
      <span className="sg-row sg-annotation-group">
        <Zoom context={context} />
        <Plain size="small" onClick={() => stage?.fit()} title={`${t('annotation.keys.fit')} (F)`}>
          {t('picture.fit')}
        </Plain>
      </span>
      <Plain size="small" onClick={page.help} title={`${t('annotation.keys.help')} (?)`}>
        <span aria-hidden="true">?</span>
        <span className="sg-sr">{t('annotation.keys.help')}</span>
      </Plain>
      <Primary onClick={context.done} disabled={readOnly || busy} title="Ctrl+Enter">
        {doneText}
      </Primary>
    </header>
  );
}

/** Present scale in percent; a press shows the picture at 100 %. */
function Zoom({ context }: { context: AnnotationContext }) {
  const { t, language } = useText();
  const { stage } = context;
  const [scale, setScale] = useState<number | null>(null);
  useEffect(() => {
    if (!stage) return;
    const show = () => setScale(Math.round(stage.view.scale * 100));
    // The number follows the wheel ten times a second at most: it must not cost frames.
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const later = () => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        show();
      }, 100);
    };
    show();
    const off = stage.onView(later);
    return () => {
      off();
      clearTimeout(waiting);
    };
  }, [stage]);
  return (
    <Plain size="small" onClick={() => stage?.actual()} title={`${t('annotation.keys.actual')} (0)`}>
      <span className="sg-sr">{t('annotation.keys.actual')}</span>
      <span className="sg-figures">{scale === null ? '-' : language === 'en' ? `${scale} %` : `${scale}%`}</span>
    </Plain>
  );
}

/** Whether everything that was edited is with the server. */
export function Saving() {
  const { t } = useText();
  const { status, waiting, lasting } = useOverview();
  const theme = { saved: 'success', waiting: 'default', saving: 'primary', offline: 'warning', conflict: 'warning', refused: 'danger', full: 'danger' }[status];
  return (
    <span className="sg-tag" data-theme={theme} data-saving={status} title={lasting ? undefined : t('annotation.notLasting')}>
      {status === 'waiting' || status === 'offline' ? t(`annotation.saving.${status}`, { count: waiting }) : t(`annotation.saving.${status}`)}
    </span>
  );
}
