// The mock node: what a hospital's data manager sees. All people are invented.
import { ago } from './hub-data.mjs';
import { SIZE, SLICES, frame, outlines, segment } from './images.mjs';
import { DUE, reviewRoutes } from './review.mjs';
import { newDigest, newId, random } from './random.mjs';

const problem = (status, code, title, detail) => ({ status, problem: { code, status, title, detail } });
const ROOT = '2.25.3295716';
const next = random(21);
const pick = (list) => list[Math.floor(next() * list.length)];

const series = Array.from({ length: 63 }, (_, index) => ({
  series_uid: `${ROOT}.${index + 1}`, study_uid: `${ROOT}.9${index}`, patient: `P-${newDigest().slice(0, 10)}`,
  modality: index === 2 ? 'RTSTRUCT' : 'CT', description: index === 2 ? 'Readings of four radiologists' : 'PHANTOM thorax, synthetic image',
  manufacturer: pick(['GE MEDICAL SYSTEMS', 'GE MEDICAL SYSTEMS', 'Philips']), body_part: 'CHEST', sex: pick(['F', 'M']),
  age_years: Math.round(42 + next() * 40), slice_thickness_mm: pick([1.25, 2.5, 3]), instances: index === 2 ? 1 : SLICES,
  size_bytes: SLICES * 132_000, outlined: index % 3 === 0, received_at: ago(index * 61_000 + 30_000),
}));

const instanceUid = (uid) => (slice) => `${uid}.1.${slice + 1}`;
function detail(uid) {
  const row = series.find((row) => row.series_uid === uid);
  if (!row) return problem(404, 'not_found', 'Not found', 'This node keeps no such series.');
  const instances = Array.from({ length: row.modality === 'CT' ? SLICES : 0 }, (_, slice) => ({
    instance_uid: instanceUid(uid)(slice), number: slice + 1, position_mm: -60 + slice * 2.5, rows: SIZE, columns: SIZE,
    frames: 1, bits_allocated: 16, pixel_signed: true, samples_per_pixel: 1, photometric: 'MONOCHROME2', rescale_slope: 1,
    rescale_intercept: -1024, window_center: -500, window_width: 1500, pixel_spacing_mm: [1.4, 1.4],
  }));
  return { row, instances };
}

const placements = (uid) => ({
  frame_of_reference: `${ROOT}.8`,
  frames: detail(uid).instances.map(({ instance_uid, position_mm, pixel_spacing_mm }) => ({
    instance_uid, frame: 1, position_mm: [-180, -180, position_mm], orientation: [1, 0, 0, 0, 1, 0], spacing_mm: pixel_spacing_mm,
  })),
});

/** A binary one with a frame for each of two segments and a label map, on slices 21 to 31; and one that cannot be shown. */
function segmentations(uid) {
  const slices = Array.from({ length: 11 }, (_, at) => ({ instance_uid: instanceUid(uid)(20 + at), frame: 1 }));
  const common = { problem: null, maximum: 1, rows: SIZE, columns: SIZE, grids: [[1, 0, 0, 1, 0, 0]], slices, elsewhere: 0 };
  const info = (number, label, color) => ({ number, label, color });
  const frames = slices.flatMap((_, slice) => [1, 2].map((segment) => ({ frame: slice * 2 + segment, segment, slice, grid: 0 })));
  return [
    { ...common, series_uid: `${ROOT}.71`, instance_uid: `${ROOT}.binary`, description: 'Organs', kind: 'binary', segments: [info(1, 'Left lung', [80, 160, 250]), info(2, 'Heart', [220, 60, 60])], frames },
    { ...common, series_uid: `${ROOT}.72`, instance_uid: `${ROOT}.labels`, description: '', kind: 'label_map', segments: [info(1, 'Spine', [250, 220, 80]), info(2, '', null)], frames: slices.map((_, slice) => ({ frame: slice + 1, segment: null, slice, grid: 0 })) },
    { ...common, series_uid: `${ROOT}.73`, instance_uid: `${ROOT}.broken`, description: '', problem: 'It has no frames.', kind: 'binary', segments: [], slices: [], grids: [], frames: [] },
  ];
}

function frameOf(instance, number) {
  if (instance.endsWith('binary')) return segment('binary', number % 2 === 1 ? 1 : 2);
  if (instance.endsWith('labels')) return segment('labels', 0);
  return frame(Number(instance.split('.').at(-1)) - 1);
}

