import type { Schemas } from '../api/client';
import { useText } from '../i18n';
import { Help } from './kit';

type Spec = Schemas['SpecOut'];

/** Compute specs to choose one from; those that this machine cannot give say why. An empty value lets the server choose. */
export function SpecTable({ specs, value, onChange }: { specs: Spec[]; value: string; onChange: (spec: string) => void }) {
  const { t } = useText();
  const row = (id: string, cells: React.ReactNode[], why: string | null) => (
    <tr key={id} aria-selected={value === id} className={why ? 'sg-secondary' : undefined}>
      <td>
        <label className="sg-choice">
          <input type="radio" name="spec" checked={value === id} disabled={why !== null} onChange={() => onChange(id)} />
          {id === '' ? t('form.specAuto') : id}
        </label>
      </td>
      {cells.map((cell, index) => (
        <td key={index} className={index < 2 ? 'sg-num' : undefined}>
          {cell}
        </td>
      ))}
    </tr>
  );
  return (
    <div className="sg-table-box">
      <table className="sg-table sg-tight">
        <thead>
          <tr>
            <th scope="col">
              <span className="sg-label">
                {t('form.spec')} <Help text={t('form.specHelp')} />
              </span>
            </th>
            <th scope="col" className="sg-num">
              {t('form.cores')}
            </th>
            <th scope="col" className="sg-num">
              {t('form.memory')}
            </th>
            <th scope="col">{t('form.state')}</th>
          </tr>
        </thead>
        <tbody>
          {row('', ['-', '-', t('form.specAutoText')], null)}
          {specs.map((spec) => row(spec.id, [spec.cpu, `${spec.memory_mb / 1024} GB`, spec.available ? t('form.available') : spec.reason], spec.available ? null : (spec.reason ?? '')))}
        </tbody>
      </table>
    </div>
  );
}
