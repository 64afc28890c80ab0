import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { readingOrder } from '../../shared/annotation/document';
import { setText } from '../../shared/annotation/text';
import { useWorkspace } from '../../shared/annotation/workspace';
import { drawCrop } from '../../shared/canvas/crop';
import { bounds } from '../../shared/canvas/shapes';
import { toScreen } from '../../shared/canvas/view';
import { useText } from '../../shared/i18n';
import type { AnnotationProps } from '../../shared/scenario/annotation';

const CROP_HEIGHT = 44;
const WIDTH = 380;
/** Characters that were read with less confidence are marked. */
const SURE = 0.9;

/** The text of one box, under the box, with its upright crop above. Enter stores it and goes to the next box. */
export function TextEditor({ context }: AnnotationProps) {
  const { workspace } = context;
  const id = useWorkspace(workspace, (item) => item.typing);
  return id && workspace.doc.items[id] ? <Editor key={id} id={id} context={context} /> : null;
}

function Editor({ id, context }: AnnotationProps & { id: string }) {
  const { t } = useText();
  const { workspace, stage, sample } = context;
  const item = useWorkspace(workspace, (space) => space.doc.items[id])!;
  const suggestion = useWorkspace(workspace, (space) => space.doc.suggested[id]);
  const reading = useWorkspace(workspace, (space) => space.reading.has(id));
  const [typed, setTyped] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const crop = useRef<HTMLCanvasElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const text = typed ?? item.text;
  const done = useRef(false);

  useLayoutEffect(() => {
    if (!stage) return;
    // The editor follows the picture without any rendering by React.
    const place = () => {
      const element = box.current;
      if (!element) return;
      const area = bounds(stage.pointsOf(id) ?? item.points);
      const [left, bottom] = toScreen(stage.view, [area.x1, area.y2]);
      const [, top] = toScreen(stage.view, [area.x1, area.y1]);
      const height = element.offsetHeight;
      const below = bottom + 8 + height <= stage.area.height || top - 8 - height < 0;
      const x = Math.min(Math.max(8, left), Math.max(8, stage.area.width - WIDTH - 8));
      const y = below ? Math.min(bottom + 8, Math.max(8, stage.area.height - height - 8)) : top - 8 - height;
      element.style.transform = `translate(${x}px, ${y}px)`;
    };
    stage.reveal([id]);
    place();
    return stage.onView(place);
  }, [id, item.points, stage]);
  useEffect(() => {
    const image = stage?.picture.image;
    if (image && crop.current) drawCrop(crop.current, image, sample, item.points, CROP_HEIGHT, WIDTH - 24);
  }, [stage, sample, item.points]);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);

  const store = () => {
    if (done.current) return;
    done.current = true;
    if (typed !== null && typed !== item.text) workspace.run('text', setText(id, typed));
  };
  const leave = () => {
    workspace.set({ typing: null });
    stage?.element.focus({ preventScroll: true });
  };
  const step = (by: number) => {
    store();
    const order = readingOrder(workspace.doc.items);
    const next = order[order.indexOf(id) + by];
    if (!next) return leave();
    workspace.select([next]);
    workspace.set({ typing: next });
  };
  return (
    <div ref={box} className="sg-editor" data-overlay style={{ width: WIDTH }}>
      <canvas ref={crop} aria-hidden="true" />
      {typed === null && suggestion?.characters && suggestion.characters.some((sure) => sure < SURE) && (
        <div className="sg-doubts" aria-label={t('annotation.doubtful')}>
          {[...item.text].map((letter, place) => (
            <span key={place} data-doubt={(suggestion.characters![place] ?? 1) < SURE || undefined}>
              {letter}
            </span>
          ))}
        </div>
      )}
      <input
        ref={input}
        className="sg-input sg-wide"
        value={text}
        aria-label={t('annotation.textOf', { name: item.label ?? t('annotation.box') })}
        placeholder={reading ? t('annotation.reading') : t('annotation.noText')}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => {
          store();
          if (workspace.typing === id) workspace.set({ typing: null });
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            step(1);
          } else if (event.key === 'Tab') {
            event.preventDefault();
            step(event.shiftKey ? -1 : 1);
          } else if (event.key === 'Escape') {
            event.stopPropagation();
            done.current = true;
            leave();
          }
        }}
      />
    </div>
  );
}
