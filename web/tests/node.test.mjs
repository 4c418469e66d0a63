// The node's pages against the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../dev/mock.mjs';
import { accessibilityFindings, fits, openBrowser, openPage, signIn, visit } from './browser.mjs';
import { drawn, waitForOutlines } from './canvas.mjs';
import { lookAt } from './smoke.mjs';

const MANAGER = ['manager', 'demo'];
const SERIES = '/series/2.25.3295716.1';
let mock;
let browser;

before(async () => {
  [mock, browser] = await Promise.all([startMock(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  mock?.stop();
});

async function openAsManager(address) {
  const page = await openPage(browser, mock.node);
  await signIn(page, ...MANAGER);
  await waitForOutlines(page);
  await visit(page, address);
  return page;
}

test('pages of a data manager', async () => {
  await lookAt(browser, mock.node, MANAGER, {
    '/': 'Ospedale Arnolfo',
    '/ingests': 'Ingests',
    '/series': 'Series',
    [SERIES]: /CT · PHANTOM/,
    [`${SERIES}/deidentification`]: 'De-identification',
    '/series/2.25.3295716.2': /CT · PHANTOM/,
    '/quality': 'Quality',
    '/quarantine': 'Quarantine',
    '/datasets': 'Datasets',
    '/disclosure': 'Disclosure',
    '/permits': 'Permits',
    '/audit': 'Audit',
  });
});

test('what keeps received instances waiting is said first', async () => {
  const page = await openAsManager('/');
  const said = page.getByRole('alert').filter({ hasText: 'What was received cannot be taken in' });
  await said.waitFor();
  assert.match(await said.innerText(), /there is no room left below.*12 instances.*safe in the journal/s);
  await page.context().close();
});

test('questions that single out few patients raise a note with the way to them', async () => {
  const page = await openAsManager('/');
  await page.getByRole('alert').getByText('company: 5 questions').waitFor();
  await page.getByRole('link', { name: 'Who asked what' }).click();
  await page.getByRole('row', { name: /modality = CT and age in 88..89 matches very few company/ }).waitFor();
  await page.getByRole('row', { name: /researcher 7\.2 % 18 0/ }).waitFor();
  await page.context().close();
});

test('nobody else sees anything', async () => {
  await lookAt(browser, mock.node, null, { '/': 'Ospedale Arnolfo' });
});

/** Mean grey level of the middle of the canvas, and whether any pixel there is in colour. */
const middle = (page) =>
  page.evaluate(() => {
    const shown = document.querySelector('canvas');
    const [width, height] = [shown.width / 2, shown.height / 2];
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(shown, -width / 2, -height / 2);
    const { data } = copy.getImageData(0, 0, width, height);
    let [sum, colourful] = [0, 0];
    for (let at = 0; at < data.length; at += 4) {
      sum += data[at];
      if (Math.abs(data[at] - data[at + 2]) > 40) colourful += 1;
    }
    return { mean: (4 * sum) / data.length, colourful };
  });

test('the viewer shows slices, windows, outlines and values', async () => {
  const page = await openAsManager(SERIES);
  await page.getByText('Slice 26 / 48').waitFor();
  await page.getByText('C −500 · W 1,500').waitFor();
  await page.getByText('Phantom: synthetic image').waitFor();
  await drawn(page);
  const recorded = await middle(page);
  assert.ok(recorded.mean > 40 && recorded.colourful > 100, JSON.stringify(recorded));

  await page.keyboard.press('o');
  assert.equal((await middle(page)).colourful, 0);
  await page.keyboard.press('o');
  await page.getByLabel('Nodule 1, reader 1').uncheck();
  const fewer = (await middle(page)).colourful;
  assert.ok(fewer > 0 && fewer < recorded.colourful, `${fewer} of ${recorded.colourful}`);

  await page.getByRole('button', { name: 'Bone' }).click();
  assert.ok((await middle(page)).mean < recorded.mean);
  await page.getByRole('button', { name: 'Auto' }).click();
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('ArrowDown');
  await page.getByText('Slice 27 / 48').waitFor();
  await page.keyboard.press('End');
  await page.getByText('Slice 48 / 48').waitFor();
  await page.getByRole('button', { name: 'Find Nodule 1, reader 2' }).click();
  await page.getByText('Slice 26 / 48').waitFor();

  const box = await page.locator('canvas').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height * 0.45];
  await page.mouse.move(x, y);
  await page.getByText(/^−?\d+ HU/).waitFor();
  await page.mouse.wheel(0, 120);
  await page.getByText('Slice 27 / 48').waitFor();
  const before = await page.getByLabel('Window width').inputValue();
  await page.mouse.down({ button: 'right' });
  await page.mouse.move(x + 120, y, { steps: 4 });
  await page.mouse.up({ button: 'right' });
  assert.notEqual(await page.getByLabel('Window width').inputValue(), before);
  assert.deepEqual(page.troubles, []);
});

test('a series without images says so', async () => {
  const page = await openAsManager('/series/2.25.3295716.3');
  await page.getByText('This series holds no images to look at.').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('findings stand with the series, with what to do', async () => {
  const page = await openAsManager('/series/2.25.3295716.2');
  await page.getByText('47 of 48 numbered images are here').waitFor();
  await page.getByText('Send the series again from the archive').waitFor();
  await page.getByText('SNOMED CT 51185008: Chest').waitFor();
  const kept = page.getByText('3 rules kept');
  await kept.focus();
  await page.keyboard.press('Enter');
  await page.getByText('No image is here twice under two UIDs').waitFor();
  await visit(page, SERIES);
  await page.getByText('It keeps all 5 rules that could be asked.').waitFor();
  await visit(page, '/series/2.25.3295716.3');
  await page.getByText('This series waits to be checked').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('findings of the node lead to their series', async () => {
  const page = await openAsManager('/quality');
  const row = page.getByRole('row', { name: /Patient's Sex is M, F, O or empty/ });
  await row.getByText('Warning').waitFor();
  assert.equal(await row.getByRole('link').count(), 2);
  await page.getByText('MR T1').waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: 'CT without contrast' }).or(page.getByRole('rowheader', { name: 'CT without contrast' })).first().waitFor();
  await row.getByRole('link').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/series\/2\.25\.3295716\.5$/);
  assert.deepEqual(page.troubles, []);
});

test('a version shows its risk and its certificate', async () => {
  const page = await openAsManager('/datasets');
  await page.getByText('k = 1, below limit').waitFor();
  await page.getByRole('link', { name: 'Lung nodules, Firenze' }).click();
  await page.getByText('k is below the limit of 5').waitFor();
  await page.getByText('Give it in groups of 10: leaves 4.1 %, k = 6').waitFor();
  await page.getByText('Days between studies').waitFor();
  const gap = page.getByRole('row', { name: /Slices follow each other without gaps/ });
  await gap.getByRole('link').waitFor();
  const saved = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Save as JSON' }).click();
  assert.match((await saved).suggestedFilename(), /^quality-.*\.json$/);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.setViewportSize({ width: 400, height: 800 });
  assert.ok(await fits(page), 'too wide for a telephone');
  assert.deepEqual(page.troubles, []);
});

test('series are paged', async () => {
  const page = await openAsManager('/series');
  await page.getByText('1–25 of 63').waitFor();
  await page.getByRole('link', { name: 'Older' }).click();
  await page.getByText('26–50 of 63').waitFor();
  await page.goBack();
  await page.getByText('1–25 of 63').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('de-identification shows both sides, the changed ones first', async () => {
  const page = await openAsManager(`${SERIES}/deidentification`);
  await page.getByRole('cell', { name: 'BIANCHI^MARIA' }).waitFor();
  await page.getByRole('rowheader', { name: /PatientSex/ }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: '24 all' }).click();
  await page.getByRole('rowheader', { name: /PatientSex/ }).waitFor();
  await page.getByRole('row', { name: /PatientSex.*113108 Retain Patient Characteristics/ }).waitFor();
  await page.getByRole('button', { name: /cleaned$/ }).click();
  await page.getByText('2 of 24 elements shown').waitFor();
  assert.deepEqual(await page.locator('del').allInnerTexts(), ['Sig.ra Bianchi, tel. 055 123456'], 'only what cleaning took away');
  await page.getByRole('button', { name: '24 all' }).click();
  await page.getByLabel('Find an element').fill('lucia');
  await page.getByText('1 of 24 elements shown').waitFor();
  await page.getByRole('rowheader', { name: /PatientComments/ }).waitFor();
  assert.deepEqual(page.troubles, []);
});

test('a file in quarantine is tried again', async () => {
  const page = await openAsManager('/quarantine');
  await page.getByRole('button', { name: 'Try again: series-17/IM0042' }).click();
  await page.getByText('series-17/IM0042 was let in.').waitFor();
  await page.getByRole('button', { name: 'Try again: batch/empty.dcm' }).click();
  await page.getByText('batch/empty.dcm stays in quarantine: The file is empty.').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('a folder is read, and the progress shows', async () => {
  const page = await openAsManager('/ingests');
  await page.getByLabel('Folder').fill('../etc');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('Name a folder below the landing folder').waitFor();
  await page.getByLabel('Folder').fill('third-batch');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByRole('progressbar', { name: 'Files are coming in' }).waitFor();
  await page.getByRole('rowheader', { name: 'third-batch' }).waitFor();
  assert.deepEqual(page.troubles, []);
});

test('a dataset is published', async () => {
  const page = await openAsManager('/datasets');
  await page.getByLabel('Title').fill('Large nodules');
  await page.getByLabel('Description').fill('Nodules that were rated suspicious.');
  await page.getByLabel('Cohort').fill('malignancy >= 4');
  await page.getByLabel('Licence').fill('CC BY 4.0');
  await page.getByRole('button', { name: 'Freeze and publish' }).click();
  await page.getByRole('row', { name: /Large nodules.*malignancy >= 4.*on its way/ }).waitFor();
  assert.deepEqual(page.troubles, []);
});
