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
}

export function facetsOf(state: SearchState): Facet[] {
  const fields = new Map<string, { cells: Map<string, FacetCell>; variance: number }>();
  for (const { answer } of state.sites) {
    if (typeof answer !== 'object' || !('counted' in answer)) continue;
    for (const { field, cells, margin } of answer.counted.facets ?? []) {
      const known = fields.get(field) ?? { cells: new Map(), variance: 0 };
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
    .map(([field, { cells, variance }]) => {
      const sorted = [...cells.values()].sort((one, other) => other.about - one.about || one.value.localeCompare(other.value));
      return { field, cells: sorted, most: sorted[0]?.about ?? 0, margin: Math.round(Math.sqrt(variance)) };
    })
    .filter(({ cells }) => cells.length > 0);
}