const MODIFIED_DATES = '113107 Retain Longitudinal Temporal Information Modified Dates Option: C';
const DESCRIPTORS = '113105 Clean Descriptors Option: C';
const SERIAL = 'A serial number leads to the hospital that bought the device; make, model and software say what research asks.';
const element = (path, name, vr, before, after, action, rule, source = 'table', option = null, reason = null) =>
  ({ path, name, vr, before, after, action, rule, source, option, reason });
const preview = {
  recipe: 'default', edition: '2024e', options: ['113100', '113103', '113104', '113105', '113107', '113108', '113109', '113111'],
  kept_until: ago(-6 * 86_400_000),
  elements: [
    element('(0002,0003)', 'MediaStorageSOPInstanceUID', 'UI', '1.3.6.1.4.1.14519.5.2.1.6279.6001.100', '2.25.3295716.1.1.1', 'uid mapped', 'Table E.1-1: U'),
    element('(0008,0012)', 'InstanceCreationDate', 'DA', '20240314', '20231102', 'date shifted', 'Table E.1-1: X/D', 'table', MODIFIED_DATES),
    element('(0008,0016)', 'SOPClassUID', 'UI', 'CT Image Storage', 'CT Image Storage', 'kept', 'not listed', 'stricter'),
    element('(0008,0020)', 'StudyDate', 'DA', '20240314', '20231102', 'date shifted', 'Table E.1-1: Z', 'table', MODIFIED_DATES),
    element('(0008,0050)', 'AccessionNumber', 'SH', 'ACC-2024-88123', '', 'emptied', 'Table E.1-1: Z'),
    element('(0008,0060)', 'Modality', 'CS', 'CT', 'CT', 'kept', 'not listed', 'stricter'),
    element('(0008,0080)', 'InstitutionName', 'LO', 'Ospedale Arnolfo, Firenze', null, 'removed', 'Table E.1-1: X/Z/D'),
    element('(0008,0090)', 'ReferringPhysicianName', 'PN', 'ROSSI^GIULIA', '', 'emptied', 'Table E.1-1: Z'),
    element('(0008,1030)', 'StudyDescription', 'LO', 'CT torace Sig.ra Bianchi, tel. 055 123456', 'CT torace', 'cleaned', 'Table E.1-1: X', 'table', DESCRIPTORS),
    element('(0008,103E)', 'SeriesDescription', 'LO', 'PHANTOM thorax, synthetic image', 'PHANTOM thorax, synthetic image', 'cleaned', 'Table E.1-1: X', 'table', DESCRIPTORS),
    element('(0010,0010)', 'PatientName', 'PN', 'BIANCHI^MARIA', 'P-3f9c1a70de', 'replaced', 'Table E.1-1: Z'),
    element('(0010,0020)', 'PatientID', 'LO', 'MRN-0042-7781', 'P-3f9c1a70de', 'replaced', 'Table E.1-1: Z'),
    element('(0010,0030)', 'PatientBirthDate', 'DA', '19570822', '', 'emptied', 'Table E.1-1: Z'),
    element('(0010,0040)', 'PatientSex', 'CS', 'F', 'F', 'kept', 'Table E.1-1: X', 'table', '113108 Retain Patient Characteristics Option: K'),
    element('(0010,1010)', 'PatientAge', 'AS', '066Y', '066Y', 'kept', 'Table E.1-1: X', 'table', '113108 Retain Patient Characteristics Option: K'),
    element('(0010,4000)', 'PatientComments', 'LT', 'Figlia: Lucia, lucia.bianchi@example.org', null, 'removed', 'Table E.1-1: X'),
    element('(0012,0062)', 'PatientIdentityRemoved', 'CS', null, 'YES', 'added', 'PS3.15 E.1.1'),
    element('(0018,0050)', 'SliceThickness', 'DS', '2.5', '2.5', 'kept', 'not listed', 'stricter'),
    element('(0018,1000)', 'DeviceSerialNumber', 'LO', 'SN-778123', 'REMOVED', 'replaced', 'Table E.1-1: X/Z/D', 'recipe', null, SERIAL),
    element('(0019,100C)', 'B Value', 'IS', '1000', '1000', 'kept', 'Table E.3.10-1: SIEMENS MR HEADER, B Value', 'safe_private'),
    element('(0020,000D)', 'StudyInstanceUID', 'UI', '1.3.6.1.4.1.14519.5.2.1.6279.6001.298806137288633453246975630178', '2.25.329571690', 'uid mapped', 'Table E.1-1: U'),
    element('(0028,0010)', 'Rows', 'US', '256', '256', 'kept', 'not listed', 'stricter'),
    element('(0040,A730)[1].(0040,A123)', 'PersonName', 'PN', 'VERDI^PAOLO', null, 'removed', 'Table E.1-1: X'),
    element('(7FE0,0010)', 'PixelData', 'OW', '131072 bytes', '131072 bytes', 'kept', 'not listed', 'stricter'),
  ],
};

