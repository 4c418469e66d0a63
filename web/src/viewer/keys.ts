// The viewer's keys: what each does, and the table of them for the help.
import type { MessageKey } from '../messages';
import type { Viewer } from './viewer.svelte';

const PAGE = 10;
const ZOOM = 1.25;

const ACTS: Record<string, (viewer: Viewer) => void> = {
  ArrowUp: (viewer) => viewer.goTo(viewer.index - 1),
  ArrowLeft: (viewer) => viewer.goTo(viewer.index - 1),
  ArrowDown: (viewer) => viewer.goTo(viewer.index + 1),
  ArrowRight: (viewer) => viewer.goTo(viewer.index + 1),
  PageUp: (viewer) => viewer.goTo(viewer.index - PAGE),
  PageDown: (viewer) => viewer.goTo(viewer.index + PAGE),
  Home: (viewer) => viewer.goTo(0),
  End: (viewer) => viewer.goTo(viewer.count - 1),
  '+': (viewer) => viewer.zoomBy(ZOOM),
  '-': (viewer) => viewer.zoomBy(1 / ZOOM),
  '0': (viewer) => viewer.fit(),
  o: (viewer) => viewer.toggleAll(),
};

/** Carries out a key; controls that use keys themselves keep theirs. */
export function press(viewer: Viewer, event: KeyboardEvent) {
  const inControl = (event.target as Element).closest('input, select, textarea, [role=dialog]') !== null;
  if (inControl || event.ctrlKey || event.metaKey || event.altKey) return;
  const preset = viewer.presets[Number(event.key) - 1];
  const act = ACTS[event.key] ?? (preset ? () => viewer.choose(preset) : undefined);
  if (!act) return;
  event.preventDefault();
  act(viewer);
}

/** Keys and what they do, for the help. */
export const KEY_HELP: [string, MessageKey][] = [
  ['↑ ↓ ← →', 'keys.slice'],
  ['Page ↑ ↓', 'keys.page'],
  ['Home / End', 'keys.ends'],
  ['1 – 5', 'keys.preset'],
  ['+ / −', 'keys.zoom'],
  ['0', 'keys.fit'],
  ['O', 'keys.outlines'],
];

/** The same for the pointer. */
export const POINTER_HELP: [MessageKey, MessageKey][] = [
  ['pointer.wheel', 'keys.slice'],
  ['pointer.ctrl_wheel', 'keys.zoom'],
  ['pointer.left', 'pointer.pan'],
  ['pointer.right', 'pointer.window'],
  ['pointer.double', 'keys.fit'],
];
