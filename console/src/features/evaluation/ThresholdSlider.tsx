import { score } from '../../shared/format/format';
import { useText } from '../../shared/i18n';
import { TextButton } from '../../shared/ui/kit';

type Props = { value: number; best: number; varies?: boolean; onChange: (value: number) => void; onRelease: () => void };

/** Thresholds 0.05 … 0.95; the thumb moves in whole steps, since 3 × 0.05 is no decimal fraction. */
export function ThresholdSlider({ value, best, varies, onChange, onRelease }: Props) {
  const { t } = useText();
  const step = Math.round(value / 0.05);
  return (
    <div className="sg-row" style={{ flexWrap: 'nowrap' }}>
      <div className="sg-grow">
        <input
          type="range"
          className="sg-wide"
          min={1}
          max={19}
          step={1}
          value={step}
          aria-label={t('evaluation.threshold')}
          aria-valuetext={varies ? t('evaluation.varies') : score(value)}
          list="threshold-marks"
          onChange={(event) => onChange(Math.round(Number(event.target.value) * 5) / 100)}
          onPointerUp={onRelease}
          onKeyUp={onRelease}
        />
        <datalist id="threshold-marks">
          {[1, 10, 19].map((mark) => (
            <option key={mark} value={mark} label={score(mark * 0.05)} />
          ))}
        </datalist>
      </div>
      <output className="sg-figure" style={{ minWidth: 72, textAlign: 'right' }}>
        {varies ? '≈' : score(value)}
      </output>
      <TextButton
        onClick={() => {
          onChange(best);
          setTimeout(onRelease);
        }}
      >
        {t('evaluation.useBest', { best: score(best) })}
      </TextButton>
    </div>
  );
}
