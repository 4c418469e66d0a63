// The viewer's keys: what each does, and the table of them for the help.
import type { MessageKey } from '../messages';
import type { Layout, Tool, Workspace } from './workspace.svelte';
import type { PlaneName } from './viewer.svelte';

const PAGE = 10;
const ZOOM = 1.25;
/** Share of the window's width that a key changes. */
const WINDOW = 0.1;
/** Stage pixels that a key moves the image. */
const PAN = 40;

type Act = (space: Workspace) => void;
const move = (by: number): Act => (space) => space.viewer.goTo(space.viewer.index + by);
const tool = (name: Tool): Act => (space) => (space.tool = name);
const plane = (name: PlaneName): Act => (space) => void space.viewer.choosePlane(name);
const windowBy = (wide: number, bright: number): Act => (space) => space.viewer.changeWindow(wide, bright);
const cursor = (x: number, y: number): Act => (space) => {
  space.viewer.moveCursor(x, y);
  if (space.draft && space.viewer.cursor) space.draw(space.viewer.cursor);
};
const pan = (x: number, y: number): Act => (space) => space.viewer.panBy(x * PAN, y * PAN);

const ACTS: Record<string, Act> = {
  ArrowUp: move(-1),
  ArrowLeft: move(-1),
  ArrowDown: move(1),
  ArrowRight: move(1),
  PageUp: move(-PAGE),
  PageDown: move(PAGE),
  Home: (space) => space.viewer.goTo(0),
  End: (space) => space.viewer.goTo(space.viewer.count - 1),
  '+': (space) => space.viewer.zoomBy(ZOOM),
  '-': (space) => space.viewer.zoomBy(1 / ZOOM),
  '0': (space) => space.viewer.fit(),
  '[': windowBy(-WINDOW, 0),
  ']': windowBy(WINDOW, 0),
  ',': windowBy(0, WINDOW),
  '.': windowBy(0, -WINDOW),
  i: (space) => (space.viewer.inverted = !space.viewer.inverted),
  r: (space) => space.viewer.reset(),
  o: (space) => space.viewer.overlays.toggleAll(),
  w: tool('window'),
  s: tool('scroll'),
  p: tool('pan'),
  z: tool('zoom'),
  l: tool('length'),
  b: tool('rectangle'),
  e: tool('ellipse'),
  x: plane('stack'),
  a: plane('axial'),
  c: plane('coronal'),
  g: plane('sagittal'),
  v: (space) => space.setLayout(({ 1: 2, 2: 4, 4: 1 } as Record<Layout, Layout>)[space.layout]),
  n: (space) => space.activate((space.active + 1) % space.layout),
  k: (space) => space.toggleLink(),
  ' ': (space) => (space.viewer.playing ? space.viewer.stop() : space.viewer.play()),
  Enter: (space) => space.point(),
  Delete: (space) => space.removeLast(),
  Backspace: (space) => space.removeLast(),
  '?': (space) => (space.helping = true),
};

const SHIFTED: Record<string, Act> = {
  ArrowUp: cursor(0, -1),
  ArrowDown: cursor(0, 1),
  ArrowLeft: cursor(-1, 0),
  ArrowRight: cursor(1, 0),
};
const WITH_ALT: Record<string, Act> = {
  ArrowUp: pan(0, -1),
  ArrowDown: pan(0, 1),
  ArrowLeft: pan(-1, 0),
  ArrowRight: pan(1, 0),
};

/** Carries out a key; controls that use keys themselves keep theirs. */
export function press(space: Workspace, event: KeyboardEvent) {
  const target = event.target as Element;
  const isPressed = ['Enter', ' '].includes(event.key) && target.closest('button, a, summary') !== null;
  const inControl = target.closest('input, select, textarea, [role=dialog], dialog') !== null;
  if (space.helping || inControl || isPressed || event.ctrlKey || event.metaKey) return;
  const act = actOf(space, event);
  if (!act) return;
  event.preventDefault();
  act(space);
}

function actOf(space: Workspace, { key, shiftKey, altKey }: KeyboardEvent): Act | undefined {
  if (altKey) return WITH_ALT[key];
  if (shiftKey && SHIFTED[key]) return SHIFTED[key];
  const preset = space.viewer.presets[Number(key) - 1];
  return ACTS[key.length === 1 ? key.toLowerCase() : key] ?? (preset ? () => space.viewer.choose(preset) : undefined);
}

/** Keys and what they do, for the help. */
export const KEY_HELP: [string, MessageKey][] = [
  ['↑ ↓ ← →', 'keys.slice'],
  ['Page ↑ ↓', 'keys.page'],
  ['Home / End', 'keys.ends'],
  ['Space', 'keys.play'],
  ['1 – 9', 'keys.preset'],
  ['[ ] , .', 'keys.window'],
  ['I', 'keys.invert'],
  ['+ / −', 'keys.zoom'],
  ['Alt + arrows', 'keys.pan'],
  ['0', 'keys.fit'],
  ['R', 'keys.reset'],
  ['O', 'keys.outlines'],
  ['W S P Z', 'keys.tools'],
  ['L B E', 'keys.measure'],
  ['Shift + arrows', 'keys.cursor'],
  ['Enter', 'keys.point'],
  ['Delete', 'keys.remove'],
  ['X A C G', 'keys.planes'],
  ['V, N', 'keys.panels'],
  ['K', 'keys.link'],
  ['?', 'keys.help'],
];

/** The same for the pointer. */
export const POINTER_HELP: [MessageKey, MessageKey][] = [
  ['pointer.wheel', 'keys.slice'],
  ['pointer.ctrl_wheel', 'keys.zoom'],
  ['pointer.left', 'pointer.tool'],
  ['pointer.middle', 'pointer.pan'],
  ['pointer.right', 'pointer.window'],
  ['pointer.double', 'keys.fit'],
];