const rule = (rule, title, severity, remedy) => ({ rule, title, severity, remedy });
const COMPLETE = rule('series_complete', 'Instance numbers have no holes', 'error', 'Send the series again from the archive: what is here already is recognised.');
const GAP = rule('slice_gap', 'Slices follow each other without gaps', 'error', 'Send the missing slices, or leave the series out of volume measurements.');
const SEX = rule('sex_value', "Patient's Sex is M, F, O or empty", 'warning', 'The value counts as unknown here. Correct it at the source: a number there may be an identifier in the wrong place.');
const BODY = rule('body_part_known', 'The part of the body is named and has a code', 'note', 'Searches by body part do not find this series; the source value stays as it is.');
const TWIN = rule('exact_duplicate', 'No image is here twice under two UIDs', 'error', 'One patient may have two ids, or a series was sent twice with new UIDs: delete one.');

/** The first series is good, the second lacks a slice, the third waits. */
function seriesQuality(uid) {
  const common = { kind: 'ct_native', kind_details: ['soft kernel'], evidence: ['no contrast agent is given', 'ConvolutionKernel'], body: { source: 'CHEST', code: '51185008', meaning: 'Chest', laterality: null } };
  const passed = [TWIN.title, SEX.title, BODY.title];
  if (uid === `${ROOT}.3`) return { ...common, checked_at: null, kind: 'unknown', kind_details: [], evidence: [], body: null, passed: [], findings: [] };
  if (uid !== `${ROOT}.2`) return { ...common, checked_at: ago(29_000), passed: [COMPLETE.title, GAP.title, ...passed], findings: [] };
  const findings = [
    { ...COMPLETE, count: 1, detail: '47 of 48 numbered images are here', examples: [] },
    { ...GAP, count: 1, detail: 'gaps: 1, the widest of 5.0 mm where 2.5 mm are usual', examples: [instanceUid(uid)(11)] },
  ];
  return { ...common, checked_at: ago(29_000), passed, findings };
}

const quality = {
  checked: 62, due: 0, kinds: [{ kind: 'ct_native', series: 61 }, { kind: 'structure_set', series: 1 }],
  rules: [
    { ...COMPLETE, failed: 1, examples: [{ series_uid: `${ROOT}.2`, count: 1, detail: '47 of 48 numbered images are here' }] },
    { ...GAP, failed: 1, examples: [{ series_uid: `${ROOT}.2`, count: 1, detail: 'gaps: 1, the widest of 5.0 mm where 2.5 mm are usual' }] },
    { ...SEX, failed: 2, examples: [5, 9].map((at) => ({ series_uid: `${ROOT}.${at}`, count: 1, detail: 'a number: it may be an identifier in the wrong place' })) },
    { ...TWIN, failed: 0, examples: [] }, { ...BODY, failed: 0, examples: [] },
  ],
};

const FIGURE = { share: 0.164, k: 1, unique: 31, within_limit: false };
const risk = {
  figure: FIGURE, least_k: 5, patients: 512, classes: 84,
  columns: [
    { column: 'age', values: 41, share_without: 0.016, unique_without: 0, advice: { group_width: 10, share: 0.041, k: 6 } },
    { column: 'days_between_studies', values: 4, share_without: 0.158, unique_without: 28, advice: { group_width: null, share: 0.158, k: 1 } },
    { column: 'sex', values: 2, share_without: 0.164, unique_without: 31, advice: null },
  ],
};

const certificateOf = ({ id, node, manifest_sha256 }) => {
  const result = ({ rule, title, severity }, failed, examples) => ({ rule, title, severity, checked: 62, failed, examples });
  const rules = [result(COMPLETE, 1, [`${ROOT}.2`]), result(GAP, 1, [`${ROOT}.2`]), result(SEX, 2, [`${ROOT}.5`, `${ROOT}.9`]), result(TWIN, 0, [])];
  const certificate = { dataset: id, node, manifest_sha256, software: '0.1.0', issued_at: ago(3_000_000), series: 62, rules };
  return { certificate, signed: { document: JSON.stringify(certificate), signer: newDigest(), signature: newDigest() } };
};

