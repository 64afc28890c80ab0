import type { Point } from './shapes';

/** How a picture lies on the screen: screen = picture × scale + offset, in CSS pixels. */
export type View = { scale: number; x: number; y: number };
export type Area = { width: number; height: number };

const MOST_SCALE = 32;
const MARGIN = 24;

export const toScreen = (view: View, [x, y]: Point): Point => [x * view.scale + view.x, y * view.scale + view.y];
export const toPicture = (view: View, [x, y]: Point): Point => [(x - view.x) / view.scale, (y - view.y) / view.scale];

/** The whole picture, centred with a margin. */
export function fit(picture: Area, area: Area): View {
  const scale = Math.max(0.01, Math.min((area.width - 2 * MARGIN) / picture.width, (area.height - 2 * MARGIN) / picture.height));
  return centred([picture.width / 2, picture.height / 2], scale, area);
}

export const centred = (point: Point, scale: number, area: Area): View => ({ scale, x: area.width / 2 - point[0] * scale, y: area.height / 2 - point[1] * scale });

/** Zoom by a factor so that the point under the pointer stays where it is. */
export function zoomAt(view: View, factor: number, at: Point, picture: Area, area: Area): View {
  const least = Math.min(1, fit(picture, area).scale) / 4;
  const scale = Math.min(MOST_SCALE, Math.max(least, view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: at[0] - (at[0] - view.x) * ratio, y: at[1] - (at[1] - view.y) * ratio };
}

/** A part of the picture, as large as fits, at most at 400 %. */
export function fitBox(box: { x1: number; y1: number; x2: number; y2: number }, area: Area): View {
  const [width, height] = [Math.max(1, box.x2 - box.x1), Math.max(1, box.y2 - box.y1)];
  const scale = Math.min(4, (area.width - 6 * MARGIN) / width, (area.height - 6 * MARGIN) / height);
  return centred([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2], Math.max(0.05, scale), area);
}

/** The view moved so that a box lies in it; the same view when it does already. */
export function reveal(view: View, box: { x1: number; y1: number; x2: number; y2: number }, area: Area): View {
  const [left, top] = toScreen(view, [box.x1, box.y1]);
  const [right, bottom] = toScreen(view, [box.x2, box.y2]);
  if (left >= 0 && top >= 0 && right <= area.width && bottom <= area.height) return view;
  return centred([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2], view.scale, area);
}
