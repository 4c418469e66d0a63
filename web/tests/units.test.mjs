// The pure parts: taking a cohort text apart, grey levels, axes, numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const load = async (path) => (await runnerImport(path, { configFile: false, logLevel: 'silent' })).module;

test('a text is taken apart at its top-level ands and put together again', async () => {
  const { partsOf, textOf } = await load('./src/hub/explorer/cohort-text.ts');
  const is = (field, operator, ...values) => ({ criterion: { field, operator, values } });
  const unitOf = (field) => ({ slice_thickness: 'mm', age: 'a' })[field] ?? '';
  const check = (text, parts, back = text) => {
    assert.deepEqual(partsOf(text, unitOf), parts, text);
    assert.equal(textOf(parts), back);
  };
  check('', []);
  check('modality = CT', [is('modality', '=', 'CT')]);
  check('slice_thickness <= 2 mm and age > 40 years', [is('slice_thickness', '<=', '2'), is('age', '>', '40')],
    'slice_thickness <= 2 and age > 40');
  check('slice_thickness <= 0.2 cm', [{ group: 'slice_thickness <= 0.2 cm' }]);
  check('age in 400..500 mo', [{ group: 'age in 400..500 mo' }]);
  check('diagnosis under C34 and stage_group under {II, III}', [is('diagnosis', 'under', 'C34'), is('stage_group', 'under', 'II', 'III')]);
  check('series(modality = CT) before treatment_start', [{ group: 'series(modality = CT) before treatment_start' }]);
  check('model = "a \\"b\\" and c"', [is('model', '=', 'a "b" and c')]);
  check('age in 40..75', [is('age', 'between', '40', '75')]);
  check('age in -1.5..1.5', [is('age', 'between', '-1.5', '1.5')]);
  check('age in ..75', [is('age', 'between', '', '75')]);
  check('age >=', [is('age', '>=', '')]);
  check('modality in {CT, MR}', [is('modality', 'one_of', 'CT', 'MR')]);
  check('manufacturer != "GE and or MEDICAL"', [is('manufacturer', '!=', 'GE and or MEDICAL')]);
  check('manufacturer = "A..B"', [is('manufacturer', '=', 'A..B')]);
  check('sex recorded and (age > 3 or sex = F)', [is('sex', 'recorded'), { group: '(age > 3 or sex = F)' }]);
  check('sex = F or sex = M', [{ group: 'sex = F or sex = M' }]);
  check('not sex = F and age < 9', [{ group: 'not sex = F' }, is('age', '<', '9')]);
  check('sex =F AND age<9', [is('sex', '=', 'F'), is('age', '<', '9')], 'sex = F and age < 9');
});

test('a place in a message and a command for the shell', async () => {
  const { pythonProgram, shellCommand } = await load('./src/hub/explorer/cohort-text.ts');
  const program = pythonProgram('sex = F and x = "$& \\"', 'http://h');
  assert.ok(program.includes('COHORT = "sex = F and x = \\"$& \\\\\\""'));
  assert.ok(pythonProgram('', 'http://h', [], 'permit_1').includes('PERMIT = "permit_1"'));
  assert.equal(shellCommand('sex = F', ['sex'], 'permit_1'), 'arno search --permit permit_1 "sex = F" --facet sex');
  assert.equal(shellCommand('sex = F'), 'arno search "sex = F"');
  assert.equal(shellCommand('', ['age', 'overall_survival']), 'arno search "" --facet age --facet overall_survival');
  assert.ok(pythonProgram('', 'http://h', ['age']).includes('FACETS = ["age"]'));
  assert.equal(shellCommand('m = "a b"'), `arno search 'm = "a b"'`);
  assert.equal(shellCommand(`m = "it's"`), `arno search 'm = "it'\\''s"'`);
});

test('a value of a facet becomes the condition of its field', async () => {
  const { narrowed } = await load('./src/hub/explorer/facets.ts');
  const check = (text, value, expect) => assert.equal(narrowed(text, 'model', value), expect);
  check('', 'X1', 'model = X1');
  check('sex = F', 'Model "A" 1', String.raw`sex = F and model = "Model \"A\" 1"`);
  check('model = X1 and sex = F', 'X2', 'sex = F and model = X2');
  check('model = "a and b" and sex = F', 'X2', 'sex = F and model = X2');
  check('sex = F or sex = M', 'X2', '(sex = F or sex = M) and model = X2');
});

