// A panel of facets over all sites: per field and value, the sum of what sites say, all with noise or all exact. Hidden counts are not
// guessed.
import type { PermittedCount, ProtectedCount, SearchState, SiteAnswer } from '../../api/types';

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

interface SiteFacet {
  field: string;
  cells: { value: string; patients: ProtectedCount | PermittedCount }[];
  margin: number;
  lifted?: string[];
}

function facetsAt(answer: SiteAnswer): SiteFacet[] {
  if (typeof answer !== 'object') return [];
  if ('counted' in answer) return answer.counted.facets ?? [];
  if ('exact' in answer) return (answer.exact.facets ?? []).map((facet) => ({ ...facet, margin: 0 }));
  return [];
}

function numberOf(count: ProtectedCount | PermittedCount): number | undefined {
  if ('about' in count) return count.about;
  return 'exactly' in count ? count.exactly : undefined;
}

export function facetsOf(state: SearchState): Facet[] {
  const fields = new Map<string, { cells: Map<string, FacetCell>; variance: number; lifted: string[] }>();
  for (const { answer } of state.sites) {
    for (const { field, cells, margin, lifted = [] } of facetsAt(answer)) {
      const known = fields.get(field) ?? { cells: new Map(), variance: 0, lifted };
      fields.set(field, known);
      // Noises of different sites are independent: their variances add.
      known.variance += margin ** 2;
      for (const { value, patients } of cells) {
        const cell = known.cells.get(value) ?? { value, about: 0, hidden: 0 };
        known.cells.set(value, cell);
        const number = numberOf(patients);
        if (number === undefined) cell.hidden += 1;
        else cell.about += number;
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
