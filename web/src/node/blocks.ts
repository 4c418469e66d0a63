// Elements as rows of a table: those that a maker of devices added, which are many and have no names, one block each. Pure.
import type { PreviewElement } from '../api/types';

/** An element by itself. */
export interface Single {
  kind: 'single';
  element: PreviewElement;
}

/** The private elements of one creator (PS3.5 section 7.8). */
export interface Block {
  kind: 'block';
  /** Group and block, such as `0019,10`. */
  key: string;
  /** Who made them, as it is said before; empty when nobody says. */
  creator: string;
  elements: PreviewElement[];
}

const TOP = /^\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})\)/;

/** Which private block an element lies in, itself or in a sequence of it; `null` for those of the standard. */
export function blockOf(path: string): string | null {
  const [, group, high, low] = TOP.exec(path) ?? [];
  if (group === undefined || parseInt(group, 16) % 2 === 0) return null;
  return `${group},${high === '00' ? low : high}`;
}

/** In order; a block stands where its first element does. `all` says who the creators are when `shown` leaves them out. */
export function rows(shown: PreviewElement[], all: PreviewElement[]): (Single | Block)[] {
  const creators = new Map<string, string>();
  for (const { path, before, after } of all) {
    const key = blockOf(path);
    if (key !== null && TOP.exec(path)?.[2] === '00') creators.set(key, before ?? after ?? '');
  }
  const blocks = new Map<string, Block>();
  const out: (Single | Block)[] = [];
  for (const element of shown) {
    const key = blockOf(element.path);
    const known = key === null ? undefined : blocks.get(key);
    if (known) known.elements.push(element);
    else if (key === null) out.push({ kind: 'single', element });
    else {
      const block: Block = { kind: 'block', key, creator: creators.get(key) ?? '', elements: [element] };
      blocks.set(key, block);
      out.push(block);
    }
  }
  return out;
}

/** How deep in sequences an element lies, and its own place there: `[2] (0008,0104)`. */
export function placeOf(path: string): { depth: number; place: string } {
  const parts = path.split('.');
  const own = parts.at(-1) ?? path;
  const item = /\[\d+\]$/.exec(parts.at(-2) ?? '')?.[0];
  return { depth: parts.length - 1, place: item ? `${item} ${own}` : own };
}

/** The letters of Table E.1-1 that a rule or an option ends with, as in `Table E.1-1: X/Z/U*`. */
export const lettersOf = (rule: string): string[] => /: ([XZDUKC*/]+)$/.exec(rule)?.[1]?.replaceAll('*', '').split('/') ?? [];
