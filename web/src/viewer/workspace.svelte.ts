// All panels: which is active, what dragging does, how panels scroll together, and measurements.
import * as api from '../api/client';
import type { OutlineRegion, SeriesDetail, SeriesRow } from '../api/types';
import { nearestPlane } from './geometry';
import { measure, type Measured, type Place, type Shape, type ShapeKind } from './measure';
import { Viewer } from './viewer.svelte';

export const TOOLS = ['window', 'scroll', 'pan', 'zoom', 'length', 'rectangle', 'ellipse'] as const;
export type Tool = (typeof TOOLS)[number];
export const isShape = (tool: Tool): tool is ShapeKind => tool === 'length' || tool === 'rectangle' || tool === 'ellipse';

/** Measurements of one visit; the oldest goes first. */
const MAX_MEASUREMENTS = 200;

export interface Measurement {
  id: number;
  /** The slice that it is on. */
  key: string;
  index: number;
  unit: string;
  shape: Shape;
  measured: Measured;
}

/** Panels of a layout. */
export type Layout = 1 | 2 | 4;

export class Workspace {
  panels = $state.raw<(Viewer | null)[]>([]);
  layout = $state<Layout>(1);
  active = $state(0);
  tool = $state<Tool>('window');
  linked = $state(true);
  measurements = $state.raw<Measurement[]>([]);
  /** A measurement that is being drawn, on a panel. */
  draft = $state.raw<{ viewer: Viewer; key: string; shape: Shape } | null>(null);
  helping = $state(false);
  /** Series of the same patient that have images. */
  others = $state.raw<SeriesRow[]>([]);
  failure = $state<string>();
  #nextId = 1;

  constructor(series: SeriesDetail, regions: OutlineRegion[]) {
    this.panels = [this.#viewer(series, regions)];
  }

  #viewer(series: SeriesDetail, regions: OutlineRegion[]) {
    return new Viewer(series, regions, (viewer) => this.#moved(viewer));
  }

  /** The active panel's viewer, or the first there is. */
  get viewer(): Viewer {
    return (this.panels[this.active] ?? this.panels.find((panel) => panel !== null)) as Viewer;
  }

  get first(): Viewer {
    return this.panels[0] as Viewer;
  }

  async readOthers() {
    try {
      const { rows } = await api.seriesOfPatient(this.first.series.row.patient);
      const drawn = ['RTSTRUCT', 'SEG', 'SR', 'PR', 'KO', 'RTPLAN', 'REG'];
      this.others = rows.filter(({ modality }) => !drawn.includes(modality));
    } catch {
      this.others = [this.first.series.row];
    }
  }

  setLayout(layout: Layout) {
    this.layout = layout;
    const panels = Array.from({ length: layout }, (_, at) => this.panels[at] ?? null);
    for (const left of this.panels.slice(layout)) left?.leave();
    this.panels = panels;
    if (this.active >= layout) this.active = 0;
    if (layout > 1 && this.others.length === 0) void this.readOthers();
  }

  activate(at: number) {
    this.active = at;
  }

  /** Another series in a panel. */
  async open(at: number, uid: string) {
    this.failure = undefined;
    try {
      const [series, regions] = await Promise.all([api.series(uid), api.outlines(uid)]);
      if (at >= this.layout) return;
      const viewer = this.#viewer(series, regions);
      this.panels[at]?.leave();
      this.panels = this.panels.with(at, viewer);
      this.active = at;
      await viewer.readPlaces();
      const leader = this.panels.find((panel) => panel !== null && panel !== viewer);
      if (leader) this.#moved(leader);
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  /** Brings other panels to the same place in the patient. */
  #moved(viewer: Viewer) {
    if (!this.linked || !viewer.frameOfReference) return;
    const plane = viewer.source.planeAt(viewer.index);
    if (!plane) return;
    for (const other of this.panels) {
      if (!other || other === viewer || other.frameOfReference !== viewer.frameOfReference) continue;
      const planes = Array.from({ length: other.count }, (_, index) => other.source.planeAt(index));
      const nearest = nearestPlane(planes, plane);
      if (nearest !== null) other.follow(nearest);
    }
  }

  toggleLink() {
    this.linked = !this.linked;
    if (this.linked) this.#moved(this.viewer);
  }

  begin(viewer: Viewer, from: Place) {
    if (isShape(this.tool) && viewer.image) this.draft = { viewer, key: viewer.key, shape: { kind: this.tool, from, to: from } };
  }

  draw(to: Place) {
    if (this.draft) this.draft = { ...this.draft, shape: { ...this.draft.shape, to } };
  }

  /** Keeps what is being drawn, unless it is a mere click or the slice is another by now. */
  finish() {
    const draft = this.draft;
    this.draft = null;
    if (!draft || draft.key !== draft.viewer.key) return;
    const { viewer, key, shape } = draft;
    const isPoint = Math.hypot(shape.to[0] - shape.from[0], shape.to[1] - shape.from[1]) < 0.5;
    if (isPoint || !viewer.samples || !viewer.image) return;
    const measured = measure(shape, viewer.image, viewer.samples);
    const made = { id: this.#nextId++, key, index: viewer.shown, unit: viewer.unit, shape, measured };
    this.measurements = [...this.measurements, made].slice(-MAX_MEASUREMENTS);
  }

  /** The cursor's way to measure: the first call sets a point, the second ends. */
  point() {
    const { viewer } = this;
    if (!isShape(this.tool)) this.tool = 'length';
    if (!viewer.cursor) viewer.moveCursor(0, 0);
    const at = viewer.cursor;
    if (!at) return;
    if (this.draft?.viewer !== viewer) return this.begin(viewer, at);
    this.draw(at);
    this.finish();
  }

  /** Gives up what is being drawn, else takes back the last measurement. */
  removeLast() {
    if (this.draft) this.draft = null;
    else this.measurements = this.measurements.slice(0, -1);
  }

  remove(id: number) {
    this.measurements = this.measurements.filter((measurement) => measurement.id !== id);
  }

  leave() {
    for (const panel of this.panels) panel?.leave();
  }
}
