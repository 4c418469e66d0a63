// Linear and logarithmic axes: positions and round tick values; and the room of every chart.

/** Width of a chart, and what its axes take of each side, in the units of its picture. */
export const FRAME = { width: 440, left: 66, right: 14, top: 14, bottom: 46 } as const;

export interface Scale {
  /** From value to pixels. */
  at: (value: number) => number;
  ticks: number[];
}

/** A linear axis from `low` to `high` with about `count` round ticks. */
export function linear(low: number, high: number, from: number, to: number, count = 5): Scale {
  const span = high - low || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step - 1e-9); tick * step <= high + step * 1e-9; tick += 1) ticks.push(tick * step + 0);
  return { at: (value) => from + ((value - low) / span) * (to - from), ticks };
}

/** A logarithmic axis; ticks at powers of ten, at most about six. */
export function logarithmic(low: number, high: number, from: number, to: number): Scale {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const span = Math.max(1, last - first);
  const every = Math.ceil(span / 6);
  const ticks: number[] = [];
  for (let power = first; power <= last; power += every) ticks.push(10 ** power);
  return { at: (value) => from + ((Math.log10(value) - first) / span) * (to - from), ticks };
}

/** The low and high end of values, with some air. */
export function extent(values: number[], air = 0): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || Math.abs(high) || 1) * air;
  return [low - margin, high + margin];
}
