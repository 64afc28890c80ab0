import { useText } from '../../shared/i18n';
import type { Hotkey } from '../../shared/scenario/annotation';
import { Dialog, Primary } from '../../shared/ui/kit';

const FIXED: readonly { id: string; keys: readonly string[] }[] = [
  { id: 'pan', keys: ['Space'] },
  { id: 'zoom', keys: ['Ctrl+wheel'] },
  { id: 'hide', keys: ['H'] },
  { id: 'escape', keys: ['Esc'] },
];

/** The table of keys. */
export function KeysDialog({ keys, onClose }: { keys: readonly Hotkey[]; onClose: () => void }) {
  const { t } = useText();
  const rows = new Map<string, string[]>();
  for (const { id, keys: names } of [...keys, ...FIXED]) rows.set(id, [...(rows.get(id) ?? []), ...names]);
  const shown = (names: string[]) => (names.length > 4 ? [names[0]!, '…', names.at(-1)!] : names);
  return (
    <Dialog title={t('annotation.keysTitle')} open wide onClose={onClose} footer={<Primary onClick={onClose}>{t('annotation.close')}</Primary>}>
      <dl className="sg-keys" tabIndex={0}>
        {[...rows].map(([id, names]) => (
          <div key={id}>
            <dt>
              {shown(names).map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{t(`annotation.keys.${id}`)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
