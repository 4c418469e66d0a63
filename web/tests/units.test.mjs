// The pure parts: taking a cohort text apart, grey levels, axes, numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const load = async (path) => (await runnerImport(path, { configFile: false, logLevel: 'silent' })).module;

test('a text is taken apart at its top-level ands and put together again', async () => {
  const { partsOf, textOf } = await load('./src/hub/explorer/cohort-text.ts');
  const is = (field, operator, ...values) => ({ criterion: { field, operator, values } });
  const check = (text, parts, back = text) => {
    assert.deepEqual(partsOf(text), parts, text);
    assert.equal(textOf(parts), back);
  };
  check('', []);
  check('modality = CT', [is('modality', '=', 'CT')]);
  check('slice_thickness <= 2 mm and age > 40 years', [is('slice_thickness', '<=', '2'), is('age', '>', '40')],
    'slice_thickness <= 2 and age > 40');
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
  const { errorPosition, shellCommand } = await load('./src/hub/explorer/cohort-text.ts');
  assert.equal(errorPosition('`x` is no field at character 19'), 19);
  assert.equal(errorPosition('too many criteria'), null);
  assert.equal(shellCommand('sex = F'), 'arno search "sex = F"');
  assert.equal(shellCommand('m = "a b"'), `arno search 'm = "a b"'`);
  assert.equal(shellCommand(`m = "it's"`), `arno search 'm = "it'\\''s"'`);
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
