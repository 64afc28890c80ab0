import type { Schemas } from '../../shared/api/client';
import { score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { Facts } from '../../shared/ui/kit';

const height = (box: Schemas['CupDiscRatio']['cup']) => {
  const [, top, , bottom] = box as unknown as [number, number, number, number];
  return (bottom - top).toFixed(1);
};

/** The cup-to-disc ratio of one eye, how sure it is, and from what it was computed. */
export function Ratio({ ratio }: { ratio: Schemas['CupDiscRatio'] }) {
  const { t } = useText();
  return (
    <div className="sg-stack-s">
      <Facts
        items={[
          [t('objects.ratio'), <strong key="ratio">{ratio.vertical.toFixed(2)}</strong>],
          [t('objects.ratioScore'), score(ratio.score)],
          [t('objects.eye'), ratio.eye ? t(`objects.eyes.${ratio.eye}`) : t('objects.eyeUnknown')],
          [t('objects.cupHeight'), t('objects.pixels', { value: height(ratio.cup) })],
          [t('objects.discHeight'), t('objects.pixels', { value: height(ratio.disc) })],
        ]}
      />
      <p className="sg-secondary">{t('objects.ratioHelp')}</p>
    </div>
  );
}
