// The frames of a series: flattened to slices, fetched once, kept up to a limit, neighbours ahead of time.
import * as api from '../api/client';
import type { ViewInstance } from '../api/types';
import { samplesOf, type Samples } from './pixels';

/** One frame in viewing order. */
export interface Slice {
  instance: ViewInstance;
  /** From 1. */
  frame: number;
}

/** Every frame of every instance, in order. */
export const slicesOf = (instances: ViewInstance[]): Slice[] =>
  instances.flatMap((instance) => Array.from({ length: instance.frames }, (_, index) => ({ instance, frame: index + 1 })));

/** 256 frames of a 512×512 CT take 128 MB; more than a tab should hold for one series. */
const KEPT_FRAMES = 256;
/** Frames fetched ahead in each direction. */
const AHEAD = 4;

export class Frames {
  #kept = new Map<number, Promise<Samples>>();
  #leaving = new AbortController();

  constructor(
    readonly seriesUid: string,
    readonly slices: Slice[],
  ) {}

  /** The samples of a slice; a failed fetch is forgotten, so that it can be tried again. */
  get(index: number): Promise<Samples> {
    const kept = this.#kept.get(index);
    if (kept) return kept;
    const fetched = this.#fetch(index);
    fetched.catch(() => this.#kept.delete(index));
    this.#kept.set(index, fetched);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_FRAMES && oldest !== undefined) this.#kept.delete(oldest);
    return fetched;
  }

  /** Fetches what will probably be looked at next. */
  prefetch(index: number) {
    for (let distance = 1; distance <= AHEAD; distance += 1) {
      for (const neighbour of [index + distance, index - distance])
        if (neighbour >= 0 && neighbour < this.slices.length) this.get(neighbour).catch(() => undefined);
    }
  }

  async #fetch(index: number): Promise<Samples> {
    const { instance, frame } = this.slices[index] as Slice;
    return samplesOf(await api.frame(this.seriesUid, instance.instance_uid, frame, this.#leaving.signal), instance);
  }

  /** Stops what is under way. */
  leave() {
    this.#leaving.abort();
  }
}
