import { useState } from 'react';
import { useText } from '../../shared/i18n';
import type { AnnotationContext } from '../../shared/scenario/annotation';
import { Dialog, Input, Plain } from '../../shared/ui/kit';

const MOST = 50;

/** Search among many labels; what is not there is made. */
export function FindLabel({ context, choose, onClose }: { context: AnnotationContext; choose: (name: string) => void; onClose: () => void }) {
  const { t } = useText();
  const [typed, setTyped] = useState('');
  const wanted = typed.trim().toLowerCase();
  const found = context.labels.items.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, MOST);
  const exact = context.labels.items.some(({ name }) => name.toLowerCase() === wanted);
  const make = () => {
    context.labels.create(typed.trim());
    context.setCurrent(typed.trim());
    choose(typed.trim());
  };
  return (
    <Dialog title={t('annotation.findLabel')} open onClose={onClose} footer={<Plain onClick={onClose}>{t('common.cancel')}</Plain>}>
      <div className="sg-stack-s">
        <Input
          autoFocus
          className="sg-wide"
          value={typed}
          aria-label={t('annotation.findLabel')}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
            event.preventDefault();
            if (found[0]) choose(found[0].name);
            else if (wanted) make();
          }}
        />
        <div className="sg-find-list" role="group" aria-label={t('annotation.labels')}>
          {found.map(({ name }) => (
            <button key={name} type="button" className="sg-label-key" onClick={() => choose(name)}>
              <span className="sg-swatch" style={{ background: context.labels.look(name).colour }} aria-hidden="true" />
              {name}
            </button>
          ))}
          {wanted && !exact && (
            <Plain size="small" onClick={make}>
              {t('annotation.makeLabel', { name: typed.trim() })}
            </Plain>
          )}
        </div>
      </div>
    </Dialog>
  );
}
