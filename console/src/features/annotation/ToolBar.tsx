import { useWorkspace, type Tool } from '../../shared/annotation/workspace';
import { useText } from '../../shared/i18n';
import type { AnnotationContext, AnnotationParts } from '../../shared/scenario/annotation';
import type { PageActions } from './hotkeys';

const KEYS: Record<Tool, string> = { select: 'V', rectangle: 'W', polygon: 'Q', link: 'L', pan: '␣' };

export function ToolBar({ context, parts, page }: { context: AnnotationContext; parts: AnnotationParts; page: PageActions }) {
  const { t } = useText();
  const { workspace } = context;
  const tool = useWorkspace(workspace, (space) => space.tool);
  const readOnly = useWorkspace(workspace, (space) => space.readOnly);
  const boxes = parts.tools.includes('select');
  return (
    <div className="sg-annotation-tools" role="toolbar" aria-orientation="vertical" aria-label={t('annotation.toolbar')}>
      {parts.tools.map((name) => (
        <button key={name} type="button" aria-pressed={tool === name} disabled={readOnly && name !== 'select' && name !== 'pan'} onClick={() => workspace.set({ tool: name })}>
          <kbd>{KEYS[name]}</kbd>
          {t(`annotation.tools.${name}`)}
        </button>
      ))}
      <hr />
      {parts.hotkeys.some((key) => key.id === 'readAgain') && (
        <button type="button" disabled={readOnly} onClick={() => context.read(workspace.selection, true)}>
          <kbd>R</kbd>
          {t('annotation.readAgain')}
        </button>
      )}
      <button type="button" disabled={readOnly} onClick={page.prelabel}>
        <kbd>P</kbd>
        {t('annotation.prelabel')}
      </button>
      {boxes && (
        <button type="button" disabled={readOnly} onClick={page.copyPrevious}>
          <kbd>C</kbd>
          {t('annotation.copyPrevious')}
        </button>
      )}
    </div>
  );
}
