// What the viewer shows: slice, window, zoom, place and outlines. Its components draw it and change it; nothing here
// knows of canvases.
import type { OutlineRegion, SeriesDetail } from '../api/types';
import type { MessageKey } from '../messages';
import { Frames, slicesOf } from './frames';
import { autoWindow, rangeOf, type Samples, type Window } from './pixels';

export interface Preset {
  name: MessageKey;
  /** `auto` is computed from the frame. */
  window: Window | 'auto';
}

const CT_PRESETS: Preset[] = [
  { name: 'viewer.lung', window: { center: -600, width: 1500 } },
  { name: 'viewer.soft_tissue', window: { center: 40, width: 400 } },
  { name: 'viewer.bone', window: { center: 400, width: 1800 } },
];
const ZOOM_LIMITS = [0.25, 24] as const;

export class Viewer {
  readonly frames: Frames;
  index = $state(0);
  samples = $state.raw<Samples>();
  failure = $state<string>();
  /** What a person chose; until then the first preset. */
  #chosen = $state.raw<Window>();
  #first = $state.raw<Window>({ center: 128, width: 256 });
  /** What the window's sliders reach: Hounsfield units, or what the first frame holds. */
  range = $state.raw({ low: -1200, high: 3000 });
  zoom = $state(1);
  pan = $state.raw({ x: 0, y: 0 });
  /** Names of regions that are not drawn. */
  hidden = $state.raw<ReadonlySet<string>>(new Set());

  constructor(
    readonly series: SeriesDetail,
    readonly regions: OutlineRegion[],
  ) {
    this.frames = new Frames(series.row.series_uid, slicesOf(series.instances));
    this.goTo(this.firstSlice());
  }

  get window() {
    return this.#chosen ?? this.#first;
  }

  set window(window: Window) {
    this.#chosen = window;
  }

  get count() {
    return this.frames.slices.length;
  }

  get slice() {
    return this.frames.slices[this.index];
  }

  get presets(): Preset[] {
    const { instances, row } = this.series;
    const [center, width] = [instances[0]?.window_center ?? null, instances[0]?.window_width ?? null];
    const header: Preset[] = center !== null && width !== null ? [{ name: 'viewer.header', window: { center, width } }] : [];
    return [...header, ...(row.modality === 'CT' ? CT_PRESETS : []), { name: 'viewer.auto', window: 'auto' }];
  }

  /** The middle of the largest outline, else the middle of the series. */
  firstSlice(): number {
    const region = this.regions.toSorted((a, b) => b.polygons.length - a.polygons.length)[0];
    return (region && this.sliceOf(region)) ?? Math.floor(this.count / 2);
  }

  /** The middle slice that a region is on. */
  sliceOf(region: OutlineRegion): number | undefined {
    const on = new Set(region.polygons.map((polygon) => polygon.instance_uid));
    const slices = this.frames.slices.flatMap(({ instance }, index) => (on.has(instance.instance_uid) ? [index] : []));
    return slices[Math.floor(slices.length / 2)];
  }

  goTo(index: number) {
    this.index = Math.max(0, Math.min(this.count - 1, index));
    void this.#load(this.index);
  }

  async #load(index: number) {
    if (this.count === 0) return;
    try {
      const samples = await this.frames.get(index);
      if (index !== this.index) return;
      const isFirst = this.samples === undefined;
      this.samples = samples;
      this.failure = undefined;
      if (isFirst) this.#begin(samples);
      this.frames.prefetch(index);
    } catch (error) {
      if (index === this.index) this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  #begin(samples: Samples) {
    const instance = this.slice?.instance;
    if (instance && this.series.row.modality !== 'CT') this.range = rangeOf(samples, instance);
    this.#first = this.#windowOf(this.presets[0] as Preset) ?? this.#first;
  }

  choose(preset: Preset) {
    this.window = this.#windowOf(preset) ?? this.window;
  }

  /** Nothing for `auto` as long as there is no frame. */
  #windowOf({ window }: Preset): Window | undefined {
    if (window !== 'auto') return window;
    return this.samples && this.slice && autoWindow(this.samples, this.slice.instance);
  }

  zoomBy(factor: number) {
    this.zoom = Math.max(ZOOM_LIMITS[0], Math.min(ZOOM_LIMITS[1], this.zoom * factor));
  }

  fit() {
    this.zoom = 1;
    this.pan = { x: 0, y: 0 };
  }

  toggle(name: string) {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(name)) hidden.add(name);
    this.hidden = hidden;
  }

  /** All outlines off, or all on again. */
  toggleAll() {
    this.hidden = this.hidden.size > 0 ? new Set() : new Set(this.regions.map(({ name }) => name));
  }
}
