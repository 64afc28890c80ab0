/** Annotating whole pictures: a digit labels and goes on; with several labels, digits toggle and Enter goes on. */
import { LabelKeys } from '../../shared/annotation/LabelKeys';
import { setState } from '../../shared/annotation/commands';
import type { Command } from '../../shared/annotation/commands';
import { useWorkspace } from '../../shared/annotation/workspace';
import { percent } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import type { AnnotationContext, AnnotationParts, AnnotationProps } from '../../shared/scenario/annotation';
import { NEUTRAL } from '../../shared/theme/palette';
import { Check, Plain } from '../../shared/ui/kit';
import { useAddress } from '../../shared/ui/useAddress';

const SEVERAL = 'sandglass.annotation.several.';

const several = (dataset: string) => localStorage.getItem(SEVERAL + dataset) === '1';

/** One label in place of all others; the picture is labelled. */
export const setLabel = (label: string): Command => (doc) => setState('labelled')({ ...doc, labels: [label] });
/** One label more or less; a label that was only suggested is confirmed by it. */
export const toggleLabel = (label: string): Command => (doc) => {
  const suggested = { ...doc.suggested };
  const only = label in suggested && doc.labels.includes(label);
  delete suggested[label];
  return { ...doc, suggested, labels: only ? doc.labels : doc.labels.includes(label) ? doc.labels.filter((name) => name !== label) : [...doc.labels, label] };
};

function choose(context: AnnotationContext, label: string): void {
  const { workspace } = context;
  if (several(context.dataset)) workspace.run('label', toggleLabel(label));
  else {
    workspace.run('label', setLabel(label));
    context.done();
  }
}

function ClassesPanel({ context }: AnnotationProps) {
  const { t, language } = useText();
  const { workspace } = context;
  const [mode, setMode] = useAddress('several', several(context.dataset) ? '1' : '0');
  const labels = useWorkspace(workspace, (space) => space.doc.labels);
  const suggested = useWorkspace(workspace, (space) => space.doc.suggested);
  const toggle = () => {
    localStorage.setItem(SEVERAL + context.dataset, mode === '1' ? '0' : '1');
    setMode(mode === '1' ? '0' : '1');
  };
  return (
    <>
      <LabelKeys
        context={context}
        title={t('annotation.labels')}
        add={t('annotation.addLabel')}
        pressed={(name) => labels.includes(name)}
        choose={(name) => choose(context, name)}
        note={(name) => (suggested[name] ? percent(suggested[name].score, language) : '')}
      />
      <div className="sg-annotation-filter sg-stack-s">
        <Check label={t('annotation.several')} checked={mode === '1'} onChange={toggle} />
        <p className="sg-secondary sg-small">{t(mode === '1' ? 'annotation.severalHelp' : 'annotation.oneHelp')}</p>
        {labels.some((label) => label in suggested) && (
          <Plain size="small" onClick={context.done}>
            {t('annotation.acceptLabel', { name: labels.join(', ') })}
          </Plain>
        )}
      </div>
    </>
  );
}

const parts: AnnotationParts = {
  tools: ['pan'],
  Panel: ClassesPanel,
  turns: false,
  grid: true,
  hotkeys: [{ id: 'next', keys: ['Enter'], run: (context) => context.done() }],
  assign: choose,
  outline: (item) => ({ id: item.id, points: item.points, look: NEUTRAL }),
  describe: () => '',
};
export default parts;
