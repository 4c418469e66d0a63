// Samples of a frame to grey levels: the linear VOI LUT of DICOM PS3.3 C.11.2.1.2 behind the modality rescale
// (C.11.1). No palette colour, no overlay planes: the node sends frames as grey or RGB.
import type { ViewInstance } from '../api/types';

/** Floats are values already rescaled, of a volume whose slices have rescales of their own. */
export type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Float32Array;

export interface Window {
  center: number;
  width: number;
}

/** The samples of a frame, as wide and as signed as the instance says; little-endian, as every browser's machine. */
export function samplesOf(buffer: ArrayBuffer, instance: ViewInstance): Samples {
  const wanted = instance.rows * instance.columns * instance.samples_per_pixel;
  const bytes = instance.bits_allocated > 8 ? 2 : 1;
  if (buffer.byteLength < wanted * bytes) throw new Error(`frame has ${buffer.byteLength} of ${wanted * bytes} bytes`);
  if (bytes === 2) return instance.pixel_signed ? new Int16Array(buffer, 0, wanted) : new Uint16Array(buffer, 0, wanted);
  return instance.pixel_signed ? new Int8Array(buffer, 0, wanted) : new Uint8Array(buffer, 0, wanted);
}

/** The value of a sample in the unit of its modality. */
export const rescaled = (sample: number, instance: ViewInstance) =>
  sample * instance.rescale_slope + instance.rescale_intercept;

/** Values that are fractions (uptake, ratios) have no next value half a step away: LINEAR_EXACT of C.11.2.1.3.2. */
const isExact = (samples: 'floats' | 'integers', instance: ViewInstance) => samples === 'floats' || instance.rescale_slope % 1 !== 0;

/** A function from a value to its grey level, 0 to 255 and beyond: a clamped array cuts off the rest. */
function levels({ center, width }: Window, inverted: boolean, exact: boolean): (value: number) => number {
  const level = exact ? exactLevel(center, width) : linearLevel(center, Math.max(width, 1));
  return inverted ? (value) => 255 * (1 - level(value)) : (value) => 255 * level(value);
}

const exactLevel = (center: number, width: number) => (value: number) => (value - center) / width + 0.5;

function linearLevel(center: number, width: number) {
  const low = center - 0.5;
  if (width === 1) return (value: number) => (value > low ? 1 : 0);
  return (value: number) => (value - low) / (width - 1) + 0.5;
}

const isInverted = (instance: ViewInstance, inverted: boolean) => (instance.photometric === 'MONOCHROME1') !== inverted;

/** The grey level of every possible sample; the index is the sample plus `offset`. */
export function greyTable(instance: ViewInstance, window: Window, inverted = false): { table: Uint8ClampedArray; offset: number } {
  const size = instance.bits_allocated > 8 ? 65_536 : 256;
  const offset = instance.pixel_signed ? size / 2 : 0;
  const table = new Uint8ClampedArray(size);
  const grey = levels(window, isInverted(instance, inverted), isExact('integers', instance));
  for (let index = 0; index < size; index += 1) table[index] = grey(rescaled(index - offset, instance));
  return { table, offset };
}

/** The frame as an image under a window; colour frames as they are. */
export function imageOf(samples: Samples, instance: ViewInstance, window: Window, inverted = false): ImageData {
  const image = new ImageData(instance.columns, instance.rows);
  const pixels = new Uint32Array(image.data.buffer);
  if (instance.samples_per_pixel === 3) paintColour(pixels, samples, inverted ? 0xffffff : 0);
  else if (samples instanceof Float32Array) paintValues(pixels, samples, levels(window, isInverted(instance, inverted), isExact('floats', instance)));
  else paintGrey(pixels, samples, greyTable(instance, window, inverted));
  return image;
}

function paintColour(pixels: Uint32Array, samples: Samples, flip: number) {
  for (let index = 0; index < pixels.length; index += 1) {
    const [red, green, blue] = [samples[index * 3] ?? 0, samples[index * 3 + 1] ?? 0, samples[index * 3 + 2] ?? 0];
    pixels[index] = 0xff000000 | (((blue << 16) | (green << 8) | red) ^ flip);
  }
}

function paintGrey(pixels: Uint32Array, samples: Samples, { table, offset }: ReturnType<typeof greyTable>) {
  for (let index = 0; index < pixels.length; index += 1) {
    const grey = table[(samples[index] as number) + offset] as number;
    pixels[index] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
}

function paintValues(pixels: Uint32Array, values: Float32Array, level: (value: number) => number) {
  for (let index = 0; index < pixels.length; index += 1) {
    const grey = Math.max(0, Math.min(255, Math.round(level(values[index] as number))));
    pixels[index] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
}

/** The lowest and highest value of a frame. */
export function rangeOf(samples: Samples, instance: ViewInstance): { low: number; high: number } {
  let [low, high] = [Infinity, -Infinity];
  for (const sample of samples) {
    if (sample < low) low = sample;
    if (sample > high) high = sample;
  }
  const ends = [rescaled(low, instance), rescaled(high, instance)];
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

/** The window from the 1st to the 99th percentile of a frame. */
export function autoWindow(samples: Samples, instance: ViewInstance): Window {
  const sorted = samples.slice().sort();
  const at = (share: number) => rescaled(sorted[Math.floor(share * (sorted.length - 1))] ?? 0, instance);
  const [low, high] = [at(0.01), at(0.99)];
  return { center: (low + high) / 2, width: Math.max(isExact('integers', instance) ? Number.EPSILON : 1, high - low) };
}
