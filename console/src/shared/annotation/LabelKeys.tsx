import { useState } from 'react';
import { useText } from '../i18n';
import { count } from '../format/format';
import type { AnnotationContext } from '../scenario/annotation';
import { Input } from '../ui/kit';

const DIGITS = 9;

/** Labels or fields with the digits that assign them; new ones are added at the end. */
export function LabelKeys(props: {
  context: AnnotationContext;
  title: string;
  add: string;
  /** What stands behind a name: how often it is on this picture, or a model's confidence. */
  note?: (name: string) => string;
  pressed?: (name: string) => boolean;
  choose?: (name: string) => void;
}) {
  const { t } = useText();
  const { context } = props;
  const [typed, setTyped] = useState('');
  const readOnly = context.workspace.readOnly;
  const add = () => {
    const name = typed.trim();
    if (!name) return;
    context.labels.create(name);
    context.setCurrent(name);
    setTyped('');
  };
  return (
    <section className="sg-label-keys" aria-label={props.title}>
      <div className="sg-spread">
        <h2>{props.title}</h2>
        <span className="sg-secondary sg-small sg-figures">{count(context.labels.items.length)}</span>
      </div>
      <div className="sg-label-list">
        {context.labels.items.map(({ name }, place) => {
          const look = context.labels.look(name);
          const note = props.note?.(name);
          return (
            <button
              key={name}
              type="button"
              className="sg-label-key"
              aria-pressed={props.pressed ? props.pressed(name) : context.current === name}
              onClick={() => (props.choose ?? context.setCurrent)(name)}
              disabled={readOnly}
            >
              <kbd>{place < DIGITS ? place + 1 : ' '}</kbd>
              <span className="sg-swatch" style={{ background: look.colour }} aria-hidden="true" />
              <span className="sg-ellipsis" title={name}>
                {name}
              </span>
              {note && <span className="sg-figures sg-secondary">{note}</span>}
            </button>
          );
        })}
      </div>
      {!readOnly && (
        <div className="sg-row" style={{ flexWrap: 'nowrap' }}>
          <Input
            className="sg-grow"
            value={typed}
            maxLength={200}
            placeholder={props.add}
            aria-label={props.add}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => event.key === 'Enter' && !event.nativeEvent.isComposing && add()}
          />
          <button type="button" className="sg-chip" onClick={add} disabled={!typed.trim()}>
            {t('annotation.add')}
          </button>
        </div>
      )}
    </section>
  );
}
