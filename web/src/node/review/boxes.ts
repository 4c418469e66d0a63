// Boxes in a frame: drawn from corner to corner, moved and stretched, and never outside of the frame. Pure.
import type { ReviewBox } from '../../api/review';

export interface Size {
  columns: number;
  rows: number;
}

export interface Spot {
  x: number;
  y: number;
}

const within = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);

/** The box between two pixels, both of them in it; `null` when they are no more than a click apart. */
export function drawn(from: Spot, to: Spot, frame: number | null, size: Size): ReviewBox | null {
  const [left, right] = [from.x, to.x].map((x) => within(Math.floor(x), 0, size.columns - 1)).toSorted((a, b) => a - b) as [number, number];
  const [top, bottom] = [from.y, to.y].map((y) => within(Math.floor(y), 0, size.rows - 1)).toSorted((a, b) => a - b) as [number, number];
  if (right - left < 2 && bottom - top < 2) return null;
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1, frame };
}

/** The same box elsewhere: it stops at the edges of the frame. */
export function moved(box: ReviewBox, x: number, y: number, size: Size): ReviewBox {
  return { ...box, x: within(box.x + x, 0, size.columns - box.width), y: within(box.y + y, 0, size.rows - box.height) };
}

/** The same box with its lower right corner elsewhere. */
export function stretched(box: ReviewBox, x: number, y: number, size: Size): ReviewBox {
  return { ...box, width: within(box.width + x, 1, size.columns - box.x), height: within(box.height + y, 1, size.rows - box.y) };
}

/** A new box in the middle of the frame, for whoever has no mouse. */
export function inTheMiddle(frame: number | null, size: Size): ReviewBox {
  const [width, height] = [Math.max(1, Math.round(size.columns / 4)), Math.max(1, Math.round(size.rows / 10))];
  return { x: Math.floor((size.columns - width) / 2), y: Math.floor((size.rows - height) / 2), width, height, frame };
}

/** Whether a box is on a frame, counted from 1. */
export const isOn = (box: ReviewBox, frame: number) => box.frame === null || box.frame === frame;

/** Pixels that a key moves or stretches: one, or ten with Ctrl. */
const FAR = 10;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What an arrow key does to a box: moves it, with Shift stretches it; `null` for other keys. */
export function byKey(box: ReviewBox, key: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey'>, size: Size): ReviewBox | null {
  const arrow = ARROWS[key.key];
  if (!arrow) return null;
  const [x, y] = arrow.map((by) => (key.ctrlKey ? by * FAR : by)) as [number, number];
  return key.shiftKey ? stretched(box, x, y, size) : moved(box, x, y, size);
}
