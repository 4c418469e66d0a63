// What lies on the slices of a series: outlines and segments; which of them are shown, and how strongly.
import * as api from '../api/client';
import type { OutlineRegion, SeriesSegmentation } from '../api/types';
import { Masks, layersOf, paint, type Layer, type Mask, type Segment } from './segments';

/** Segments let the image through. */
const OPACITY = 0.45;

/** A layer of one slice, ready to be drawn. */
export interface Painted {
  image: ImageData;
  grid: SeriesSegmentation['grids'][number] | null;
}

export class Overlays {
  regions = $state.raw<OutlineRegion[]>([]);
  layers = $state.raw<Layer[]>([]);
  /** Segmentations as they came, with those that cannot be shown. */
  segmentations = $state.raw<SeriesSegmentation[]>([]);
  state = $state<'waiting' | 'here' | 'failed'>('waiting');
  /** Names of regions and keys of segments that are not drawn. */
  hidden = $state.raw<ReadonlySet<string>>(new Set());
  opacity = $state(OPACITY);
  /** Masks of the slice that is shown, by layer. */
  #masks = $state.raw<{ slice: string; layers: Mask[][] }>({ slice: '', layers: [] });
  /** Whether a frame of the shown slice could not be read. */
  missing = $state(false);
  readonly #kept = new Masks();
  #loading = new AbortController();

  constructor(regions: OutlineRegion[]) {
    this.regions = regions;
  }

  async read(seriesUid: string) {
    try {
      this.segmentations = await api.segmentations(seriesUid);
      this.layers = layersOf(this.segmentations);
      this.state = 'here';
    } catch {
      this.state = 'failed';
    }
  }

  get keys(): string[] {
    const segments = this.layers.flatMap((layer) => layer.segments.map(({ key }) => key));
    return [...this.regions.map(({ name }) => name), ...segments];
  }

  /** Fetches the masks of a slice; those of the slice before are given up. */
  async show(slice: string) {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    const layers: Mask[][] = this.layers.map(() => []);
    const publish = () => {
      if (!signal.aborted) this.#masks = { slice, layers: [...layers] };
    };
    this.missing = false;
    const load = async (layer: Layer, at: number) => {
      const arrived = (masks: Mask[]) => {
        layers[at] = masks;
        publish();
      };
      arrived(await this.#kept.load(layer, slice, signal, arrived));
    };
    const results = await Promise.allSettled(this.layers.map(load));
    if (!signal.aborted) this.missing = results.some(({ status }) => status === 'rejected');
    publish();
  }

  /** Layers of a slice as images; empty while they are on their way. */
  paintedOn(slice: string): Painted[] {
    const { slice: of, layers } = this.#masks;
    if (of !== slice) return [];
    return layers.flatMap((masks, at) => {
      const image = paint(this.layers[at] as Layer, masks, this.hidden);
      return image ? [{ image, grid: masks[0]?.grid ?? null }] : [];
    });
  }

  /** Whether a segment is on the shown slice; of a label map that is known once its frame is here. */
  isOn(slice: string, segment: Segment, at: number): boolean {
    if (this.layers[at]?.segmentation.kind !== 'label_map') return segment.slices.includes(slice);
    const { slice: of, layers } = this.#masks;
    return of === slice && (layers[at]?.some(({ present }) => present.has(segment.number)) ?? false);
  }

  toggle(key: string) {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(key)) hidden.add(key);
    this.hidden = hidden;
  }

  /** Everything off, or all on again. */
  toggleAll() {
    this.hidden = this.hidden.size > 0 ? new Set() : new Set(this.keys);
  }

  showAll() {
    this.hidden = new Set();
  }

  hideAll() {
    this.hidden = new Set(this.keys);
  }

  leave() {
    this.#loading.abort();
  }
}
