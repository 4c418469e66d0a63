// Seeded randomness, so that the mock shows the same every time.

/** Numbers in [0, 1) (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal numbers (Box-Muller). */
export function normal(next) {
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

const idBytes = random(7);

/** An id of the form that the programs use. */
export function newId(prefix) {
  const digits = Array.from({ length: 32 }, () => Math.floor(idBytes() * 16).toString(16)).join('');
  return `${prefix}_${digits}`;
}

/** As many hexadecimal digits as a SHA-256 has. */
export const newDigest = () => newId('').slice(1) + newId('').slice(1);
