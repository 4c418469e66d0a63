// The mock's review queue: an invented ultrasound with a name in its pixels, in three frames, and a document. All people are invented.
import { deflateSync } from 'node:zlib';
import { ago } from './hub-data.mjs';
import { random } from './random.mjs';

const problem = (status, code, title, detail) => ({ status, problem: { code, status, title, detail } });
const [COLUMNS, ROWS] = [320, 240];

/** Letters of five by seven pixels, as machines write them; one number a row. */
const LETTERS = {
  R: [30, 17, 17, 30, 20, 18, 17], O: [14, 17, 17, 17, 17, 17, 14], S: [15, 16, 16, 14, 1, 1, 30], I: [14, 4, 4, 4, 4, 4, 14],
  A: [14, 17, 17, 31, 17, 17, 17], N: [17, 25, 21, 19, 17, 17, 17], ' ': [0, 0, 0, 0, 0, 0, 0],
};
const NAME = 'ROSSI ANNA';

const isInk = (x, y) => {
  const [column, row] = [Math.floor((x - 10) / 2), Math.floor((y - 8) / 2)];
  const letter = LETTERS[NAME[Math.floor(column / 6)] ?? ' '];
  return column >= 0 && row >= 0 && row < 7 && column % 6 < 5 && letter !== undefined && (letter[row] >> (4 - (column % 6))) % 2 === 1;
};

/** A fan of speckle, and the name above it. */
function samples(frame) {
  const next = random(frame);
  const bytes = Buffer.alloc(COLUMNS * ROWS);
  for (let y = 0; y < ROWS; y += 1) {
    for (let x = 0; x < COLUMNS; x += 1) {
      const [angle, depth] = [Math.atan2(x - COLUMNS / 2, y - 20), Math.hypot(x - COLUMNS / 2, y - 20)];
      const isFan = Math.abs(angle) < 0.7 && depth > 25 && depth < 205;
      bytes[y * COLUMNS + x] = isInk(x, y) ? 240 : isFan ? 30 + next() * 110 * (1 - depth / 260) + (Math.hypot(x - 150 - 4 * frame, y - 120) < 18 ? -25 : 0) : 0;
    }
  }
  return bytes;
}

const CRC = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit += 1) c = c % 2 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});
const crc = (bytes) => (bytes.reduce((c, byte) => CRC[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

function chunk(name, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(name, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** A grey PNG of 8 bits. */
function png(bytes) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(COLUMNS, 0);
  head.writeUInt32BE(ROWS, 4);
  head[8] = 8;
  const lines = Array.from({ length: ROWS }, (_, y) => Buffer.concat([Buffer.from([0]), bytes.subarray(y * COLUMNS, (y + 1) * COLUMNS)]));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.concat(lines))), chunk('IEND', Buffer.alloc(0))]);
}

const ultrasound = (id) => ({
  id, group: 'us', why: 'modality', reason: 'a person has to look at it: images of modality US often show text', choices: 'all', modality: 'US',
  sop_class: '1.2.840.10008.5.1.4.1.1.3.1', rows: ROWS, columns: COLUMNS, frames: 3, size_bytes: 231_900, since: ago(86_363_000), text: id === 6 ? 'found' : 'nothing', proposed: id === 6 ? [{ x: 0, y: 0, width: COLUMNS, height: 24, frame: null }] : [],
});

/** A head, beside the queue: its slices are as dull as its surface. */
const HEAD = {
  ...ultrasound(8), group: 'head', why: 'face', reason: 'a person has to look at it: by what its header names, its series can show a face', modality: 'CT',
  sop_class: '1.2.840.10008.5.1.4.1.1.2', frames: 1, alike: 162,
};

/** Another, whose field of view ends at the brow. */
const CUT_OFF = { ...HEAD, id: 9, group: 'cut off', alike: 181 };
const HEADS = [HEAD, CUT_OFF];

/** Instances that the text finder looks at first; only their number is told. */
export const DUE = 12;

/** The routes; `waiting` is what is left, `decided` what was sent. */
export function reviewRoutes() {
  const decided = [];
  let waiting = [
    ultrasound(4), ultrasound(5), ultrasound(6),
    { ...ultrasound(7), group: 'doc', why: 'document', reason: 'a person has to look at it: it carries a document', choices: 'refuse_only', modality: 'DOC',
      sop_class: '1.2.840.10008.5.1.4.1.1.104.1', rows: 0, columns: 0, frames: 0 },
  ];
  const find = (id) => [...waiting, ...HEADS].find((item) => item.id === Number(id));
  const missing = () => problem(404, 'not_found', 'Not found', 'Nothing of this number waits.');
  const alike = (item) => waiting.filter(({ group }) => group === item.group);
  const nextOf = (item) => [...alike(item), ...waiting].find(({ id }) => id !== item.id)?.id ?? null;
  const shown = ({ group: _, ...item }) => item;
  const routes = {
    'GET /v1/review': () => ({
      waiting: waiting.length, finder: { state: 'working', due: DUE },
      groups: [...new Set(waiting.map(({ group }) => group))].map((name) => {
        const group = waiting.filter(({ group }) => group === name);
        const { id: first, why, reason, modality, rows, columns, since, text } = group[0];
        return { first, why, reason, modality, rows, columns, since, text, instances: group.length, frames: group.reduce((sum, { frames }) => sum + frames, 0) };
      }),
    }),
    'GET /v1/review/:id': ({ id }) => {
      const item = find(id);
      return item ? { alike: alike(item).length, ...shown(item), next: HEADS.includes(item) ? null : nextOf(item) } : missing();
    },
    'GET /v1/review/:id/frames/:frame': ({ id, frame }) => (find(id) ? { bytes: png(samples(Number(frame))), type: 'image/png' } : missing()),
    'GET /v1/review/:id/face': ({ id }) => {
      if (find(id) === CUT_OFF) return problem(400, 'face_not_found', 'Bad Request', 'The face cannot be removed: its field of view cuts off the brow. Let the series in as it is, or keep it away.');
      return find(id) === HEAD ? { bytes: png(samples(1)), type: 'image/png' } : missing();
    },
    'POST /v1/review/:id/decision': ({ id }, decision) => {
      const item = find(id);
      if (!item) return missing();
      decided.push({ id: item.id, ...decision });
      const next = decision.scope === 'alike' ? (waiting.find(({ group }) => group !== item.group)?.id ?? null) : nextOf(item);
      const gone = HEADS.includes(item) ? Array(item.alike).fill(item) : decision.scope === 'alike' ? alike(item) : [item];
      waiting = waiting.filter((one) => !gone.includes(one));
      const isRefusal = decision.verdict.kind === 'refuse';
      return { kept: isRefusal ? 0 : gone.length, refused: isRefusal ? gone.length : 0, not_kept: [], left: 0, next };
    },
    'GET /v1/mock/decided': () => decided,
  };
  return { routes, count: () => waiting.length };
}