test('steps are added over sites in their own order, and what asking costs is what the dearest site says', async () => {
  const { costOf, stepsOf } = await load('./src/hub/explorer/plots.ts');
  const budget = { spent_microrho: 20_000, budget_microrho: 80_000, period_days: 7, panel_microrho: 160, survival_microrho: 3_600 };
  const site = (name, cells, spent = {}) => ({
    name, answer: { counted: { facets: [{ field: 'age', cells, margin: 12 }], budget: { ...budget, ...spent } } },
  });
  const sites = [
    site('a', [{ value: '20..30', patients: { about: 40 } }, { value: '90..', patients: { fewer_than: 5 } }, { value: '..20', patients: { about: 5 } }]),
    site('b', [{ value: '20..30', patients: { about: 10 } }, { value: '90..', patients: { about: 20 } }], { spent_microrho: 60_000 }),
    site('c', []),
    { name: 'd', answer: 'late' },
  ];
  const { bars, margin, unrecorded } = stepsOf({ sites }, 'age');
  assert.deepEqual(bars.map(({ name, about, hidden }) => [name, about, hidden]), [['..20', 5, 0], ['20..30', 50, 0], ['90..', 20, 1]]);
  assert.deepEqual([margin, unrecorded], [17, ['c']]);
  assert.deepEqual(costOf({ sites }, ({ survival_microrho }) => survival_microrho), { percent: 4.5, left: 25, days: 7 });
  assert.equal(costOf({ sites: [sites[3]] }, ({ panel_microrho }) => panel_microrho), undefined);
});

test('facets are added over sites, and what is hidden is not guessed', async () => {
  const { facetsOf } = await load('./src/hub/explorer/facets.ts');
  const counted = (cells, margin) => ({ answer: { counted: { counts: null, criteria: [], facets: [{ field: 'sex', cells, margin }] } } });
  const sites = [
    counted([{ value: 'F', patients: { about: 20 } }, { value: 'M', patients: { fewer_than: 5 } }], 3),
    counted([{ value: 'F', patients: { about: 15 } }], 4),
    { answer: 'late' },
  ];
  const cells = [{ value: 'F', about: 35, hidden: 0 }, { value: 'M', about: 0, hidden: 1 }];
  assert.deepEqual(facetsOf({ sites }), [{ field: 'sex', cells, most: 35, margin: 5, lifted: [] }]);
});

test('grey levels follow PS3.3 C.11.2.1.2', async () => {
  const { greyTable, autoWindow } = await load('./src/viewer/pixels.ts');
  const instance = { bits_allocated: 16, pixel_signed: true, photometric: 'MONOCHROME2', rescale_slope: 1, rescale_intercept: 0 };
  const check = (window, expected, of = instance) => {
    const { table, offset } = greyTable(of, window);
    for (const [sample, grey] of expected) assert.equal(table[sample + offset], grey, `${sample}`);
  };
  // Examples of the standard: c=2048 w=4096 and c=0 w=100, scaled to 0..255.
  check({ center: 2048, width: 4096 }, [[0, 0], [4095, 255], [-1, 0], [5000, 255]]);
  check({ center: 0, width: 100 }, [[-50, 0], [49, 255], [-51, 0], [60, 255]]);
  check({ center: 0, width: 1 }, [[-1, 0], [0, 255]]);
  check({ center: 0, width: 100 }, [[-50, 255], [49, 0]], { ...instance, photometric: 'MONOCHROME1' });
  const rescaled = { ...instance, bits_allocated: 8, pixel_signed: false, rescale_intercept: -100 };
  check({ center: 0, width: 100 }, [[50, 0], [149, 255]], rescaled);
  assert.deepEqual(autoWindow(Uint8Array.from({ length: 101 }, (_, i) => i), rescaled), { center: -50, width: 98 });
});

test('fractions of uptake have no steps, and exact windows', async () => {
  const { greyTable } = await load('./src/viewer/pixels.ts');
  const uptake = { bits_allocated: 8, pixel_signed: false, photometric: 'MONOCHROME2', rescale_slope: 0.1, rescale_intercept: 0 };
  const { table } = greyTable(uptake, { center: 5, width: 10 });
  assert.deepEqual([table[0], table[50], table[100], table[200]], [0, 128, 255, 255]);
});

