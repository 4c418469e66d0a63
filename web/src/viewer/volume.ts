// A stack of slices as a volume, and slices through it along its other axes. Nothing is interpolated here: slices are
// cut along the axes of the volume, named after the plane of the body that each comes nearest to.
import type { ViewInstance } from '../api/types';
import type { Slice, Source, StackSource } from './frames';
import { cross, distance, dot, minus, normalOf, plus, type Plane, type Vector } from './geometry';
import { rescaled, type Samples } from './pixels';
import type { MessageKey } from '../messages';

export type Cut = 'axial' | 'coronal' | 'sagittal';

/** A volume of 512×512×1000 samples of 16 bits; more than a tab should take for one series. */
export const MAX_VOLUME_BYTES = 512 << 20;
/** Distances of slices may differ by this share: decimal strings, and tables that do not stop exactly. */
const EVEN = 0.02;
/** Frames that are fetched at a time. */
const FETCHES = 4;

/** Why a stack is no volume. */
export interface Refusal {
  reason: MessageKey;
  bytes?: number;
}

interface Axis {
  direction: Vector;
  size: number;
  mm: number;
  stride: number;
}

/** What makes a volume of a stack possible, or what stands against it. */
export function volumeOf(stack: { slices: Slice[]; planes: (Plane | null)[] }): Refusal | null {
  const { slices, planes } = stack;
  const [first, plane] = [slices[0]?.instance, planes[0]];
  if (slices.length < 3 || !first) return { reason: 'plane.few' };
  if (slices.some(({ instance }) => instance.samples_per_pixel !== 1)) return { reason: 'plane.colour' };
  if (!plane || planes.length < slices.length || planes.some((other) => other === null)) return { reason: 'plane.unplaced' };
  const isSame = slices.every(({ instance: { rows, columns } }) => rows === first.rows && columns === first.columns);
  if (!isSame || !isEven(planes as Plane[])) return { reason: 'plane.uneven' };
  const bytes = first.rows * first.columns * slices.length * (isPlain(slices) ? 2 : 4);
  return bytes > MAX_VOLUME_BYTES ? { reason: 'plane.too_large', bytes } : null;
}

/** Same directions and spacings, each slice one step on, straight along the normal. */
function isEven(planes: Plane[]): boolean {
  const [first, last] = [planes[0] as Plane, planes.at(-1) as Plane];
  const step = distance(first, last.position) / (planes.length - 1);
  if (Math.abs(step) < 1e-3) return false;
  return planes.every((plane, index) => {
    const wanted = plus(first.position, normalOf(first), step * index);
    const off = plus(plane.position, wanted, -1);
    const turned = dot(plane.right, first.right) < 1 - 1e-4 || dot(plane.down, first.down) < 1 - 1e-4;
    const scaled = Math.abs(plane.rowMm - first.rowMm) > 1e-4 || Math.abs(plane.columnMm - first.columnMm) > 1e-4;
    return !turned && !scaled && Math.sqrt(dot(off, off)) <= Math.abs(step) * EVEN + 0.01;
  });
}

/** Whether samples can stay as they are: one rescale and one type for all slices. */
const isPlain = (slices: Slice[]) => {
  const first = slices[0]?.instance as ViewInstance;
  return slices.every(
    ({ instance }) =>
      instance.rescale_slope === first.rescale_slope &&
      instance.rescale_intercept === first.rescale_intercept &&
      instance.pixel_signed === first.pixel_signed &&
      instance.bits_allocated === first.bits_allocated,
  );
};

export class Volume {
  readonly image: ViewInstance;
  readonly axes: [Axis, Axis, Axis];
  readonly origin: Vector;
  readonly samples: Samples;

  constructor(
    readonly name: string,
    stack: StackSource,
  ) {
    const [slices, planes] = [stack.slices, stack.planes as Plane[]];
    const [first, last] = [planes[0] as Plane, planes.at(-1) as Plane];
    const instance = (slices[0] as Slice).instance;
    const { rows, columns } = instance;
    const length = rows * columns * slices.length;
    const step = distance(first, last.position) / (slices.length - 1);
    const plain = isPlain(slices);
    this.image = plain ? instance : { ...instance, rescale_slope: 1, rescale_intercept: 0 };
    this.samples = plain ? samplesLike(instance, length) : new Float32Array(length);
    this.origin = first.position;
    this.axes = [
      { direction: first.right, size: columns, mm: first.columnMm, stride: 1 },
      { direction: first.down, size: rows, mm: first.rowMm, stride: columns },
      { direction: step > 0 ? normalOf(first) : minus(normalOf(first)), size: slices.length, mm: Math.abs(step), stride: rows * columns },
    ];
  }

