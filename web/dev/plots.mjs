// The mock's plots: patients in steps, and a survival curve with its band. Made from a formula; nothing of it is anybody's.
const AGES = [20, 30, 40, 50, 60, 70, 80, 90];
export const STEPS = {
  age: AGES,
  slice_thickness: [1, 1.5, 2, 2.5, 3, 5, 8],
  malignancy: [2, 3, 4, 5],
};
const YEARS = [0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10];
export const ENDPOINTS = ['overall_survival', 'progression_free_survival'];

const protect = (count) => (count < 5 ? { fewer_than: 5 } : { about: Math.round(count / 5) * 5 });

/** The cells of a number: most patients in the middle; nothing where there are no steps. */
export function stepCells(field, patients) {
  const limits = STEPS[field];
  if (!limits) return undefined;
  const names = [`..${limits[0]}`, ...limits.map((from, index) => `${from}..${limits[index + 1] ?? ''}`)];
  const weights = names.map((_, index) => Math.exp(-((index - names.length * 0.6) ** 2) / 4));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return names.map((value, index) => ({ value, patients: protect((patients * weights[index]) / all) }));
}

/** A curve over the sites that counted; the second site records nothing of it, and few patients are no curve. */
export function survivalOf(of, sites) {
  const counted = sites.filter(({ answer }) => answer.counted?.counts);
  const patients = counted.reduce((sum, { answer }) => sum + (answer.counted.counts.patients.about ?? 0), 0);
  const hazard = of === 'overall_survival' ? 0.14 : 0.24;
  const margin = (years) => Math.round(60 - 3 * years);
  const points = YEARS.map((years) => {
    const [share, width] = [Math.exp(-hazard * years), years === 0 ? 0 : 0.02 + 0.012 * years];
    const at_risk = Math.round(patients * share * (1 - years / 12));
    return { years, share, low: Math.max(0, share - width), high: Math.min(1, share + width), at_risk, at_risk_margin: margin(years) };
  });
  const drawn = points.filter(({ at_risk, at_risk_margin }, index) => index === 0 || at_risk > 1.5 * at_risk_margin);
  const nodes = counted.map(({ node }) => node);
  return {
    of,
    sites: nodes.filter((_, index) => index !== 1),
    unrecorded: nodes.slice(1, 2),
    ...(nodes.length > 0 && { curve: { of, points: drawn, end: drawn.length === YEARS.length ? 'whole' : 'too_few_left' } }),
  };
}
