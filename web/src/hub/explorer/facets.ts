// A panel of facets over all sites: per field and value, the sum of what sites say. Hidden counts are not guessed.
import type { SearchState } from '../../api/types';

export interface FacetCell {
  value: string;
  /** Patients, added over the sites that gave a number. */
  about: number;
  /** Sites that hide a small count. */
  hidden: number;
}

export interface Facet {
  field: string;
  cells: FacetCell[];
  /** The longest bar. */
  most: number;
  /** Half the width of the interval that holds the true sum 95 times in a hundred, hidden counts aside. */
  margin: number;
  /** Conditions about this field alone, without which it is counted. */
  lifted: string[];
}

/** Values that need no quotes in a cohort. */
const PLAIN = /^[A-Za-z0-9_.-]+$/;
/** " and " outside of quotes. */
const AND = / and (?=(?:[^"]*"[^"]*")*[^"]*$)/;

/** The same question with one value of a field as its condition; an earlier condition about the field alone gives way. */
export function narrowed(text: string, field: string, value: string): string {
  const condition = `${field} = ${PLAIN.test(value) ? value : `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`}`;
  if (text === '') return condition;
  const isPlain = !/[()]| or /.test(text);
  const others = isPlain ? text.split(AND).filter((part) => !part.startsWith(`${field} `)) : [`(${text})`];
  return [...others, condition].join(' and ');
}

export function facetsOf(state: SearchState): Facet[] {
  const fields = new Map<string, { cells: Map<string, FacetCell>; variance: number; lifted: string[] }>();
  for (const { answer } of state.sites) {
    if (typeof answer !== 'object' || !('counted' in answer)) continue;
    for (const { field, cells, margin, lifted = [] } of answer.counted.facets ?? []) {
      const known = fields.get(field) ?? { cells: new Map(), variance: 0, lifted };
      fields.set(field, known);
      // Noises of different sites are independent: their variances add.
      known.variance += margin ** 2;
      for (const { value, patients } of cells) {
        const cell = known.cells.get(value) ?? { value, about: 0, hidden: 0 };
        known.cells.set(value, cell);
        if ('about' in patients) cell.about += patients.about;
        else cell.hidden += 1;
      }
    }
  }
  return [...fields]
    .map(([field, { cells, variance, lifted }]) => {
      const sorted = [...cells.values()].sort((one, other) => other.about - one.about || one.value.localeCompare(other.value));
      return { field, cells: sorted, most: sorted[0]?.about ?? 0, margin: Math.round(Math.sqrt(variance)), lifted };
    })
    .filter(({ cells }) => cells.length > 0);
}
