import { score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { TextButton } from '../../shared/ui/kit';

const USUAL = 0.5;

type Props = {
  value: number;
  best: number;
  varies?: boolean;
  /** While the thumb moves: numbers follow at once. */
  onChange: (value: number) => void;
  /** When it rests: the address keeps it. */
  onRelease: (value: string) => void;
};

/** Thresholds 0.05 … 0.95; the thumb moves in whole steps, since 3 × 0.05 is no decimal fraction. */
export function ThresholdSlider({ value, best, varies, onChange, onRelease }: Props) {
  const { t } = useText();
  const step = Math.round(value / 0.05);
  const release = () => onRelease((step * 0.05).toFixed(2));
  const set = (to: number) => {
    onChange(to);
    onRelease(to.toFixed(2));
  };
  return (
    <div className="sg-slider">
      <div className="sg-grow">
        <input
          type="range"
          min={1}
          max={19}
          step={1}
          value={step}
          aria-label={t('evaluation.threshold')}
          aria-valuetext={varies ? t('evaluation.varies') : score(value)}
          onChange={(event) => onChange(Math.round(Number(event.target.value) * 5) / 100)}
          onPointerUp={release}
          onKeyUp={release}
          onBlur={release}
        />
        <div className="sg-slider-scale sg-secondary sg-small sg-figures" aria-hidden>
          <span>0.05</span>
          <span>0.50</span>
          <span>0.95</span>
        </div>
      </div>
      <output className="sg-figure">{varies ? t('evaluation.variesShort') : score(value)}</output>
      <span className="sg-row">
        <TextButton onClick={() => set(best)}>{t('evaluation.useBest', { best: score(best) })}</TextButton>
        <TextButton onClick={() => set(USUAL)}>{t('evaluation.reset')}</TextButton>
      </span>
    </div>
  );
}
