/** The picture on a canvas: from copies of falling size, so that drawing costs what is seen and not what is stored. */
import type { Area, View } from './view';

const LEAST_SIDE = 512;

export class PictureLayer {
  private levels: { scale: number; image: CanvasImageSource }[] = [];
  private loading = 0;
  /** The whole picture, for crops; null while it loads. */
  image: ImageBitmap | HTMLImageElement | null = null;
  failed = false;

  constructor(private readonly changed: () => void) {}

  /** Load a picture, upright; a later call replaces it. */
  async load(src: string, size: Area): Promise<void> {
    const mine = (this.loading += 1);
    this.image = null;
    this.failed = false;
    this.levels = [];
    const element = new Image();
    element.decoding = 'async';
    element.src = src;
    try {
      await element.decode();
    } catch {
      if (mine === this.loading) {
        this.failed = true;
        this.changed();
      }
      return;
    }
    if (mine !== this.loading) return;
    this.image = element;
    this.levels = [{ scale: 1, image: element }];
    this.changed();
    const longest = Math.max(size.width, size.height);
    let source: ImageBitmap | HTMLImageElement = element;
    for (let scale = 1; longest * scale > LEAST_SIDE; scale /= 2) {
      // The first copy has the full size: drawing it costs less than drawing an element that may be decoded again.
      const made: ImageBitmap = await createImageBitmap(source, {
        resizeWidth: Math.max(1, Math.round(size.width * scale)),
        resizeHeight: Math.max(1, Math.round(size.height * scale)),
        resizeQuality: 'medium',
      });
      if (mine !== this.loading) return;
      if (scale === 1) {
        this.levels = [];
        this.image = made;
      }
      this.levels.push({ scale, image: made });
      source = made;
    }
    this.changed();
  }

  draw(context: CanvasRenderingContext2D, view: View, size: Area, area: Area, moving: boolean): void {
    const dpr = context.getTransform().a;
    const best = [...this.levels].sort((one, other) => one.scale - other.scale).find((level) => level.scale >= view.scale * dpr * (moving ? 0.7 : 0.99)) ?? this.levels[0];
    if (!best) return;
    context.imageSmoothingEnabled = view.scale * dpr < 3;
    context.imageSmoothingQuality = moving ? 'low' : 'medium';
    // Only the part that is seen: a whole large picture would be scaled for nothing.
    const left = Math.max(0, Math.floor(-view.x / view.scale) - 1);
    const top = Math.max(0, Math.floor(-view.y / view.scale) - 1);
    const right = Math.min(size.width, Math.ceil((area.width - view.x) / view.scale) + 1);
    const bottom = Math.min(size.height, Math.ceil((area.height - view.y) / view.scale) + 1);
    if (right <= left || bottom <= top) return;
    const [sx, sy] = best.scale === 1 && best.image === this.image ? ratio(this.image, size) : [best.scale, best.scale];
    context.drawImage(
      best.image,
      left * sx, top * sy, (right - left) * sx, (bottom - top) * sy,
      left * view.scale + view.x, top * view.scale + view.y, (right - left) * view.scale, (bottom - top) * view.scale,
    );
  }
}

/** Pixels of the loaded picture per pixel that the server tells of: one, unless the browser decoded another size. */
export function ratio(image: ImageBitmap | HTMLImageElement | null, size: Area): [number, number] {
  if (!image) return [1, 1];
  const width = 'naturalWidth' in image ? image.naturalWidth : image.width;
  const height = 'naturalHeight' in image ? image.naturalHeight : image.height;
  return [width / size.width, height / size.height];
}
