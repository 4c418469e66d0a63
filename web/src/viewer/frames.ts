// The frames of a series: flattened to slices, fetched once, kept up to a number of bytes, neighbours ahead of time.
// What nobody waits for any more is cancelled.
import * as api from '../api/client';
import type { ViewInstance } from '../api/types';
import type { Plane } from './geometry';
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

/** Where a panel gets its slices from: a stack as acquired, or a volume cut in another plane. */
export interface Source {
  readonly count: number;
  /** How the samples of a slice are laid out. */
  imageAt(index: number): ViewInstance | undefined;
  planeAt(index: number): Plane | null;
  /** What a slice is called, for measurements on it. */
  keyAt(index: number): string;
  load(index: number): Promise<Samples>;
  /** Where the reader is now and which way they go: fetches ahead, and cancels what lies behind. */
  follow(index: number, direction: number): void;
  leave(): void;
}

/** 365 frames of a 512×512 CT; four panels stay below one gigabyte. */
const KEPT_BYTES = 192 << 20;
/** Frames fetched ahead in the direction of scrolling, and behind. */
const AHEAD = 6;
const BEHIND = 2;
/** Fetches ahead at a time: browsers open six connections, and one must be free for what is waited for. */
const FETCHES_AHEAD = 3;

interface Fetch {
  samples: Promise<Samples>;
  abort: AbortController;
}

export class StackSource implements Source {
  #kept = new Map<number, Samples>();
  #keptBytes = 0;
  #fetches = new Map<number, Fetch>();
  #queue: number[] = [];
  /** Planes of slices by instance and frame, as soon as they are known. */
  planes: (Plane | null)[] = [];

  constructor(
    readonly seriesUid: string,
    readonly slices: Slice[],
  ) {}

  get count() {
    return this.slices.length;
  }

  imageAt(index: number) {
    return this.slices[index]?.instance;
  }

  planeAt(index: number) {
    return this.planes[index] ?? null;
  }

  keyAt(index: number) {
    return `${this.slices[index]?.instance.instance_uid}/${this.slices[index]?.frame}`;
  }

  /** The samples of a slice; a failed fetch is forgotten, so that it can be tried again. */
  load(index: number): Promise<Samples> {
    const kept = this.#kept.get(index);
    if (kept) {
      this.#kept.delete(index);
      this.#kept.set(index, kept);
      return Promise.resolve(kept);
    }
    const fetch = this.#fetches.get(index) ?? this.#begin(index);
    return fetch.samples;
  }

  /** The samples of a slice for somebody who keeps them: nothing is added to the cache. */
  async read(index: number, signal: AbortSignal): Promise<Samples> {
    const kept = this.#kept.get(index);
    if (kept) return kept;
    const { instance, frame } = this.slices[index] as Slice;
    return samplesOf(await api.frame(this.seriesUid, instance.instance_uid, frame, signal), instance);
  }

  follow(index: number, direction: number) {
    const [after, before] = direction >= 0 ? [AHEAD, BEHIND] : [BEHIND, AHEAD];
    const isNear = (other: number) => other >= index - before && other <= index + after;
    for (const [other, fetch] of this.#fetches) if (!isNear(other)) fetch.abort.abort();
    const near = Array.from({ length: after + before + 1 }, (_, at) => index - before + at);
    this.#queue = near
      .filter((other) => other >= 0 && other < this.count && other !== index)
      .sort((a, b) => Math.abs(a - index) - Math.abs(b - index));
    this.#fetchAhead();
  }

  #fetchAhead() {
    while (this.#queue.length > 0 && this.#fetches.size < FETCHES_AHEAD) {
      const next = this.#queue.shift() as number;
      if (!this.#kept.has(next) && !this.#fetches.has(next)) this.#begin(next).samples.catch(() => undefined);
    }
  }

  #begin(index: number): Fetch {
    const abort = new AbortController();
    const fetch = { samples: this.#fetch(index, abort.signal), abort };
    this.#fetches.set(index, fetch);
    const done = () => {
      if (this.#fetches.get(index) === fetch) this.#fetches.delete(index);
      this.#fetchAhead();
    };
    fetch.samples.then(done, done);
    return fetch;
  }

  async #fetch(index: number, signal: AbortSignal): Promise<Samples> {
    const samples = await this.read(index, signal);
    this.#keep(index, samples);
    return samples;
  }

  #keep(index: number, samples: Samples) {
    this.#kept.set(index, samples);
    this.#keptBytes += samples.byteLength;
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES || oldest === index) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= byteLength;
    }
  }

  /** Stops what is under way. */
  leave() {
    this.#queue = [];
    for (const { abort } of this.#fetches.values()) abort.abort();
    this.#kept.clear();
    this.#keptBytes = 0;
  }
}