test('lengths, areas and values are measured', async () => {
  const { measure } = await load('./src/viewer/measure.ts');
  const image = { rows: 4, columns: 4, samples_per_pixel: 1, rescale_slope: 2, rescale_intercept: -10, pixel_spacing_mm: [2, 1] };
  const samples = Int16Array.from({ length: 16 }, (_, index) => index);
  const check = (kind, from, to, expected, of = image) => {
    const { length, area, unit, inside } = measure({ kind, from, to }, of, samples);
    assert.deepEqual({ length: +length.toFixed(3), area: +area.toFixed(3), unit, inside: inside && { ...inside, sd: +inside.sd.toFixed(3) } }, expected);
  };
  check('length', [0, 0], [3, 2], { length: 5, area: 12, unit: 'mm', inside: null });
  check('length', [0, 0], [3, 4], { length: 5, area: 12, unit: 'px', inside: null }, { ...image, pixel_spacing_mm: null });
  // Pixels 5, 6, 9 and 10: 0, 2, 8 and 10.
  const four = { pixels: 4, mean: 5, sd: 4.761, min: 0, max: 10 };
  check('rectangle', [3, 3], [1, 1], { length: 4.472, area: 8, unit: 'mm', inside: four });
  check('ellipse', [1, 1], [3, 3], { length: 4.472, area: 6.283, unit: 'mm', inside: four });
  const outside = measure({ kind: 'rectangle', from: [-3, -3], to: [-1, -1] }, image, samples);
  assert.equal(outside.inside.pixels, 0);
  assert.equal(measure({ kind: 'rectangle', from: [0, 0], to: [2, 2] }, { ...image, samples_per_pixel: 3 }, samples).inside, null);
});

test('planes of parallel stacks find each other', async () => {
  const { letters, nearestPlane, planeOf } = await load('./src/viewer/geometry.ts');
  const plane = (z, orientation = [1, 0, 0, 0, 1, 0]) =>
    planeOf({ instance_uid: '1', frame: 1, position_mm: [5, 5, z], orientation, spacing_mm: [1, 1] });
  const stack = [0, 3, 6, 9].map((z) => plane(z));
  const check = (wanted, expected) => assert.equal(nearestPlane(stack, wanted), expected);
  check(plane(4), 1);
  check(plane(5), 2);
  check(plane(11), 3);
  check(plane(20), null);
  check(plane(3, [1, 0, 0, 0, 0, -1]), null);
  // Upside down is still the same plane.
  check(plane(6, [1, 0, 0, 0, -1, 0]), 2);
  assert.deepEqual([letters([1, 0, 0]), letters([0, -1, 0]), letters([0, 0.7, 0.71])], ['L', 'A', 'HP']);
});

test('a volume is cut as radiologists hang images', async () => {
  const { Volume, VolumeSource, volumeOf } = await load('./src/viewer/volume.ts');
  const instance = { rows: 2, columns: 3, samples_per_pixel: 1, bits_allocated: 16, pixel_signed: true, rescale_slope: 1, rescale_intercept: 0, pixel_spacing_mm: [1, 1] };
  const plane = (z) => ({ position: [0, 0, z], right: [1, 0, 0], down: [0, 1, 0], rowMm: 1, columnMm: 1 });
  const stack = (places, of = [instance, instance, instance, instance]) => ({
    seriesUid: '1', slices: places.map((_, at) => ({ instance: of[at], frame: 1 })), planes: places.map((z) => (z === null ? null : plane(z))),
  });
  const refused = (given, reason) => assert.equal(volumeOf(given)?.reason, reason);
  refused(stack([0, 2, 4, 6]), undefined);
  refused(stack([0, 2]), 'plane.few');
  refused(stack([0, 2, 5, 6]), 'plane.uneven');
  refused(stack([0, 2, null, 6]), 'plane.unplaced');
  refused(stack([0, 2, 4, 6], [instance, instance, { ...instance, rows: 4 }, instance]), 'plane.uneven');
  refused(stack([0, 2, 4], Array(3).fill({ ...instance, samples_per_pixel: 3 })), 'plane.colour');
  refused(stack([0, 2, 4], Array(3).fill({ ...instance, rows: 16_384, columns: 16_384 })), 'plane.too_large');

  const given = stack([0, 2, 4]);
  const volume = new Volume('1', given);
  // Hundreds count slices from the feet, tens rows from the front, ones columns from the right.
  for (let slice = 0; slice < 3; slice += 1)
    volume.put(slice, Int16Array.from({ length: 6 }, (_, at) => slice * 100 + Math.floor(at / 3) * 10 + (at % 3)), instance);
  const cut = async (name, index) => [...(await new VolumeSource(volume, name).load(index))];
  assert.deepEqual(await cut('axial', 1), [100, 101, 102, 110, 111, 112]);
  assert.deepEqual(await cut('coronal', 0), [200, 201, 202, 100, 101, 102, 0, 1, 2]);
  assert.deepEqual(new VolumeSource(volume, 'coronal').planeAt(1).position, [0, 1, 4]);
  assert.deepEqual(new VolumeSource(volume, 'coronal').imageAt().pixel_spacing_mm, [2, 1]);
  const sagittal = new VolumeSource(volume, 'sagittal');
  assert.deepEqual([sagittal.count, sagittal.planeAt(0).position], [3, [2, 0, 4]]);
  assert.deepEqual([...(await sagittal.load(0))], [202, 212, 102, 112, 2, 12]);
});

