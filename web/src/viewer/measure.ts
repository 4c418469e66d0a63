// Measuring on one slice: lengths, and what lies inside a rectangle or an ellipse. Places are in pixels of the slice,
// whose first pixel reaches from 0 to 1.
import type { ViewInstance } from '../api/types';
import { rescaled, type Samples } from './pixels';

export type ShapeKind = 'length' | 'rectangle' | 'ellipse';
export type Place = readonly [number, number];

export interface Shape {
  kind: ShapeKind;
  from: Place;
  to: Place;
}

/** Values of the pixels whose centres lie inside. */
export interface Inside {
  pixels: number;
  mean: number;
  sd: number;
  min: number;
  max: number;
}

export interface Measured {
  /** Along the line, or across both corners; in mm where the slice has a spacing, else in pixels. */
  length: number;
  /** In mm² or pixels. */
  area: number;
  unit: 'mm' | 'px';
  /** Nothing for a length, and for colour. */
  inside: Inside | null;
}

export function measure(shape: Shape, image: ViewInstance, samples: Samples): Measured {
  const [rowMm, columnMm] = image.pixel_spacing_mm ?? [1, 1];
  const [width, height] = [Math.abs(shape.to[0] - shape.from[0]) * columnMm, Math.abs(shape.to[1] - shape.from[1]) * rowMm];
  return {
    length: Math.hypot(width, height),
    area: shape.kind === 'ellipse' ? (Math.PI / 4) * width * height : width * height,
    unit: image.pixel_spacing_mm ? 'mm' : 'px',
    inside: shape.kind === 'length' || image.samples_per_pixel !== 1 ? null : inside(shape, image, samples),
  };
}

function inside(shape: Shape, image: ViewInstance, samples: Samples): Inside {
  const [left, right] = [Math.min(shape.from[0], shape.to[0]), Math.max(shape.from[0], shape.to[0])];
  const [top, bottom] = [Math.min(shape.from[1], shape.to[1]), Math.max(shape.from[1], shape.to[1])];
  const [middleX, middleY, halfX, halfY] = [(left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2];
  const isRound = shape.kind === 'ellipse';
  // Welford's way: no large sums of squares.
  let [pixels, mean, squares, min, max] = [0, 0, 0, Infinity, -Infinity];
  for (let row = Math.max(0, Math.ceil(top - 0.5)); row < Math.min(image.rows, bottom - 0.5 + 1e-9); row += 1) {
    for (let column = Math.max(0, Math.ceil(left - 0.5)); column < Math.min(image.columns, right - 0.5 + 1e-9); column += 1) {
      if (isRound && ((column + 0.5 - middleX) / halfX) ** 2 + ((row + 0.5 - middleY) / halfY) ** 2 > 1) continue;
      const value = rescaled(samples[row * image.columns + column] as number, image);
      pixels += 1;
      const off = value - mean;
      mean += off / pixels;
      squares += off * (value - mean);
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return { pixels, mean, sd: pixels > 1 ? Math.sqrt(squares / (pixels - 1)) : 0, min, max };
}