  put(index: number, samples: Samples, instance: ViewInstance) {
    const start = index * this.axes[2].stride;
    if (!(this.samples instanceof Float32Array)) this.samples.set(samples.subarray(0, this.axes[2].stride), start);
    else for (let at = 0; at < this.axes[2].stride; at += 1) this.samples[start + at] = rescaled(samples[at] as number, instance);
  }
}

function samplesLike({ bits_allocated, pixel_signed }: ViewInstance, length: number): Samples {
  if (bits_allocated > 8) return pixel_signed ? new Int16Array(length) : new Uint16Array(length);
  return pixel_signed ? new Int8Array(length) : new Uint8Array(length);
}

/** Reads all slices into a volume; `progress` hears how many are there. */
export async function readVolume(stack: StackSource, signal: AbortSignal, progress: (done: number) => void): Promise<Volume> {
  const volume = new Volume(stack.seriesUid, stack);
  let [next, done] = [0, 0];
  const worker = async () => {
    while (next < stack.count && !signal.aborted) {
      const index = next++;
      volume.put(index, await stack.read(index, signal), (stack.slices[index] as Slice).instance);
      progress((done += 1));
    }
  };
  await Promise.all(Array.from({ length: FETCHES }, worker));
  signal.throwIfAborted();
  return volume;
}

/** Where the screen's right and down point in the patient, as radiologists hang images. */
const HANGING: Record<Cut, [Vector, Vector]> = {
  axial: [[1, 0, 0], [0, 1, 0]],
  coronal: [[1, 0, 0], [0, 0, -1]],
  sagittal: [[0, 1, 0], [0, 0, -1]],
};

interface Turned extends Axis {
  flipped: boolean;
}

/** The axes of a volume that come nearest to the screen's right, its down, and the way through the slices. */
export function turn(axes: Axis[], cut: Cut): [Turned, Turned, Turned] {
  const [right, down] = HANGING[cut];
  const through = cross(right, down);
  const rest = [...axes];
  const take = (wanted: Vector): Turned => {
    rest.sort((a, b) => Math.abs(dot(b.direction, wanted)) - Math.abs(dot(a.direction, wanted)));
    const axis = rest.shift() as Axis;
    return { ...axis, flipped: dot(axis.direction, wanted) < 0 };
  };
  const third = take(through);
  const first = take(right);
  return [first, take(down), third];
}

export class VolumeSource implements Source {
  readonly #axes: [Turned, Turned, Turned];

  constructor(
    readonly volume: Volume,
    readonly cut: Cut,
  ) {
    this.#axes = turn(volume.axes, cut);
  }

  get count() {
    return this.#axes[2].size;
  }

  imageAt(): ViewInstance {
    const [right, down] = this.#axes;
    return { ...this.volume.image, columns: right.size, rows: down.size, pixel_spacing_mm: [down.mm, right.mm], position_mm: null };
  }

  planeAt(index: number): Plane {
    const [right, down] = this.#axes;
    let position = this.volume.origin;
    for (const axis of this.#axes) {
      const at = axis === this.#axes[2] ? index : 0;
      position = plus(position, axis.direction, axis.mm * (axis.flipped ? axis.size - 1 - at : at));
    }
    const pointing = (axis: Turned) => (axis.flipped ? minus(axis.direction) : axis.direction);
    return { position, right: pointing(right), down: pointing(down), rowMm: down.mm, columnMm: right.mm };
  }

  keyAt(index: number) {
    return `${this.volume.name}/${this.cut}/${index}`;
  }

  async load(index: number): Promise<Samples> {
    const [right, down, through] = this.#axes;
    const step = (axis: Turned) => (axis.flipped ? -axis.stride : axis.stride);
    const start = (axis: Turned, at: number) => (axis.flipped ? axis.size - 1 - at : at) * axis.stride;
    const from = this.volume.samples;
    const made = from.slice(0, 0).constructor as new (length: number) => Samples;
    const samples = new made(right.size * down.size);
    const corner = start(through, index) + start(right, 0) + start(down, 0);
    for (let row = 0, to = 0; row < down.size; row += 1) {
      let at = corner + row * step(down);
      for (let column = 0; column < right.size; column += 1, to += 1, at += step(right)) samples[to] = from[at] as number;
    }
    return samples;
  }

  follow() {
    // Everything is here.
  }

  leave() {
    // The volume belongs to the panel.
  }
}
