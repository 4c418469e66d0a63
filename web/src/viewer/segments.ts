// Segmentations of a series, slice by slice: fetches the frames of the slice that is shown, keeps what is inside of
// each, up to a number of bytes, and paints it. A hundred segments on 300 slices cost what a few slices of them take.
import * as api from '../api/client';
import type { SeriesSegmentation } from '../api/types';

/** What is kept of slices: a slice with 100 organs takes about 1 MB, a label map of 512×512 a quarter. */
const KEPT_BYTES = 64 << 20;
/** Frames that are fetched at a time; the slice itself must not wait. */
const FETCHES = 4;

export type Color = readonly [number, number, number];

/** Told apart by people with any colour vision (Okabe and Ito 2008), for segments without a colour. */
const COLORS: Color[] = [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [213, 94, 0], [204, 121, 167]];

export interface Segment {
  /** One segment of all that lie on the series. */
  key: string;
  number: number;
  label: string;
  color: Color;
  /** Slices that it is on, by their keys; unknown for label maps. */
  slices: string[];
}

export interface Layer {
  segmentation: SeriesSegmentation;
  segments: Segment[];
  /** Frames by slice. */
  frames: Map<string, SeriesSegmentation['frames']>;
}

/** The inside of one frame: the smallest rectangle round it. For a label map all of the frame, with numbers. */
export interface Mask {
  /** Nothing for a label map. */
  number: number | null;
  left: number;
  top: number;
  width: number;
  height: number;
  data: Uint8Array | Uint16Array;
  /** Numbers of the segments that are on it. */
  present: ReadonlySet<number>;
  grid: SeriesSegmentation['grids'][number] | null;
}

export function layersOf(segmentations: SeriesSegmentation[]): Layer[] {
  return segmentations
    .filter(({ problem }) => problem === null)
    .map((segmentation) => {
      const keys = segmentation.slices.map(({ instance_uid, frame }) => `${instance_uid}/${frame}`);
      const frames: Layer['frames'] = new Map(keys.map((key) => [key, []]));
      const slices = new Map<number, string[]>();
      for (const frame of segmentation.frames) {
        const key = keys[frame.slice] ?? '';
        frames.get(key)?.push(frame);
        if (frame.segment === null) continue;
        const known = slices.get(frame.segment);
        if (known) known.push(key);
        else slices.set(frame.segment, [key]);
      }
      const segments = segmentation.segments.map(({ number, label, color }, index) => ({
        key: `${segmentation.instance_uid}#${number}`,
        number,
        label,
        color: color ?? (COLORS[index % COLORS.length] as Color),
        slices: slices.get(number) ?? (segmentation.kind === 'label_map' ? keys : []),
      }));
      return { segmentation, segments, frames };
    });
}

/** The smallest rectangle round what is not zero, or nothing. */
export function crop(data: Uint8Array, columns: number, rows: number): Omit<Mask, 'number' | 'grid' | 'present'> | null {
  let [left, right, top, bottom] = [columns, -1, -1, -1];
  for (let row = 0; row < rows; row += 1) {
    const line = data.subarray(row * columns, (row + 1) * columns);
    const first = line.findIndex((value) => value !== 0);
    if (first < 0) continue;
    let last = columns - 1;
    while (line[last] === 0) last -= 1;
    if (top < 0) top = row;
    bottom = row;
    if (first < left) left = first;
    if (last > right) right = last;
  }
  if (bottom < 0) return null;
  const [width, height] = [right - left + 1, bottom - top + 1];
  const inside = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) {
    const start = (top + row) * columns + left;
    inside.set(data.subarray(start, start + width), row * width);
  }
  return { left, top, width, height, data: inside };
}

/** The masks of slices, fetched once and kept up to `KEPT_BYTES`. */
export class Masks {
  #kept = new Map<string, { masks: Mask[]; bytes: number }>();
  #bytes = 0;

