// What plots are drawn of: steps of a number added over the sites, what asking costs, and who is not in it.
import type { BudgetState, FieldInfo, SearchState, SiteSearch } from '../../api/types';
import type { Bar } from '../../charts/BarChart.svelte';

/** Limits of a step's name: `..20`, `20..30`, `90..`. */
export interface Step {
  name: string;
  from?: number;
  below?: number;
}

export function stepOf(name: string): Step {
  const [from = '', below = ''] = name.split('..');
  return { name, ...(from && { from: Number(from) }), ...(below && { below: Number(below) }) };
}

/** A number that patients are counted by in fixed steps. */
export const isStepped = ({ steps }: FieldInfo) => steps.length > 0;

export interface StepCount extends Bar {
  step: Step;
  /** Sites that hide a small count. */
  hidden: number;
}

const countedBy = ({ answer }: SiteSearch) => (typeof answer === 'object' && 'counted' in answer ? answer.counted : undefined);

/** Patients by step over all sites, in the order of the steps; and the sites that have none of it. */
export function stepsOf(state: SearchState, field: string): { bars: StepCount[]; margin: number; unrecorded: string[] } {
  const bars = new Map<string, StepCount>();
  const unrecorded: string[] = [];
  let variance = 0;
  for (const site of state.sites) {
    const facet = countedBy(site)?.facets?.find((facet) => facet.field === field);
    if (!facet) continue;
    if (facet.cells.length === 0) unrecorded.push(site.name);
    // Noises of different sites are independent: their variances add.
    else variance += facet.margin ** 2;
    for (const { value, patients } of facet.cells) {
      const bar = bars.get(value) ?? { name: value, about: 0, hidden: 0, step: stepOf(value) };
      bars.set(value, bar);
      if ('about' in patients) bar.about += patients.about;
      else bar.hidden += 1;
    }
  }
  const ordered = [...bars.values()].sort((one, other) => (one.step.from ?? -Infinity) - (other.step.from ?? -Infinity));
  return { bars: ordered, margin: Math.round(Math.sqrt(variance)), unrecorded };
}

export interface Cost {
  /** Hundredths of a data user's budget, where it costs most. */
  percent: number;
  /** Hundredths that are left, where least is. */
  left: number;
  days: number;
}

/** What asking costs at the sites that counted; none where no site says. */
export function costOf(state: SearchState, price: (budget: BudgetState) => number): Cost | undefined {
  const budgets = state.sites.flatMap((site) => countedBy(site)?.budget ?? []).filter((budget) => price(budget) > 0);
  if (budgets.length === 0) return undefined;
  const share = (of: (budget: BudgetState) => number) => budgets.map((budget) => (100 * of(budget)) / Math.max(1, budget.budget_microrho));
  return {
    percent: Math.max(...share(price)),
    left: Math.max(0, Math.min(...share(({ budget_microrho, spent_microrho }) => budget_microrho - spent_microrho))),
    days: Math.max(...budgets.map(({ period_days }) => period_days)),
  };
}

/** Why sites have no part in a plot: their words by their names. */
export function troublesOf(state: SearchState): { name: string; reason: string }[] {
  return state.sites.flatMap(({ name, answer }) => {
    if (typeof answer === 'string') return answer === 'late' ? [{ name, reason: '' }] : [];
    if ('refused' in answer) return [{ name, reason: answer.refused.reason }];
    if ('failed' in answer) return [{ name, reason: answer.failed.reason }];
    return [];
  });
}