export function createNode() {
  const started = { at: 0, looks: Infinity };
  const review = reviewRoutes();
  const ingests = [
    { id: 2, source: 'second-batch', started_at: ago(3_600_000), finished_at: ago(3_588_000), files: 3051, stored: 22, unchanged: 3026, quarantined: 3, readings: 0 },
    { id: 1, source: 'demo-landing', started_at: ago(86_400_000), finished_at: ago(86_352_000), files: 3032, stored: 3026, unchanged: 0, quarantined: 4, readings: 812 },
  ];
  let quarantine = [
    { id: 1, name: 'batch/empty.dcm', size_bytes: 0, code: 'empty', reason: 'The file is empty. Send it again from its source.', at: ago(86_360_000), waits: false },
    { id: 2, name: 'batch/readme.txt', size_bytes: 5120, code: 'not_dicom', reason: 'This is not a DICOM file: the mark DICM is missing. Remove it from the folder.', at: ago(86_361_000), waits: false },
    { id: 3, name: 'series-17/IM0042', size_bytes: 70_112, code: 'truncated', reason: 'Pixel Data declares 131,072 bytes and 69,120 are there. Send the file again.', at: ago(86_362_000), waits: false },
    { id: 4, name: 'series-31/IM0001', size_bytes: 131_900, code: 'needs_review', reason: 'a person has to look at it: images of modality US often show text', at: ago(86_363_000), waits: true },
  ];
  const POLICY = { threshold: 5, round_to: 5, border_spread: 31,
    budget: { data_user_microrho: 80_000, site_microrho: 800_000, questions: 100, period_days: 7, studies_per_patient: 4, series_per_patient: 16 },
    under_permit: { counts: 'allow', threshold: 0 } };
  const ALARM = { data_user: 'company', suspicious: 5, at: ago(3_600_000) };
  const paid = (data_user, cohort, kind, price_microrho, suspicion, age) => ({ data_user, cohort, kind, price_microrho, suspicion, at: ago(age) });
  const disclosure = {
    policy: POLICY, site_spent_microrho: 12_160, epsilon_of_data_user: 2.183, alarms: [ALARM],
    data_users: [
      { data_user: 'company', spent_microrho: 6400, questions: 20, suspicious: 5, last_at: ago(3_600_000) },
      { data_user: 'researcher', spent_microrho: 5760, questions: 18, suspicious: 0, last_at: ago(90_000) },
    ],
    questions: [
      paid('researcher', 'modality = CT and slice_thickness <= 2', 'total', 320, null, 90_000),
      paid('researcher', 'modality = CT and slice_thickness <= 2', 'site', 320, null, 90_000),
      paid('company', 'modality = CT and age in 88..89', 'site', 320, 'isolates', 3_600_000),
      paid('company', 'modality = CT and not age in 88..89', 'site', 320, 'differs_by_few', 3_700_000),
      paid('company', '', 'facets', 160, null, 4_000_000),
    ],
    exact: [{ permit: newId('permit'), data_user: 'researcher', cohort: 'modality = CT and malignancy >= 4', facets: 'sex, modality', at: ago(120_000) }],
  };
  const permits = [
    { permit: newId('permit'), data_user: 'researcher', purpose: 'Can the shape that radiologists draw tell malignant from benign nodules?', datasets: [newId('dataset')], valid_until: ago(-88 * 86_400_000), revoked: false, answers: 21 },
    { permit: newId('permit'), data_user: 'company', purpose: 'Tuning of a nodule detector.', datasets: [newId('dataset')], valid_until: ago(-12 * 86_400_000), revoked: true, answers: 3 },
  ];
  const node = newId('node');
  const record = (title, description, cohort, licence) => ({
    id: newId('dataset'), node, version: 1, title, description, cohort, licence, synthetic_images: true, published_at: new Date().toISOString(),
    patients: 512, studies: 62, series: 63, instances: 3026, size_bytes: 3026 * 132_000, readings: 812,
    breakdowns: { sex: { F: { about: 240 }, M: { about: 270 }, O: { fewer_than: 5 } } }, manifest_sha256: newDigest(),
    quality: { certificate_sha256: newDigest(), software: '0.1.0', rules: [] },
  });
  const datasets = [{ record: record('Lung nodules, Firenze', 'CT of the chest with outlines and ratings.', 'modality = CT', 'CC BY 3.0'), delivered: true, risk: FIGURE }];
  const act = (sequence, actor, action, subject, outcome, detail, age) => ({ sequence, at: ago(age), actor, action, subject, outcome, detail, previous_sha256: newDigest(), sha256: newDigest() });
  const audit = [
    act(5, 'researcher', 'round answered', newId('analysis'), 'done', 'round 3, newton', 60_000),
    act(4, 'researcher', 'question refused', newId('analysis'), 'refused', 'permit_missing: no permit: ask for access first', 70_000),
    act(3, 'researcher', 'search answered', newId('search'), 'done', 'modality = CT', 90_000),
    act(2, 'arno', 'dataset published', datasets[0].record.id, 'done', '', 80_000_000),
    act(1, 'arno', 'ingest finished', '1', 'done', '3026 stored, 4 quarantined', 86_352_000),
  ];

  function overview() {
    started.looks += 1;
    // No more than a quarter a look: whoever looks seldom, as a test on a slow machine, still sees it run.
    const done = Math.min(400, Math.floor((Date.now() - started.at) / 10), 100 * (started.looks - 1));
    return {
      node, name: 'Ospedale Arnolfo', signing_key: newDigest(),
      membership: { federation: 'Arno demo federation', hub_url: 'https://localhost:4843', connected: true, last_contact: ago(2000), last_error: null },
      holdings: { received: 3054, instances: 3048, quarantined: quarantine.length, to_review: review.count(), text_due: DUE, patients: 512, studies: 62, series: 63, readings: 812, size_bytes: 3048 * 132_000 },
      ingesting: done < 400 ? { files: 400, done } : null,
      receiving_trouble: { since: '2026-10-30T08:15:00Z', instances: 12,
        reason: 'there is no room left below /srv/arno: free some space (or raise storage_limit_bytes in node.toml) and run the same again; what was taken in so far is kept and will not be read twice' }, disclosure: POLICY,
      patients_margin: 89, disclosure_alarms: [ALARM],
    };
  }

  const routes = {
    ...review.routes,
    'GET /v1/overview': overview,
    'GET /v1/ingests': () => ingests,
    'POST /v1/ingests': (_, { folder }) => {
      if (folder.includes('..')) return problem(422, 'folder_outside', 'Not a folder of the landing area', 'Name a folder below the landing folder, without “..”.');
      Object.assign(started, { at: Date.now(), looks: 0 });
      ingests.unshift({ ...ingests[0], id: ingests.length + 1, source: folder, started_at: ago(0), finished_at: null });
      return ingests[0];
    },
    'GET /v1/series': (_, __, ___, query) => {
      const [limit, offset] = [Number(query.get('limit')), Number(query.get('offset'))];
      return { rows: series.slice(offset, offset + limit), total: series.length };
    },
    'GET /v1/series/:uid': ({ uid }) => detail(uid),
    'GET /v1/series/:uid/outlines': ({ uid }) => (series.find((row) => row.series_uid === uid)?.outlined ? outlines(instanceUid(uid)) : []),
    'GET /v1/series/:uid/placements': ({ uid }) => placements(uid),
    'GET /v1/series/:uid/segmentations': ({ uid }) => (uid === `${ROOT}.4` ? segmentations(uid) : []),
    'GET /v1/series/:uid/deidentification': () => preview,
    'GET /v1/series/:uid/quality': ({ uid }) => seriesQuality(uid),
    'GET /v1/quality': () => quality,
    'GET /v1/datasets/:id/certificate': ({ id }) => certificateOf(datasets.find(({ record }) => record.id === id).record),
    'GET /v1/datasets/:id/risk': () => risk,
    'GET /v1/series/:uid/instances/:instance/frames/:frame': ({ instance, frame: number }) => ({ bytes: frameOf(instance, Number(number)) }),
    'GET /v1/quarantine': () => quarantine,
    'POST /v1/quarantine/:id/retry': ({ id }) => {
      if (id === '3') {
        quarantine = quarantine.filter((file) => file.id !== 3);
        return null;
      }
      return quarantine.find((file) => file.id === Number(id)) ?? problem(404, 'not_found', 'Not found', 'There is no such file.');
    },
    'GET /v1/datasets': () => datasets,
    'POST /v1/datasets': (_, body) => {
      const published = { record: record(body.title, body.description, body.cohort, body.licence), delivered: false, risk: { ...FIGURE, k: 7, unique: 0, within_limit: true } };
      datasets.unshift(published);
      return published;
    },
    'GET /v1/disclosure': () => disclosure,
    'GET /v1/permits': () => permits,
    'GET /v1/audit': () => ({ entries: audit, length: audit.length, first_break: null }),
  };
  const accounts = { manager: { account: 'manager', display_name: 'Marta Manager', role: 'data_manager' } };
  return { about: { program: 'node', name: 'Ospedale Arnolfo', version: '0.1.0', demo: true }, accounts, routes, open: [] };
}
