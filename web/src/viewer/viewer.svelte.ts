// What one panel shows: series, plane, slice, window, zoom, place and what lies on top. Its components draw it and
// change it; nothing here knows of canvases.
import * as api from '../api/client';
import type { OutlineRegion, SeriesDetail } from '../api/types';
import { StackSource, slicesOf, type Source } from './frames';
import { planeOf } from './geometry';
import { autoWindow, rangeOf, type Samples, type Window } from './pixels';
import { presetsOf, type Preset } from './presets';
import { Overlays } from './overlays.svelte';
import { VolumeSource, readVolume, volumeOf, type Cut, type Refusal, type Volume } from './volume';

const ZOOM_LIMITS = [0.25, 24] as const;
/** The standard knows none below 1, for stored values of whole numbers; rescaled ones may be fractions. */
export const LEAST_WIDTH = 1e-3;
/** Cine where the file does not say how fast. */
const FRAMES_A_SECOND = 12;

export type PlaneName = 'stack' | Cut;

export class Viewer {
  readonly stack: StackSource;
  readonly overlays: Overlays;
  source = $state.raw<Source>() as Source;
  plane = $state<PlaneName>('stack');
  index = $state(0);
  samples = $state.raw<Samples>();
  /** The slice that `samples` belong to; an older one until the next is here. */
  shown = $state(0);
  failure = $state<string>();
  /** What a person chose; until then the first preset. */
  #chosen = $state.raw<Window>();
  #first = $state.raw<Window>({ center: 128, width: 256 });
  /** What the window's sliders reach: Hounsfield units, or what the first frame holds. */
  range = $state.raw({ low: -1200, high: 3000 });
  zoom = $state(1);
  pan = $state.raw({ x: 0, y: 0 });
  inverted = $state(false);
  playing = $state(false);
  rate = $state(FRAMES_A_SECOND);
  /** Where keys read values and set points, in pixels of the slice. */
  cursor = $state.raw<readonly [number, number] | null>(null);
  frameOfReference = $state.raw<string | null>(null);
  /** Whether places are known yet: until then nobody can say whether there are other planes. */
  placed = $state(false);
  reading = $state.raw<{ done: number; abort: AbortController }>();
  volumeFailed = $state(false);
  #volume: Volume | undefined;
  /** Where the stack was left for another plane. */
  #stackIndex = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly series: SeriesDetail,
    regions: OutlineRegion[],
    readonly moved: (viewer: Viewer) => void = () => undefined,
  ) {
    this.stack = new StackSource(series.row.series_uid, slicesOf(series.instances));
    this.source = this.stack;
    this.overlays = new Overlays(regions);
    // Uptake is read dark on white.
    this.inverted = series.row.modality === 'PT';
    this.#jump(this.firstSlice());
  }

  get window() {
    return this.#chosen ?? this.#first;
  }

  set window(window: Window) {
    this.#chosen = window;
  }

  get count() {
    return this.source.count;
  }

  get image() {
    return this.source.imageAt(this.shown);
  }

  /** The slice as acquired; nothing in another plane. */
  get slice() {
    return this.plane === 'stack' ? this.stack.slices[this.shown] : undefined;
  }

  get key() {
    return this.source.keyAt(this.shown);
  }

  get presets(): Preset[] {
    return presetsOf(this.series);
  }

  get unit() {
    return this.series.row.modality === 'CT' ? ' HU' : '';
  }

  /** The middle of the largest outline, else the middle of the series. */
  firstSlice(): number {
    const region = this.overlays.regions.toSorted((a, b) => b.polygons.length - a.polygons.length)[0];
    return (region && this.sliceOf(region.polygons.map(({ instance_uid }) => `${instance_uid}/1`))) ?? Math.floor(this.stack.count / 2);
  }

  /** The middle of the slices with these keys. */
  sliceOf(keys: string[]): number | undefined {
    const on = new Set(keys);
    const slices = this.stack.slices.flatMap((_, index) => (on.has(this.stack.keyAt(index)) ? [index] : []));
    return slices[Math.floor(slices.length / 2)];
  }

  goTo(index: number) {
    this.#jump(index);
    this.moved(this);
  }

  /** Without telling anybody: what follows another panel must not lead it. */
  #jump(index: number) {
    const before = this.index;
    this.index = Math.max(0, Math.min(this.count - 1, index));
    this.source.follow(this.index, this.index - before);
    void this.#load(this.index, this.source);
  }

  follow(index: number) {
    if (index !== this.index) this.#jump(index);
  }

  /** To a slice as acquired, whatever plane is shown. */
  find(index: number) {
    if (this.plane !== 'stack') void this.choosePlane('stack');
    this.goTo(index);
  }

  async #load(index: number, source: Source) {
    if (this.count === 0) return;
    try {
      const samples = await source.load(index);
      if (index !== this.index || source !== this.source) return;
      const isFirst = this.samples === undefined;
      [this.samples, this.shown, this.failure] = [samples, index, undefined];
      if (isFirst) this.#begin(samples);
    } catch (error) {
      const isStale = index !== this.index || source !== this.source || (error instanceof Error && error.name === 'AbortError');
      if (!isStale) this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  #begin(samples: Samples) {
    const image = this.image;
    if (image && this.series.row.modality !== 'CT') this.range = rangeOf(samples, image);
    this.#first = this.#windowOf(this.presets[0] as Preset) ?? this.#first;
  }

  /** What is not needed for the first slice: where slices lie, and segmentations on them. */
  async readPlaces() {
    const uid = this.series.row.series_uid;
    const overlays = this.overlays.read(uid);
    try {
      const { frame_of_reference, frames } = await api.placements(uid);
      const places = new Map(frames.map((frame) => [`${frame.instance_uid}/${frame.frame}`, planeOf(frame)]));
      this.stack.planes = this.stack.slices.map((_, index) => places.get(this.stack.keyAt(index)) ?? null);
      this.frameOfReference = frame_of_reference;
    } catch {
      // Without places the series can still be read; planes and links say that they are missing.
      this.stack.planes = [];
    }
    this.placed = true;
    await overlays;
  }

  /** Why there are no other planes. */
  get refusal(): Refusal | null {
    return this.placed ? volumeOf(this.stack) : null;
  }

  async choosePlane(plane: PlaneName) {
    if (plane === this.plane || (plane !== 'stack' && (!this.placed || this.refusal))) return;
    this.stop();
    if (plane !== 'stack' && !this.#volume && !(await this.#readVolume())) return;
    if (this.plane === 'stack') this.#stackIndex = this.index;
    this.plane = plane;
    this.source = plane === 'stack' ? this.stack : new VolumeSource(this.#volume as Volume, plane);
    this.cursor = null;
    this.fit();
    this.goTo(plane === 'stack' ? this.#stackIndex : Math.floor(this.count / 2));
  }

  async #readVolume(): Promise<boolean> {
    if (this.reading) return false;
    const abort = new AbortController();
    this.reading = { done: 0, abort };
    this.volumeFailed = false;
    try {
      this.#volume = await readVolume(this.stack, abort.signal, (done) => (this.reading = { done, abort }));
      return true;
    } catch {
      this.volumeFailed = !abort.signal.aborted;
      return false;
    } finally {
      this.reading = undefined;
    }
  }

  choose(preset: Preset) {
    this.window = this.#windowOf(preset) ?? this.window;
  }

  /** Nothing for what is computed as long as there is no frame. */
  #windowOf({ window }: Preset): Window | undefined {
    if (typeof window !== 'string') return window;
    if (!this.samples || !this.image) return undefined;
    if (window === 'auto') return autoWindow(this.samples, this.image);
    const { low, high } = rangeOf(this.samples, this.image);
    const top = window === 'full' ? high : low + (high - low) / 2;
    return { center: (low + top) / 2, width: Math.max(LEAST_WIDTH, top - low) };
  }

  /** `wide` and `bright` in shares of the window's width. */
  changeWindow(wide: number, bright: number) {
    const { center, width } = this.window;
    this.window = { center: center + bright * width, width: Math.max(LEAST_WIDTH, width * (1 + wide)) };
  }

  zoomBy(factor: number) {
    this.zoom = Math.max(ZOOM_LIMITS[0], Math.min(ZOOM_LIMITS[1], this.zoom * factor));
  }

  panBy(x: number, y: number) {
    this.pan = { x: this.pan.x + x, y: this.pan.y + y };
  }

  fit() {
    this.zoom = 1;
    this.pan = { x: 0, y: 0 };
  }

  reset() {
    this.fit();
    this.#chosen = undefined;
    this.inverted = this.series.row.modality === 'PT';
    this.cursor = null;
    this.stop();
  }

  moveCursor(x: number, y: number) {
    const image = this.image;
    if (!image) return;
    const [column, row] = this.cursor ?? [Math.floor(image.columns / 2) + 0.5 - x, Math.floor(image.rows / 2) + 0.5 - y];
    const within = (value: number, size: number) => Math.max(0.5, Math.min(size - 0.5, value));
    this.cursor = [within(column + x, image.columns), within(row + y, image.rows)];
  }

  play() {
    if (this.count < 2) return;
    this.playing = true;
    clearInterval(this.#timer);
    // A frame that is late is left out, not queued: the next tick asks for the one after.
    this.#timer = setInterval(() => this.goTo((this.index + 1) % this.count), 1000 / this.rate);
  }

  stop() {
    this.playing = false;
    clearInterval(this.#timer);
  }

  leave() {
    this.stop();
    this.reading?.abort.abort();
    this.#volume = undefined;
    this.overlays.leave();
    this.stack.leave();
  }
}
