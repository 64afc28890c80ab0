import { useState } from 'react';
import { Link } from 'react-router';
import { api, unwrap, type Schemas } from '../../../shared/api/client';
import { percent, score } from '../../../shared/format/format';
import { useText } from '../../../shared/i18n';
import { Card, Danger, Dialog, Input, Plain, Primary } from '../../../shared/ui/kit';
import { useChange } from './useChange';

/** Versions with their share of the traffic; shares are set together and must sum to 100. */
export function Versions({ service }: { service: Schemas['ServiceOut'] }) {
  const { t, language } = useText();
  const present = Object.fromEntries(service.versions.map((item) => [item.number, String(item.weight)]));
  const [weights, setWeights] = useState<Record<number, string>>(present);
  const [removing, setRemoving] = useState<number | null>(null);
  const change = useChange(service.name, () => setRemoving(null));
  const path = { service: service.name };
  const numbers = service.versions.map((item) => Number(weights[item.number] ?? 0));
  const sum = numbers.reduce((total, weight) => total + weight, 0);
  const whole = numbers.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 100);
  const changed = service.versions.some((item) => weights[item.number] !== String(item.weight));
  const why = !changed ? t('svc.weights.same') : !whole || sum !== 100 ? t('svc.weights.wrong', { sum }) : null;
  return (
    <Card
      title={t('svc.weights.title')}
      extra={
        <>
          <span className="sg-figures" style={{ color: sum === 100 ? undefined : 'var(--sg-error-text)' }} aria-live="polite">
            {t('svc.weights.sum', { sum })}
          </span>
          {changed && <Plain onClick={() => setWeights(present)}>{t('common.cancel')}</Plain>}
          <Plain
            theme="primary"
            why={why}
            loading={change.isPending}
            onClick={() =>
              change.mutate(() =>
                unwrap(
                  api.PUT('/v1/services/{service}/weights', {
                    params: { path },
                    body: { weights: Object.fromEntries(service.versions.map((item) => [item.number, Number(weights[item.number])])) },
                  }),
                ),
              )
            }
          >
            {t('svc.weights.apply')}
          </Plain>
        </>
      }
    >
      <div className="sg-table-box">
        <table className="sg-table">
          <thead>
            <tr>
              <th>{t('task.version')}</th>
              <th>{t('service.model')}</th>
              <th className="sg-num">{t('service.modelScore')}</th>
              <th className="sg-num">{t('service.threshold')}</th>
              <th className="sg-num">{t('svc.ready')}</th>
              <th className="sg-num">{t('service.weight')}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {service.versions.map((item) => (
              <tr key={item.number}>
                <td>{`v${item.number}`}</td>
                <td>
                  <Link to={`/tasks/${encodeURIComponent(item.task)}/${item.task_version}`}>{`${item.task} v${item.task_version}`}</Link>
                </td>
                <td className="sg-num">{percent(item.score, language)}</td>
                <td className="sg-num">{item.threshold === null ? t('svc.recommended') : score(item.threshold)}</td>
                <td className="sg-num">{`${item.ready_count} / ${item.instance_count}`}</td>
                <td className="sg-num">
                  <span className="sg-row" style={{ justifyContent: 'flex-end' }}>
                    <Input
                      type="number"
                      min={0}
                      max={100}
                      step={1}
                      style={{ width: 80, textAlign: 'right' }}
                      aria-label={t('svc.weights.of', { version: item.number })}
                      value={weights[item.number] ?? ''}
                      onChange={(event) => setWeights({ ...weights, [item.number]: event.target.value })}
                    />
                    %
                  </span>
                </td>
                <td className="sg-num">
                  <Danger size="small" why={item.weight > 0 ? t('svc.removeWaits') : null} onClick={() => setRemoving(item.number)}>
                    {t('svc.remove')}
                  </Danger>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="sg-secondary sg-small">{t('svc.weights.note')}</p>
      <Dialog
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={t('svc.removeTitle', { version: removing ?? 0 })}
        footer={
          <>
            <Plain onClick={() => setRemoving(null)}>{t('common.cancel')}</Plain>
            <Primary
              theme="danger"
              loading={change.isPending}
              onClick={() => change.mutate(() => unwrap(api.DELETE('/v1/services/{service}/versions/{number}', { params: { path: { ...path, number: removing! } } })))}
            >
              {t('svc.remove')}
            </Primary>
          </>
        }
      >
        <p>{t('svc.removeText')}</p>
      </Dialog>
    </Card>
  );
}
