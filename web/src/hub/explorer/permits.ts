// The permits of an account to count exactly, as the explorer offers them.
import type { AccessRequest } from '../../api/types';

export interface CountingPermit {
  id: string;
  title: string;
  datasets: number;
  until: string;
}

/** Permits to count that are in force, those that end last first. */
export function countingPermits(requests: AccessRequest[], now: Date): CountingPermit[] {
  const at = now.getTime();
  return requests
    .filter(({ state, proposed_permit: permit }) => {
      const granted = typeof state === 'object' && 'granted' in state;
      const inForce = Date.parse(permit.valid_from) <= at && at < Date.parse(permit.valid_until);
      return granted && inForce && permit.operations.includes('count');
    })
    .map(({ asked, proposed_permit: permit }) => ({
      id: permit.id,
      title: asked.title,
      datasets: permit.datasets.length,
      until: permit.valid_until,
    }))
    .sort((one, other) => other.until.localeCompare(one.until));
}

/** Where a question stands in the address: with noise, or exactly under a permit; and by which fields it is counted too. */
export function explorerHref(text: string, permit: string, fields: string[] = []): string {
  const query = `q=${encodeURIComponent(text)}`;
  const by = fields.length > 0 ? `&by=${fields.join(',')}` : '';
  return `/explorer?${query}${permit === '' ? '' : `&permit=${encodeURIComponent(permit)}`}${by}`;
}
