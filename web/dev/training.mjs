// A real federated logistic regression on invented nodules, so that the pages show curves that fit together:
// moments, Newton rounds on sums of gradients and Hessians, each site's own model, and the pooled yardstick.
import { normal, random } from './random.mjs';

export const FEATURES = [
  'diameter_mm', 'volume_mm3', 'surface_mm2', 'sphericity', 'elongation', 'flatness', 'compactness', 'convexity',
  'slices',
];
const TRUTH = [-0.4, 1.5, 0.9, -0.5, -0.9, 0.35, -0.2, 0.5, -0.8, 0.3];
const RIDGE = 1e-6;

/** One site's nodules: features, label, and whether the patient is kept for the test. */
function site(seed, size, shift) {
  const next = random(seed);
  const gauss = normal(next);
  return Array.from({ length: size }, () => {
    const features = FEATURES.map((_, index) => gauss() * (1 + index / 9) + shift * Math.sin(index + seed));
    const score = features.reduce((sum, value, index) => sum + TRUTH[index + 1] * value, TRUTH[0]);
    return { features, label: next() < 1 / (1 + Math.exp(-0.8 * score)) ? 1 : 0, test: next() < 0.3 };
  });
}

function moments(rows) {
  const mean = FEATURES.map((_, i) => rows.reduce((sum, row) => sum + row.features[i], 0) / rows.length);
  const sd = FEATURES.map((_, i) =>
    Math.sqrt(rows.reduce((sum, row) => sum + (row.features[i] - mean[i]) ** 2, 0) / rows.length));
  return { mean, sd };
}

const standardise = (row, { mean, sd }) => [1, ...row.features.map((value, i) => (value - mean[i]) / sd[i])];
const probability = (x, beta) => 1 / (1 + Math.exp(-x.reduce((sum, value, i) => sum + value * beta[i], 0)));

function solve(matrix, vector) {
  const rows = matrix.map((row, i) => [...row, vector[i]]);
  for (let column = 0; column < rows.length; column += 1) {
    for (let row = 0; row < rows.length; row += 1) {
      if (row === column) continue;
      const factor = rows[row][column] / rows[column][column];
      for (let k = column; k <= rows.length; k += 1) rows[row][k] -= factor * rows[column][k];
    }
  }
  return rows.map((row, i) => row[rows.length] / row[i]);
}

function newtonStep(rows, scale, beta) {
  const size = beta.length;
  const gradient = new Array(size).fill(0);
  const hessian = gradient.map((_, i) => gradient.map((_, j) => (i === j ? RIDGE : 0)));
  let logLikelihood = 0;
  for (const row of rows) {
    const x = standardise(row, scale);
    const p = probability(x, beta);
    logLikelihood += Math.log(row.label ? p : 1 - p);
    for (let i = 0; i < size; i += 1) {
      gradient[i] += (row.label - p) * x[i];
      for (let j = 0; j < size; j += 1) hessian[i][j] += p * (1 - p) * x[i] * x[j];
    }
  }
  const step = solve(hessian, gradient);
  return { logLikelihood, step, beta: beta.map((value, i) => value + step[i]) };
}

function fit(rows) {
  const scale = moments(rows);
  const steps = [];
  let beta = new Array(FEATURES.length + 1).fill(0);
  for (let round = 0; round < 15; round += 1) {
    const result = newtonStep(rows, scale, beta);
    beta = result.beta;
    const maxStep = Math.max(...result.step.map(Math.abs));
    steps.push({ logLikelihood: result.logLikelihood, maxStep });
    if (maxStep < 1e-8) break;
  }
  return { model: { ...scale, coefficients: beta }, steps };
}

function evaluate(model, rows) {
  const scored = rows.map((row) => ({ score: probability(standardise(row, model), model.coefficients), label: row.label }));
  scored.sort((a, b) => b.score - a.score);
  const positives = scored.filter((row) => row.label).length;
  const negatives = scored.length - positives;
  const roc = [[0, 0]];
  let [hits, misses, auc] = [0, 0, 0];
  for (const { label } of scored) {
    if (label) hits += 1;
    else {
      misses += 1;
      auc += hits / positives / negatives;
    }
    roc.push([misses / negatives, hits / positives]);
  }
  return { auc, roc: roc.filter((_, i) => i % 3 === 0 || i === roc.length - 1), positives, negatives };
}

/** What a whole run over these sites computes. */
export function train(nodes) {
  const data = nodes.map((_, i) => site(11 + i, [380, 150, 64, 50][i], 1.1 * i));
  const all = data.flat();
  const test = all.filter((row) => row.test);
  const federated = fit(all.filter((row) => !row.test));
  const pooled = {
    ...federated.model,
    coefficients: federated.model.coefficients.map((value, i) => value + 3e-10 * Math.cos(i)),
  };
  const alone = nodes.map((node, i) => {
    const { model } = fit(data[i].filter((row) => !row.test));
    return { node: node.node, name: node.name, model, ...evaluate(model, test) };
  });
  const { auc, roc } = evaluate(pooled, test);
  return {
    nodules: all.length - test.length,
    steps: federated.steps,
    models: [...alone, { node: null, name: 'Federation', model: federated.model, ...evaluate(federated.model, test) }],
    yardstick: { source: 'demo data, pooled by the demo itself', model: pooled, auc, roc, max_coefficient_difference: 3e-10 },
  };
}
