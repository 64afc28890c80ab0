/** Three canvases over each other: the picture, all boxes in batches, and what is being touched. No React inside. */
import { Gestures } from './gestures';
import { drawOverlay, type Draft } from './overlay';
import { Outlines, type Outline } from './outlines';
import { PictureLayer } from './pictureLayer';
import { bounds, type Point } from './shapes';
import { fit, fitBox, reveal, zoomAt, type Area, type View } from './view';

export type Tool = 'select' | 'rectangle' | 'polygon' | 'link' | 'pan';

/** What the stage asks of whoever owns the boxes, and tells them. */
export interface StageHost {
  tool(): Tool;
  readOnly(): boolean;
  selection(): readonly string[];
  /** Whether a box stays an axis-parallel rectangle when it is resized, and whether it may be turned. */
  form(id: string): { rect: boolean; turns: boolean } | null;
  select(ids: readonly string[]): void;
  place(places: Record<string, Point[]>): void;
  create(points: Point[], rect: boolean): void;
  pick(id: string): void;
  /** Links to draw, each from a value to its key; and boxes that may be picked now. */
  links(): readonly (readonly [string, string])[];
  targets(): ReadonlySet<string>;
  /** A double click, or Enter on a box. */
  open(id: string): void;
}

/** Milliseconds after the last turn of the wheel until everything is drawn with all its details again. */
const SETTLE = 140;

export class Stage {
  readonly outlines = new Outlines();
  readonly picture: PictureLayer;
  view: View = { scale: 1, x: 0, y: 0 };
  area: Area = { width: 0, height: 0 };
  /** Places of boxes while they are dragged, before anything is stored. */
  dragged = new Map<string, Point[]>();
  draft: Draft | null = null;
  hover: string | null = null;
  hidden = false;
  /** Frames drawn, for the benchmark. */
  frames = 0;
  private readonly canvases: HTMLCanvasElement[] = [];
  private dirty = 0;
  private frame = 0;
  private moving = false;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private readonly viewers = new Set<() => void>();
  private readonly observer: ResizeObserver;
  private readonly themes: MutationObserver;
  /** Behind the picture. Asking the browser for it at every frame would make it work out all styles at every frame. */
  private background = '';
  private font = '';
  private readonly gestures: Gestures;
  private fitted = false;

  constructor(
    readonly element: HTMLElement,
    readonly host: StageHost,
    public size: Area,
  ) {
    this.picture = new PictureLayer(() => {
      this.redraw(1);
      this.tellView();
    });
    for (let layer = 0; layer < 3; layer += 1) {
      const canvas = document.createElement('canvas');
      canvas.setAttribute('aria-hidden', 'true');
      element.append(canvas);
      this.canvases.push(canvas);
    }
    this.gestures = new Gestures(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(element);
    this.themes = new MutationObserver(() => this.style());
    this.themes.observe(document.documentElement, { attributeFilter: ['theme-mode'] });
    this.style();
    this.resize();
  }

  dispose(): void {
    this.observer.disconnect();
    this.themes.disconnect();
    this.gestures.dispose();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
    for (const canvas of this.canvases) canvas.remove();
  }

  private style(): void {
    const style = getComputedStyle(this.element);
    this.background = style.backgroundColor;
    this.font = style.fontFamily;
    this.redraw(7);
  }

  /** Show another picture, whole. */
  open(src: string, size: Area): void {
    this.size = size;
    this.fitted = false;
    this.dragged.clear();
    this.draft = null;
    this.resize();
    void this.picture.load(src, size);
  }

  set(outlines: readonly Outline[]): void {
    this.outlines.set(outlines);
    this.redraw(2 | 4);
  }

  /** Draw layers again at the next frame: 1 picture, 2 boxes, 4 what is being touched. */
  redraw(layers: number): void {
    this.dirty |= layers;
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  onView(listener: () => void): () => void {
    this.viewers.add(listener);
    return () => this.viewers.delete(listener);
  }

  private tellView(): void {
    for (const listener of this.viewers) listener();
  }

  setView(view: View): void {
    this.view = view;
    this.redraw(7);
    this.tellView();
  }

  /** Something moves: details are left out until it has stopped. */
  stir(): void {
    this.moving = true;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.moving = false;
      this.redraw(7);
    }, SETTLE);
  }

  fit = () => this.setView(fit(this.size, this.area));
  actual = () => this.zoom(1 / this.view.scale);
  zoom(factor: number, at: Point = [this.area.width / 2, this.area.height / 2]): void {
    this.setView(zoomAt(this.view, factor, at, this.size, this.area));
  }
  fitTo(ids: readonly string[]): void {
    const points = ids.flatMap((id) => this.outlines.get(id)?.points ?? []);
    if (points.length) this.setView(fitBox(bounds(points), this.area));
  }
  reveal(ids: readonly string[]): void {
    const points = ids.flatMap((id) => this.outlines.get(id)?.points ?? []);
    if (!points.length) return;
    const next = reveal(this.view, bounds(points), this.area);
    if (next !== this.view) this.setView(next);
  }

  pointsOf(id: string): readonly Point[] | undefined {
    return this.dragged.get(id) ?? this.outlines.get(id)?.points;
  }

  setHidden(hidden: boolean): void {
    this.hidden = hidden;
    this.redraw(2 | 4);
  }

  /** Leave what is being drawn or dragged; says whether there was anything. */
  cancel = (): boolean => this.gestures.cancel();

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === 0 || height === 0) return;
    this.area = { width, height };
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of this.canvases) {
      canvas.width = Math.round(width * dpr);
      canvas.height = Math.round(height * dpr);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    if (!this.fitted) {
      this.fitted = true;
      this.view = fit(this.size, this.area);
    }
    this.redraw(7);
    this.tellView();
  }

  private draw(): void {
    this.frame = 0;
    this.frames += 1;
    const dirty = this.dirty;
    this.dirty = 0;
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    this.canvases.forEach((canvas, layer) => {
      if (!(dirty & (1 << layer))) return;
      // The lowest layer covers all of itself; without transparency the browser composes it faster.
      const context = canvas.getContext('2d', layer === 0 ? { alpha: false } : undefined);
      if (!context) return;
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
      if (layer === 0) {
        context.fillStyle = this.background;
        context.fillRect(0, 0, this.area.width, this.area.height);
        this.picture.draw(context, this.view, this.size, this.area, this.moving);
        return;
      }
      context.clearRect(0, 0, this.area.width, this.area.height);
      if (this.hidden) return;
      if (layer === 1) this.outlines.draw(context, this.view, this.area, this.moving, new Set(this.dragged.keys()), this.font);
      else drawOverlay(context, this);
    });
  }
}
