import { useState } from 'react';
import { useText } from '../../shared/i18n';
import { Chip, Input } from '../../shared/ui/kit';

/** Words that are added with Enter or a comma, and removed by a press. */
export function TagsInput(props: { value: string[]; onChange: (value: string[]) => void; id?: string }) {
  const { t } = useText();
  const [typed, setTyped] = useState('');
  const add = () => {
    const words = typed.split(/[,，;；]/).map((word) => word.trim().slice(0, 40)).filter(Boolean);
    if (words.length) props.onChange([...new Set([...props.value, ...words])].slice(0, 20));
    setTyped('');
  };
  return (
    <span className="sg-row">
      {props.value.map((tag) => (
        <Chip key={tag} on aria-label={t('newDataset.removeTag', { tag })} onClick={() => props.onChange(props.value.filter((other) => other !== tag))}>
          {tag} ×
        </Chip>
      ))}
      <Input
        id={props.id}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={add}
        onKeyDown={(event) => {
          if ((event.key === 'Enter' || event.key === ',') && !event.nativeEvent.isComposing) {
            event.preventDefault();
            add();
          }
        }}
      />
    </span>
  );
}
