// A CT-like thorax: body, lungs, spine, ribs, vessels and one nodule with the outlines of four readers.
import { normal, random } from './random.mjs';

export const SIZE = 256;
export const SLICES = 48;
const NODULE = { x: 88, y: 118, z: 25, radius: 9, slices: 5 };

const inEllipse = (x, y, cx, cy, rx, ry) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1;

const VESSELS = (() => {
  const next = random(3);
  return Array.from({ length: 70 }, () => ({ x: 60 + next() * 140, y: 70 + next() * 110, dx: next() - 0.5, dy: next() - 0.5, r: 0.8 + next() * 2 }));
})();

function tissue(x, y, slice) {
  const [cx, cy] = [128, 130];
  if (!inEllipse(x, y, cx, cy, 112, 84)) return -1000;
  if (!inEllipse(x, y, cx, cy, 106, 78)) return -90;
  if (inEllipse(x, y, 128, 178, 15, 13)) return inEllipse(x, y, 128, 178, 12, 10) ? 280 : 700;
  const ring = ((x - cx) / 100) ** 2 + ((y - cy) / 72) ** 2;
  if (ring > 0.9 && ring < 1 && Math.sin(Math.atan2(y - cy, x - cx) * 9 + slice * 0.35) > 0.55) return 620;
  const grow = 0.72 + 0.28 * Math.sin((Math.PI * (slice + 6)) / (SLICES + 10));
  const left = inEllipse(x, y, 82, 128, 40 * grow, 60 * grow);
  const right = inEllipse(x, y, 174, 128, 40 * grow, 60 * grow);
  if (inEllipse(x, y, 140, 118, 26 * grow, 32 * grow)) return 45;
  if (!left && !right) return 55;
  const reach = ((x - NODULE.x) ** 2 + (y - NODULE.y) ** 2) / NODULE.radius ** 2 + ((slice - NODULE.z) / NODULE.slices) ** 2;
  if (reach < 1) return 30;
  const vessel = VESSELS.some(({ x: vx, y: vy, dx, dy, r }) => Math.hypot(x - vx - dx * slice, y - vy - dy * slice) < r);
  return vessel ? 20 : -860;
}

/** The samples of one slice, 16-bit signed little-endian. */
export function frame(slice) {
  const gauss = normal(random(100 + slice));
  const samples = Buffer.alloc(SIZE * SIZE * 2);
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      const value = Math.max(-1024, Math.round(tissue(x, y, slice) + gauss() * 14));
      samples.writeInt16LE(value + 1024, (y * SIZE + x) * 2);
    }
  }
  return samples;
}

/** The outlines of four readers round the nodule. */
export function outlines(instanceUid) {
  const colors = [[255, 200, 60], [80, 200, 255], [255, 110, 170], [140, 230, 120]];
  return colors.map((color, reader) => {
    const polygons = [];
    for (let slice = 0; slice < SLICES; slice += 1) {
      const height = 1 - ((slice - NODULE.z) / NODULE.slices) ** 2;
      if (height <= 0) continue;
      const radius = NODULE.radius * Math.sqrt(height) + reader * 0.5;
      const points = Array.from({ length: 28 }, (_, i) => {
        const angle = (i / 28) * 2 * Math.PI;
        const wobble = radius + Math.sin(angle * (3 + reader)) * 0.7;
        return [NODULE.x + reader * 0.3 + wobble * Math.cos(angle), NODULE.y + wobble * Math.sin(angle)];
      });
      polygons.push({ instance_uid: instanceUid(slice), points });
    }
    return { name: `Nodule 1, reader ${reader + 1}`, color, polygons };
  });
}

const SEGMENTS = { 1: [82, 128, 30, 45], 2: [140, 118, 20, 24] };
const LABELS = { 1: [128, 178, 15, 13], 2: [174, 128, 12, 20] };

/** One byte a pixel: 1 inside of a segment, or the number of each in a label map. */
export function segment(kind, number) {
  const samples = Buffer.alloc(SIZE * SIZE);
  const shapes = kind === 'labels' ? LABELS : { 1: SEGMENTS[number] };
  for (const [value, [cx, cy, rx, ry]] of Object.entries(shapes))
    for (let y = 0; y < SIZE; y += 1) for (let x = 0; x < SIZE; x += 1) if (inEllipse(x, y, cx, cy, rx, ry)) samples[y * SIZE + x] = Number(value);
  return samples;
}
