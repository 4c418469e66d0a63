// The viewer against the mock: tools, measuring, segments, planes, panels and keys.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../dev/mock.mjs';
import { accessibilityFindings, fits, openBrowser, openPage, signIn, visit } from './browser.mjs';
import { drawn, waitForOutlines } from './canvas.mjs';

/** The series of the mock that has segmentations. */
const SERIES = '/series/2.25.3295716.4';
let mock;
let browser;

before(async () => {
  [mock, browser] = await Promise.all([startMock(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  mock?.stop();
});

async function openViewer(options) {
  const page = await openPage(browser, mock.node, options);
  await signIn(page, 'manager', 'demo');
  await waitForOutlines(page);
  await visit(page, SERIES);
  await page.getByText('Slice 26 / 48').waitFor();
  await page.getByLabel('Left lung').waitFor();
  await drawn(page);
  return page;
}

/** The colour of the canvas at a share of its width and height. */
const colorAt = (page, x, y) =>
  page.evaluate(
    ([x, y]) => {
      const shown = document.querySelector('canvas');
      const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      copy.drawImage(shown, -Math.floor(shown.width * x), -Math.floor(shown.height * y));
      return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
    },
    [x, y],
  );

const pixelsWhere = (page, test) =>
  page.evaluate((test) => {
    const shown = document.querySelector('canvas');
    const copy = new OffscreenCanvas(shown.width, shown.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(shown, 0, 0);
    const { data } = copy.getImageData(0, 0, shown.width, shown.height);
    const is = { blue: (r, g, b) => b > r + 40 && b > g + 15, red: (r, g, b) => r > b + 40 && r > g + 40 }[test];
    let found = 0;
    for (let at = 0; at < data.length; at += 4) if (is(data[at], data[at + 1], data[at + 2])) found += 1;
    return found;
  }, test);

const waitForPixels = async (page, test, more) => {
  let found = await pixelsWhere(page, test);
  // The painting follows the frames: asked again until it is there, up to the test's own limit.
  while (found <= more) found = await page.evaluate(() => new Promise(requestAnimationFrame)).then(() => pixelsWhere(page, test));
  return found;
};

async function drag(page, from, to) {
  const box = await page.locator('canvas').first().boundingBox();
  await page.mouse.move(box.x + box.width * from[0], box.y + box.height * from[1]);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to[0], box.y + box.height * to[1], { steps: 4 });
  await page.mouse.up();
}

test('segments of two kinds lie on the slice, each on and off, all on and off, at any strength', async () => {
  const page = await openViewer();
  await page.getByText('One segmentation cannot be shown: It has no frames.').waitFor();
  await waitForPixels(page, 'blue', 1000);
  await waitForPixels(page, 'red', 100);
  // Segments come one by one: counted once nothing more is on its way.
  await page.waitForLoadState('networkidle');
  const all = await waitForPixels(page, 'blue', 1000);
  await page.getByLabel('Left lung').uncheck();
  assert.ok((await pixelsWhere(page, 'blue')) < all / 4);
  assert.ok((await pixelsWhere(page, 'red')) > 100);
  await page.getByRole('button', { name: 'All off' }).click();
  assert.equal(await pixelsWhere(page, 'red'), 0);
  await page.getByRole('button', { name: 'All on' }).click();
  await page.getByLabel('Opacity').fill('0');
  assert.ok((await pixelsWhere(page, 'blue')) < all / 4);
  await page.getByText('Segmentation 2').waitFor();
  await page.getByLabel('Segment 2').waitFor();
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('Home');
  await page.getByText('Slice 1 / 48').waitFor();
  await page.getByRole('button', { name: 'Find Heart' }).click();
  await page.getByText('Slice 26 / 48').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('lengths and areas are measured in millimetres and Hounsfield units, with pointer and with keys', async () => {
  const page = await openViewer();
  await page.getByRole('button', { name: 'Rectangle' }).click();
  await drag(page, [0.48, 0.46], [0.52, 0.5]);
  const list = page.getByRole('listitem').filter({ hasText: 'Rectangle 1' });
  await list.getByText(/mean −?[\d.,]+ ± [\d.]+ HU/).waitFor();
  await list.getByText(/area [\d.,]+ mm²/).waitFor();

  await page.keyboard.press('l');
  for (let step = 0; step < 3; step += 1) await page.keyboard.press('Shift+ArrowRight');
  await page.mouse.move(1, 1);
  await page.getByText(/Value −?[\d,]+ HU at column 130, row 128/).waitFor({ state: 'attached' });
  await page.keyboard.press('Enter');
  for (let step = 0; step < 10; step += 1) await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  // Ten pixels of 1.4 mm.
  await page.getByText('14.0 mm').first().waitFor();
  await page.keyboard.press('Delete');
  await page.getByText('14.0 mm').first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Remove Rectangle 1' }).click();
  await page.getByText('Choose Length, Rectangle or Ellipse').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('every tool drags what it says, and reset takes all of it back', async () => {
  const page = await openViewer();
  await page.getByRole('button', { name: 'All off' }).click();
  await page.getByRole('heading', { level: 1 }).click();
  const first = await colorAt(page, 0.5, 0.75);
  await page.keyboard.press('i');
  await page.getByText('inverted').waitFor();
  const [grey] = await colorAt(page, 0.5, 0.75);
  assert.ok(Math.abs(first[0] + grey - 255) <= 2, `${first[0]} became ${grey}`);
  await page.keyboard.press('w');
  await drag(page, [0.4, 0.4], [0.6, 0.4]);
  await page.getByText('W 1,500').waitFor({ state: 'detached' });
  await page.keyboard.press('s');
  await drag(page, [0.5, 0.4], [0.5, 0.5]);
  await page.getByText('Slice 26 / 48').waitFor({ state: 'detached' });
  await page.keyboard.press('r');
  await page.getByText('C −500 · W 1,500').waitFor();
  await page.getByText('inverted').waitFor({ state: 'detached' });
  assert.deepEqual(page.troubles, []);
});

test('other planes are cut from the stack, and a cine runs through them', async () => {
  const page = await openViewer();
  await page.keyboard.press('c');
  await page.getByText('Slice 129 / 256').waitFor();
  await page.getByText('Outlines and segments show on slices as acquired.').waitFor();
  await page.keyboard.press('g');
  await page.getByText('Slice 129 / 256').waitFor();
  await page.keyboard.press('a');
  await page.getByText('Slice 25 / 48').waitFor();
  await page.getByLabel('Frames a second').fill('60');
  await page.getByRole('button', { name: 'Play' }).click();
  await page.getByText('Slice 25 / 48').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Play' }).waitFor();
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('x');
  await page.getByText('Slice 26 / 48').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('panels of one frame of reference scroll together until they are told not to', async () => {
  const page = await openViewer();
  await page.keyboard.press('v');
  await page.getByLabel('Series of panel 2').selectOption({ index: 2 });
  const second = page.getByRole('region', { name: 'Panel 2' });
  await second.getByText('Slice 26 / 48').waitFor();
  await page.locator('canvas').first().click();
  await page.keyboard.press('PageDown');
  await second.getByText('Slice 36 / 48').waitFor();
  await page.keyboard.press('k');
  await page.keyboard.press('PageUp');
  await page.getByRole('region', { name: 'Panel 1' }).getByText('Slice 26 / 48').waitFor();
  await second.getByText('Slice 36 / 48').waitFor();
  await page.keyboard.press('v');
  await page.getByRole('region', { name: 'Panel 4' }).getByText('Choose a series of this patient above.').waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.setViewportSize({ width: 400, height: 800 });
  assert.ok(await fits(page), 'too wide for a telephone');
  assert.deepEqual(page.troubles, []);
});

test('the help lies over the page, is accessible, and closes with Escape', async () => {
  const page = await openViewer({ colorScheme: 'dark' });
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys and pointer' }).waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('ArrowDown');
  await page.getByText('Slice 27 / 48').waitFor();
  assert.deepEqual(page.troubles, []);
});
