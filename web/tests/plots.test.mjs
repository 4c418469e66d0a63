// The explorer's plots against the mock: asked for by hand, drawn with a table beside them, by keyboard too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../dev/mock.mjs';
import { accessibilityFindings, openBrowser, openPage, signIn, visit } from './browser.mjs';

let mock;
let browser;

before(async () => {
  [mock, browser] = await Promise.all([startMock(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  mock?.stop();
});

async function explorer(query, options, by = []) {
  const page = await openPage(browser, mock.hub, options);
  await signIn(page, 'researcher', 'demo');
  await visit(page, `/explorer?q=${encodeURIComponent(query)}${by.length > 0 ? `&by=${by.join(',')}` : ''}`);
  await page.getByRole('region', { name: 'Results' }).getByText('4 of 4 sites answered').first().waitFor();
  return page;
}

const card = (page, title) => page.locator('section', { has: page.getByRole('heading', { level: 2, name: title, exact: true }) });
const rows = (place) =>
  place.locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));

test('an age plot costs what the button says, and its bars stand in a table in the order of ages', async () => {
  const page = await explorer('modality = CT');
  const steps = card(page, 'By age and other numbers');
  await steps.getByText(/^Costs 0\.2 % of your budget of 7 days at each site; \d+ % is left/).waitFor();
  await steps.getByRole('button', { name: 'Count by Age' }).focus();
  await page.keyboard.press('Enter');
  await steps.getByRole('img', { name: /^Bars: patients by Age/ }).waitFor();
  await steps.getByRole('img').locator('rect').nth(8).waitFor();
  const table = await rows(steps);
  assert.deepEqual(table.map(([step]) => step).slice(0, 3), ['below 20', '20–30', '30–40']);
  assert.equal(table.at(-1)[0], '90 and more');
  assert.ok(table.some(([, count]) => /^about \d/.test(count)));
  assert.equal(await steps.locator('path.within').count(), table.length);
  assert.match(await page.getByLabel('From a shell').or(page.locator('main')).first().innerText(), /--facet age/);
  await steps.getByLabel('Count by').selectOption('slice_thickness');
  await steps.getByRole('button', { name: 'Count by Slice thickness' }).waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  assert.deepEqual(page.troubles, []);
});

test('numbers named in the address are drawn by value beside words, and are chosen by keyboard', async () => {
  const page = await explorer('modality = CT', {}, ['sex', 'age']);
  const byValue = card(page, 'By value');
  await byValue.getByRole('heading', { level: 3, name: 'Sex' }).waitFor();
  await byValue.getByRole('heading', { level: 3, name: 'Age' }).waitFor();
  await byValue.getByRole('img', { name: /^Bars: patients by Age, each within ± \d+\./ }).waitFor();
  const table = await rows(byValue);
  assert.deepEqual(table.map(([step]) => step).slice(0, 3), ['below 20', '20–30', '30–40']);
  assert.equal(table.at(-1)[0], '90 and more');
  assert.equal(await byValue.locator('svg rect').count(), table.length);
  assert.match(await byValue.locator('svg .label').first().textContent(), /^Age \(years\)$/);
  assert.deepEqual(await accessibilityFindings(page), []);

  await byValue.locator('summary').focus();
  await page.keyboard.press('Enter');
  for (const name of ['Age', 'Slice thickness']) {
    await byValue.getByRole('checkbox', { name, exact: true }).focus();
    await page.keyboard.press('Space');
  }
  await byValue.getByRole('button', { name: 'Count by these' }).press('Enter');
  await byValue.getByRole('img', { name: /^Bars: patients by Slice thickness/ }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('by'), 'sex,slice_thickness');
  assert.equal(await byValue.getByRole('img').count(), 1, 'what was taken out is drawn no more');
  // What scrolls is reached by keyboard and has a name.
  await byValue.getByRole('region', { name: 'Figures: Slice thickness' }).focus();
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.setViewportSize({ width: 360, height: 740 });
  // Bars are drawn anew for the narrow page; what is cut off stays so, and ends this wait.
  const narrow = await byValue.elementHandle();
  await page.waitForFunction(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth, narrow);
  if (process.env.PICTURES) await byValue.screenshot({ path: `${process.env.PICTURES}/by-value-narrow.png` });
  await page.setViewportSize({ width: 1280, height: 900 });
  if (process.env.PICTURES) await byValue.screenshot({ path: `${process.env.PICTURES}/by-value.png` });
  assert.deepEqual(page.troubles, []);
});

test('a survival curve is drawn with its band, its figures, and the names of who is not in it', async () => {
  const page = await explorer('modality = CT');
  const survival = card(page, 'Survival');
  await survival.getByRole('button', { name: 'Ask for overall survival' }).click();
  await survival.getByRole('img', { name: /^Overall survival: \d+ % at/ }).waitFor();
  await survival.getByText('Records nothing of it').waitFor();
  const table = await rows(survival);
  assert.deepEqual(table[0].slice(0, 3), ['0', '100 %', '100–100 %']);
  assert.match(table[1][3], /^about [\d,]+ ± \d+$/);
  assert.equal(await survival.locator('path.band').count(), 1);
  await survival.getByText(/^It ends at \d+(\.5)? years/).waitFor();
  await survival.getByRole('button', { name: 'Ask for progression-free survival' }).click();
  await survival.getByRole('img', { name: /^Progression-free/ }).waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  assert.deepEqual(page.troubles, []);
});

test('too few patients are no curve', async () => {
  const page = await explorer('malignancy >= 5 and sex = F');
  const survival = card(page, 'Survival');
  await survival.getByRole('button', { name: 'Ask for overall survival' }).click();
  await survival.getByText(/^Too few patients for a curve/).waitFor();
  assert.equal(await survival.getByRole('img').count(), 0);
  assert.deepEqual(await accessibilityFindings(page), []);
});

test('plots fit a narrow screen, light and dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await explorer('', { viewport: { width: 360, height: 740 }, colorScheme });
    await page.getByRole('button', { name: 'Count by Age' }).click();
    await page.getByRole('button', { name: 'Ask for overall survival' }).click();
    await page.getByRole('img', { name: /^Overall survival/ }).waitFor();
    await page.getByRole('img', { name: /^Bars/ }).waitFor();
    // A card hides what is too wide for it, so the page's own width is not enough to look at.
    const plots = page.locator('main section', { has: page.getByRole('heading', { name: /^(By age|Survival|Overall|Progression)/ }) });
    const cut = await plots.evaluateAll((places) =>
      [document.documentElement, ...places]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map((place) => place.innerText?.slice(0, 40)));
    assert.deepEqual(cut, []);
    assert.deepEqual(await accessibilityFindings(page), []);
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/narrow-${colorScheme}.png`, fullPage: true });
  }
});
