// Planes in the patient coordinate system (PS3.3 C.7.6.2.1.1): x to the patient's left, y to the back, z to the head.
import type { FramePlacement } from '../api/types';

export type Vector = readonly [number, number, number];

/** A slice in the patient: the centre of its first pixel, unit vectors along rows and columns, and distances in mm. */
export interface Plane {
  position: Vector;
  /** Towards higher columns. */
  right: Vector;
  /** Towards higher rows. */
  down: Vector;
  rowMm: number;
  columnMm: number;
}

/** Normals nearer than about 8 degrees are those of the same plane, for scrolling together. */
const PARALLEL = 0.99;
/** A lone slice stands for this much on either side. */
const LEAST_GAP_MM = 1;

export const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const plus = (a: Vector, b: Vector, times = 1): Vector => [a[0] + b[0] * times, a[1] + b[1] * times, a[2] + b[2] * times];
export const cross = (a: Vector, b: Vector): Vector => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const minus = (a: Vector): Vector => [-a[0], -a[1], -a[2]];
export const normalOf = (plane: Plane) => cross(plane.right, plane.down);

export function planeOf({ position_mm, orientation, spacing_mm }: FramePlacement): Plane {
  const [a, b, c, d, e, f] = orientation;
  return { position: position_mm, right: [a, b, c], down: [d, e, f], rowMm: spacing_mm[0], columnMm: spacing_mm[1] };
}

/** Millimetres from a plane to a point, along the plane's normal. */
export const distance = (plane: Plane, point: Vector) => dot(plus(point, plane.position, -1), normalOf(plane));

/** The plane that lies nearest to another one, if both are parallel and it is at most one slice away. */
export function nearestPlane(planes: (Plane | null)[], wanted: Plane): number | null {
  let [nearest, least] = [-1, Infinity];
  for (const [index, plane] of planes.entries()) {
    if (!plane || Math.abs(dot(normalOf(plane), normalOf(wanted))) < PARALLEL) continue;
    const off = Math.abs(distance(plane, wanted.position));
    if (off < least) [nearest, least] = [index, off];
  }
  const [found, beside] = [planes[nearest], planes[nearest + 1] ?? planes[nearest - 1]];
  if (!found) return null;
  const gap = beside ? Math.abs(distance(found, beside.position)) : 0;
  return least <= Math.max(gap, LEAST_GAP_MM) ? nearest : null;
}

const LETTERS: [string, string][] = [['R', 'L'], ['A', 'P'], ['F', 'H']];

/** Where a direction points in the patient, such as `L` or, where it is oblique, `LP`. */
export function letters(direction: Vector): string {
  const axes = [0, 1, 2].sort((a, b) => Math.abs(direction[b] as number) - Math.abs(direction[a] as number));
  const named = axes.filter((axis) => Math.abs(direction[axis] as number) > 0.35);
  return named.map((axis) => LETTERS[axis]?.[(direction[axis] as number) > 0 ? 1 : 0] ?? '').join('');
}
