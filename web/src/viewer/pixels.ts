// Samples of a frame to grey levels: the linear VOI LUT of DICOM PS3.3 C.11.2.1.2 behind the modality rescale
// (C.11.1). No palette colour, no overlay planes: the node sends frames as grey or RGB.
import type { ViewInstance } from '../api/types';

export type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array;

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

/** The grey level of every possible sample; the index is the sample plus `offset`. */
export function greyTable(instance: ViewInstance, window: Window): { table: Uint8ClampedArray; offset: number } {
  const size = instance.bits_allocated > 8 ? 65_536 : 256;
  const offset = instance.pixel_signed ? size / 2 : 0;
  const table = new Uint8ClampedArray(size);
  const inverted = instance.photometric === 'MONOCHROME1';
  const width = Math.max(window.width, 1);
  for (let index = 0; index < size; index += 1) {
    const value = rescaled(index - offset, instance);
    const level = width === 1 ? (value > window.center - 0.5 ? 1 : 0) : (value - (window.center - 0.5)) / (width - 1) + 0.5;
    table[index] = 255 * (inverted ? 1 - level : level);
  }
  return { table, offset };
}

/** The frame as an image under a window; colour frames as they are. */
export function imageOf(samples: Samples, instance: ViewInstance, window: Window): ImageData {
  const image = new ImageData(instance.columns, instance.rows);
  const pixels = new Uint32Array(image.data.buffer);
  if (instance.samples_per_pixel === 3) {
    for (let index = 0; index < pixels.length; index += 1) {
      const [red, green, blue] = [samples[index * 3] ?? 0, samples[index * 3 + 1] ?? 0, samples[index * 3 + 2] ?? 0];
      pixels[index] = 0xff000000 | (blue << 16) | (green << 8) | red;
    }
    return image;
  }
  const { table, offset } = greyTable(instance, window);
  for (let index = 0; index < pixels.length; index += 1) {
    const grey = table[(samples[index] ?? 0) + offset] ?? 0;
    pixels[index] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return image;
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
  return { center: (low + high) / 2, width: Math.max(1, high - low) };
}