test('a mask is cropped to what is inside', async () => {
  const { crop, layersOf } = await load('./src/viewer/segments.ts');
  assert.equal(crop(new Uint8Array(12), 4, 3), null);
  const mask = crop(Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0]), 4, 3);
  assert.deepEqual(mask, { left: 1, top: 1, width: 2, height: 2, data: Uint8Array.from([0, 1, 1, 0]) });
  const [layer] = layersOf([
    {
      instance_uid: '1.9', problem: null, kind: 'binary', segments: [{ number: 4, label: 'x', color: null }],
      slices: [{ instance_uid: '1.1', frame: 1 }], frames: [{ frame: 7, segment: 4, slice: 0, grid: null }],
    },
    { instance_uid: '1.8', problem: 'broken' },
  ]);
  assert.deepEqual([layer.segments[0].key, layer.segments[0].slices, layer.frames.get('1.1/1').length], ['1.9#4', ['1.1/1'], 1]);
});

test('axes have round ticks', async () => {
  const { linear, logarithmic } = await load('./src/charts/scale.ts');
  assert.deepEqual(linear(0, 1, 0, 100).ticks.map((tick) => tick.toFixed(1)), ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']);
  assert.equal(linear(0, 10, 0, 100).at(5), 50);
  const log = logarithmic(2e-9, 0.5, 100, 0);
  assert.equal(log.at(1), 0);
  assert.equal(log.at(1e-9), 100);
  assert.ok(log.ticks.length <= 6);
});

test('numbers and sizes read as people write them', async () => {
  const { formatBytes, formatScientific, formatDuration } = await load('./src/app/format.ts');
  assert.equal(formatBytes(999), '999 B');
  assert.equal(formatBytes(402_336_000), '402 MB');
  assert.equal(formatBytes(6_336_000), '6.3 MB');
  assert.equal(formatScientific(2.44e-9), '2.4 × 10⁻⁹');
  assert.equal(formatScientific(1e-10), '10⁻¹⁰');
  assert.equal(formatScientific(1), '10⁰');
  assert.equal(formatScientific(-2.13), '−2.1');
  assert.equal(formatDuration(90_500), '1 min 31 s');
});

test('private elements stand together, by who made them', async () => {
  const { rows, blockOf, placeOf, lettersOf } = await load('./src/node/blocks.ts');
  const element = (path, before = 'x') => ({ path, before, after: null, action: 'removed' });
  const all = [element('(0008,0060)'), element('(0019,0010)', 'GEMS_ACQU_01'), element('(0019,0011)', 'OTHER'), element('(0019,1002)'), element('(0019,1105)[1].(0008,0100)'), element('(0019,10FF)'), element('(0020,0010)')];
  const said = (shown) => rows(shown, all).map((row) => (row.kind === 'single' ? row.element.path : `${row.creator} ${row.key} ${row.elements.length}`));
  assert.deepEqual(said(all), ['(0008,0060)', 'GEMS_ACQU_01 0019,10 3', 'OTHER 0019,11 2', '(0020,0010)']);
  assert.deepEqual(said(all.slice(3, 4)), ['GEMS_ACQU_01 0019,10 1'], 'its creator is not shown, and known');
  assert.equal(blockOf('(0010,0010)'), null);
  assert.deepEqual(placeOf('(0040,0275)[1].(0032,1064)[2].(0008,0100)'), { depth: 2, place: '[2] (0008,0100)' });
  assert.deepEqual(placeOf('(0008,0060)'), { depth: 0, place: '(0008,0060)' });
  assert.deepEqual(lettersOf('Table E.1-1: X/Z/U*'), ['X', 'Z', 'U']);
  assert.deepEqual(lettersOf('113105 Clean Descriptors Option: C'), ['C']);
  assert.deepEqual(lettersOf('free text, not listed'), []);
});

test('of a text only the words that are gone are marked', async () => {
  const { pieces } = await load('./src/node/diff.ts');
  const gone = (before, after) => pieces(before, after).map(({ text, isGone }) => (isGone ? `[${text.trim()}]` : text.trim())).join(' ');
  assert.equal(gone('CT head of Gina Lindqvist, tel 1', 'CT head of tel'), 'CT head of [Gina Lindqvist,] tel [1]');
  assert.equal(gone('20240314', '20231102'), '[20240314]');
  assert.equal(gone('same text', 'same text'), 'same text');
  assert.equal(gone('all of it', null), '[all of it]');
  assert.equal(gone('', 'new'), '');
  assert.equal(pieces('a '.repeat(500), 'a').length, 1, 'too long to compare');
});
