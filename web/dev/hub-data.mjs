// What the mock hub knows: sites, datasets, fields. All invented.
import { STEPS } from './plots.mjs';
import { newDigest, newId } from './random.mjs';

const DAY = 86_400_000;
export const ago = (milliseconds) => new Date(Date.now() - milliseconds).toISOString();

const place = (name, city, country, latitude, longitude, instances, online) => ({
  node: newId('node'), name, city, country, latitude, longitude, online, instances,
  last_seen: online ? ago(4000) : ago(5 * 3_600_000), joined_at: ago(12 * DAY), software: '0.1.0',
});

export const nodes = [
  place('Ospedale Arnolfo', 'Firenze', 'IT', 43.77, 11.25, 4210, true),
  place('Klinikum Elbtal', 'Dresden', 'DE', 51.05, 13.74, 2835, true),
  place('Hospital Turia', 'València', 'ES', 39.47, -0.38, 1544, true),
  place('Szpital Wawel', 'Kraków', 'PL', 50.06, 19.94, 620, false),
];
export const trainingNodes = nodes.slice(0, 3);

const about = (count) => (count < 5 ? { fewer_than: 5 } : { about: Math.round(count / 5) * 5 });
const breakdown = (patients, shares) =>
  Object.fromEntries(Object.entries(shares).map(([value, share]) => [value, about(Math.round(patients * share))]));

/** What a node certifies, as it leaves the site. */
const quality = {
  certificate_sha256: newDigest(), software: '0.1.0',
  rules: [
    { rule: 'series_complete', title: 'Instance numbers have no holes', severity: 'error', checked: { about: 60 }, failed: { fewer_than: 5 } },
    { rule: 'slice_gap', title: 'Slices follow each other without gaps', severity: 'error', checked: { about: 60 } },
    { rule: 'sex_value', title: "Patient's Sex is M, F, O or empty", severity: 'warning', checked: { about: 60 }, failed: { about: 10 } },
  ],
};

function entry(node, patients, manufacturer, synthetic) {
  const record = {
    id: newId('dataset'), node: node.node, version: node.city === 'Firenze' ? 2 : 1,
    title: `Lung nodules, ${node.city}`,
    description:
      'CT of the chest with the outlines and ratings that up to four radiologists gave each nodule. ' +
      'Readings come from LIDC-IDRI; the images are a synthetic thorax that carries the real outlines.',
    cohort: 'modality = CT and readers >= 1', licence: 'CC BY 3.0 (readings) · CC0 (phantom images)',
    synthetic_images: synthetic, published_at: ago(3 * DAY),
    patients, studies: Math.round(patients * 0.2), series: Math.round(patients * 0.24),
    instances: node.instances, size_bytes: node.instances * 132_000, readings: patients * 7,
    breakdowns: {
      modality: breakdown(patients, { CT: 0.96, MR: 0.035, PT: 0.004 }),
      manufacturer: breakdown(patients, manufacturer),
      sex: breakdown(patients, { F: 0.47, M: 0.52, O: 0.01 }),
      age: breakdown(patients, { '20–39': 0.03, '40–49': 0.12, '50–59': 0.25, '60–69': 0.35, '70–79': 0.2, '80+': 0.05 }),
    },
    manifest_sha256: newDigest(), quality,
  };
  const signed = { document: JSON.stringify(record), signer: newDigest(), signature: newDigest() };
  return { record, site: node.name, online: node.online, signed };
}

export const datasets = [
  entry(nodes[0], 512, { 'GE MEDICAL SYSTEMS': 0.97, 'Philips': 0.03 }, true),
  entry(nodes[1], 318, { SIEMENS: 0.99, TOSHIBA: 0.01 }, true),
  entry(nodes[2], 141, { Philips: 0.8, TOSHIBA: 0.2 }, true),
  entry(nodes[3], 39, { TOSHIBA: 1 }, false),
];

const field = (name, numeric, unit, meaning, examples, entity = 'series', hierarchy = false, sites = 3) => ({
  field: name, entity, numeric, unit, hierarchy, meaning, examples, steps: STEPS[name] ?? [],
  sites: nodes.slice(0, sites).map(({ node }) => ({ node, coverage: 'most' })),
});
export const fields = [
  field('modality', false, '', 'Modality (0008,0060).', ['CT', 'MR', 'PT']),
  field('body_part', false, '', 'Body Part Examined (0018,0015).', ['CHEST', 'THIGH']),
  field('manufacturer', false, '', 'Manufacturer (0008,0070).', ['GE MEDICAL SYSTEMS', 'Philips', 'SIEMENS', 'TOSHIBA']),
  field('sex', false, '', "Patient's Sex (0010,0040).", ['F', 'M', 'O'], 'patient'),
  field('age', true, 'a', 'Age at the study, in years.', [], 'study'),
  field('slice_thickness', true, 'mm', 'Slice Thickness (0018,0050), in millimetres.', []),
  field('malignancy', true, '', "Mean malignancy of the patient's most suspicious nodule, 1 to 5, as its readers rated it.", [], 'measurement'),
  field('readers', true, '', "Radiologists who outlined the patient's most-read nodule.", [], 'measurement'),
  field('diagnosis', false, '', 'Diagnosis as an ICD-O-3 or ICD-10 code.', ['C34'], 'diagnosis', true, 2),
  field('psa', true, 'ng/mL', 'Prostate-specific antigen in serum.', [], 'biomarker', false, 0),
];

export const totals = () => {
  const sum = (key) => datasets.reduce((all, { record }) => all + record[key], 0);
  return {
    datasets: datasets.length, patients: sum('patients'), studies: sum('studies'), series: sum('series'),
    instances: sum('instances'), readings: sum('readings'),
  };
};
