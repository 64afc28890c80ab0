/** The upright crop of a box, drawn into a small canvas: what stands above its text. */
import { ratio } from './pictureLayer';
import type { Point } from './shapes';
import type { Area } from './view';

/** Draw the box whose text begins at its first corner; returns the width drawn, in CSS pixels. */
export function drawCrop(
  canvas: HTMLCanvasElement, image: ImageBitmap | HTMLImageElement, size: Area, points: readonly Point[], height: number, most: number,
): number {
  const [a, b, , d] = corners(points);
  const [across, down] = [Math.hypot(b[0] - a[0], b[1] - a[1]), Math.hypot(d[0] - a[0], d[1] - a[1])];
  if (across < 1 || down < 1) return 0;
  const dpr = Math.min(2, window.devicePixelRatio || 1);
  const scale = Math.min(height / down, most / across);
  const width = Math.max(1, Math.round(across * scale));
  canvas.width = Math.round(width * dpr);
  canvas.height = Math.round(Math.max(1, down * scale) * dpr);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${Math.max(1, down * scale)}px`;
  const context = canvas.getContext('2d');
  if (!context) return 0;
  const [rx, ry] = ratio(image, size);
  // The affine map that takes the first corner to the origin, the second to the right edge and the fourth to the bottom.
  const [ux, uy] = [(b[0] - a[0]) / across, (b[1] - a[1]) / across];
  const [vx, vy] = [(d[0] - a[0]) / down, (d[1] - a[1]) / down];
  const determinant = ux * vy - uy * vx;
  if (Math.abs(determinant) < 1e-6) return 0;
  const k = (scale * dpr) / determinant;
  context.imageSmoothingQuality = 'medium';
  context.setTransform(vy * k, -uy * k, -vx * k, ux * k, (vx * a[1] - vy * a[0]) * k, (uy * a[0] - ux * a[1]) * k);
  // Only the part around the box: drawing a whole large picture for one line would be slow.
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, top] = [Math.max(0, Math.floor(Math.min(...xs)) - 2), Math.max(0, Math.floor(Math.min(...ys)) - 2)];
  const [right, bottom] = [Math.min(size.width, Math.ceil(Math.max(...xs)) + 2), Math.min(size.height, Math.ceil(Math.max(...ys)) + 2)];
  context.drawImage(image, left * rx, top * ry, (right - left) * rx, (bottom - top) * ry, left, top, right - left, bottom - top);
  return width;
}

/** Four corners from where the text begins; of more corners, those of the box around them. */
function corners(points: readonly Point[]): [Point, Point, Point, Point] {
  if (points.length === 4) return points as unknown as [Point, Point, Point, Point];
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}