  /** The masks of a slice; `arrived` hears of each share of them. Fails when a frame cannot be read. */
  async load(layer: Layer, slice: string, signal: AbortSignal, arrived: (masks: Mask[]) => void): Promise<Mask[]> {
    const key = `${layer.segmentation.instance_uid}@${slice}`;
    const kept = this.#kept.get(key);
    if (kept) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept.masks;
    }
    const wanted = layer.frames.get(slice) ?? [];
    const masks: (Mask | null)[] = wanted.map(() => null);
    const present = () => masks.filter((mask) => mask !== null);
    let next = 0;
    const worker = async () => {
      while (next < wanted.length) {
        const at = next++;
        masks[at] = await this.#fetch(layer, wanted[at] as SeriesSegmentation['frames'][number], signal);
        if (at % FETCHES === 0) arrived(present());
      }
    };
    await Promise.all(Array.from({ length: FETCHES }, worker));
    this.#keep(key, present());
    return present();
  }

  async #fetch({ segmentation }: Layer, frame: SeriesSegmentation['frames'][number], signal: AbortSignal): Promise<Mask | null> {
    const { rows, columns, kind, series_uid, instance_uid, grids } = segmentation;
    const buffer = await api.frame(series_uid, instance_uid, frame.frame, signal);
    const grid = frame.grid === null ? null : (grids[frame.grid] ?? null);
    const pixels = rows * columns;
    if (buffer.byteLength !== pixels && !(kind === 'label_map' && buffer.byteLength === 2 * pixels))
      throw new Error(`frame has ${buffer.byteLength} bytes for ${pixels} pixels`);
    if (kind === 'label_map') {
      const data = buffer.byteLength === pixels ? new Uint8Array(buffer) : new Uint16Array(buffer);
      return { number: null, left: 0, top: 0, width: columns, height: rows, data, present: new Set<number>(data), grid };
    }
    const inside = crop(new Uint8Array(buffer), columns, rows);
    return inside && { number: frame.segment, present: new Set(frame.segment === null ? [] : [frame.segment]), grid, ...inside };
  }

  #keep(key: string, masks: Mask[]) {
    const bytes = masks.reduce((sum, { data }) => sum + data.byteLength, 0);
    this.#kept.set(key, { masks, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES || oldest === key) break;
      this.#kept.delete(oldest);
      this.#bytes -= freed;
    }
  }
}

/** The masks of one slice as an image of the segmentation's own matrix; nothing where no segment is shown. */
export function paint(layer: Layer, masks: Mask[], hidden: ReadonlySet<string>): ImageData | null {
  const { rows, columns, kind, maximum } = layer.segmentation;
  const shown = new Map(layer.segments.filter(({ key }) => !hidden.has(key)).map(({ number, color }) => [number, color]));
  if (shown.size === 0 || masks.length === 0) return null;
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (const mask of masks) {
    if (mask.number === null) paintLabels(pixels, mask.data, shown);
    else if (shown.has(mask.number)) paintMask(pixels, columns, mask, shown.get(mask.number) as Color, kind === 'binary' ? 1 : maximum);
  }
  return image;
}

const opaque = ([red, green, blue]: Color) => (blue << 16) | (green << 8) | red;

function paintLabels(pixels: Uint32Array, labels: Uint8Array | Uint16Array, shown: Map<number, Color>) {
  const table = new Uint32Array(labels instanceof Uint8Array ? 256 : 65_536);
  for (const [number, color] of shown) if (number > 0) table[number] = 0xff000000 | opaque(color);
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = table[labels[index] as number] as number;
}

function paintMask(pixels: Uint32Array, columns: number, mask: Mask, color: Color, maximum: number) {
  const base = opaque(color);
  for (let row = 0, at = 0; row < mask.height; row += 1) {
    let to = (mask.top + row) * columns + mask.left;
    for (let column = 0; column < mask.width; column += 1, at += 1, to += 1) {
      const share = mask.data[at] as number;
      if (share > 0) pixels[to] = (Math.min(255, Math.round((255 * share) / maximum)) << 24) | base;
    }
  }
}
