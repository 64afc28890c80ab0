import { useEffect, useRef, useState, type PointerEvent } from 'react';
import { useText } from '../i18n';
import { Plain } from '../ui/kit';
import { bounds, path, type Shape } from './shapes';

export type Window = { x: number; y: number; width: number; height: number };

type Props = {
  src: string;
  width: number;
  height: number;
  shapes: Shape[];
  selected?: string | null;
  onSelect?: (id: string | null) => void;
  label: string;
  tall?: number;
  /** Shared by two views that pan and zoom together; a view of its own otherwise. */
  window?: Window | null;
  onWindow?: (window: Window | null) => void;
};

const MOST = 24;

/** A picture with outlines, to look at: wheel zooms at the pointer, drag pans, a click selects the smallest outline. */
export function PictureView(props: Props) {
  const { t } = useText();
  const [own, setOwn] = useState<Window | null>(null);
  const seen = (props.window === undefined ? own : props.window) ?? { x: 0, y: 0, width: props.width, height: props.height };
  const setSeen = props.onWindow ?? setOwn;
  const element = useRef<SVGSVGElement>(null);
  const drag = useRef<{ x: number; y: number; from: Window; moved: boolean } | null>(null);

  const zoom = (factor: number, at?: { x: number; y: number }) => {
    const width = Math.min(props.width * 1.5, Math.max(props.width / MOST, seen.width * factor));
    const scale = width / seen.width;
    const { x, y } = at ?? { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2 };
    setSeen({ x: x - (x - seen.x) * scale, y: y - (y - seen.y) * scale, width, height: seen.height * scale });
  };
  const pointOf = (event: { clientX: number; clientY: number }) => {
    const svg = element.current!;
    const matrix = svg.getScreenCTM();
    if (!matrix) return { x: seen.x, y: seen.y };
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    return { x: point.x, y: point.y };
  };
  const latest = useRef({ zoom, pointOf });
  useEffect(() => {
    latest.current = { zoom, pointOf };
  });
  useEffect(() => {
    const svg = element.current!;
    // React's wheel listener is passive and could not keep the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      latest.current.zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, latest.current.pointOf(event));
    };
    svg.addEventListener('wheel', onWheel, { passive: false });
    return () => svg.removeEventListener('wheel', onWheel);
  }, []);

  const onDown = (event: PointerEvent<SVGSVGElement>) => {
    drag.current = { x: event.clientX, y: event.clientY, from: seen, moved: false };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onMove = (event: PointerEvent<SVGSVGElement>) => {
    const start = drag.current;
    const svg = element.current;
    if (!start || !svg) return;
    const matrix = svg.getScreenCTM();
    if (!matrix) return;
    const dx = (event.clientX - start.x) / matrix.a;
    const dy = (event.clientY - start.y) / matrix.d;
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > 3) start.moved = true;
    if (start.moved) setSeen({ ...start.from, x: start.from.x - dx, y: start.from.y - dy });
  };
  const onUp = (event: PointerEvent<SVGSVGElement>) => {
    const moved = drag.current?.moved;
    drag.current = null;
    if (moved || !props.onSelect) return;
    const { x, y } = pointOf(event);
    const hit = props.shapes
      .map((shape) => ({ shape, ...bounds(shape.points) }))
      .filter((item) => x >= item.x1 && x <= item.x2 && y >= item.y1 && y <= item.y2)
      .sort((a, b) => (a.x2 - a.x1) * (a.y2 - a.y1) - (b.x2 - b.x1) * (b.y2 - b.y1))[0];
    props.onSelect(hit?.shape.id ?? null);
  };
  const unit = seen.width / 900;

  return (
    <div className="sg-stack-s">
      <div className="sg-view" style={{ height: props.tall ?? 520 }}>
        <svg
          ref={element}
          role="img"
          aria-label={props.label}
          width="100%"
          height="100%"
          viewBox={`${seen.x} ${seen.y} ${seen.width} ${seen.height}`}
          preserveAspectRatio="xMidYMid meet"
          onPointerDown={onDown}
          onPointerMove={onMove}
          onPointerUp={onUp}
          style={{ cursor: 'grab' }}
        >
          <image href={props.src} width={props.width} height={props.height} />
          {props.shapes.map((shape) => {
            const on = shape.id === props.selected;
            return (
              <g key={shape.id}>
                <title>{shape.title ?? shape.name}</title>
                <polygon
                  points={path(shape.points)}
                  fill={shape.look.colour}
                  fillOpacity={on ? 0.3 : 0.04}
                  stroke={shape.look.casing}
                  strokeWidth={on ? 5 : 3.5}
                  strokeOpacity={0.6}
                  vectorEffect="non-scaling-stroke"
                />
                <polygon
                  points={path(shape.points)}
                  fill="none"
                  stroke={shape.look.colour}
                  strokeWidth={on ? 3 : 1.5}
                  strokeDasharray={shape.look.dash}
                  vectorEffect="non-scaling-stroke"
                />
                {shape.name && (on || props.shapes.length < 40) && <Name shape={shape} unit={unit} />}
              </g>
            );
          })}
        </svg>
      </div>
      <div className="sg-row">
        <Plain size="small" onClick={() => zoom(1 / 1.3)} aria-label={t('picture.zoomIn')}>
          +
        </Plain>
        <Plain size="small" onClick={() => zoom(1.3)} aria-label={t('picture.zoomOut')}>
          −
        </Plain>
        <Plain size="small" onClick={() => setSeen(null)}>
          {t('picture.fit')}
        </Plain>
      </div>
    </div>
  );
}

function Name({ shape, unit }: { shape: Shape; unit: number }) {
  const { x1, y1 } = bounds(shape.points);
  const height = 16 * unit;
  const width = [...(shape.name ?? '')].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 255 ? 12 : 7), 8) * unit;
  return (
    <g>
      <rect x={x1} y={y1 - height} width={width} height={height} fill={shape.look.colour} />
      <text x={x1 + 4 * unit} y={y1 - 4 * unit} fontSize={12 * unit} fill={shape.look.text}>
        {shape.name}
      </text>
    </g>
  );
}
