// The review queue against the mock: boxes by mouse and by keyboard, decisions, and the next one by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runnerImport } from 'vite';
import { startMock } from '../dev/mock.mjs';
import { accessibilityFindings, openBrowser, openPage, signIn, visit } from './browser.mjs';
import { lookAt } from './smoke.mjs';

const MANAGER = ['manager', 'demo'];
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
  await visit(page, address);
  return page;
}

const shown = (page, frame) => page.locator(`canvas[data-shown="${frame}"]`).waitFor();
const decided = (page) => page.evaluate(async () => (await fetch('/v1/mock/decided')).json());

test('boxes stay within the frame, whatever moves them', async () => {
  const { drawn, moved, stretched, byKey, inTheMiddle } = (await runnerImport('./src/node/review/boxes.ts', { configFile: false, logLevel: 'silent' })).module;
  const size = { columns: 100, rows: 50 };
  const box = { x: 10, y: 10, width: 20, height: 5, frame: null };
  assert.deepEqual(drawn({ x: 29.9, y: 14.2 }, { x: 10, y: 10 }, null, size), box);
  assert.deepEqual(drawn({ x: 90, y: 40 }, { x: 900, y: 400 }, 2, size), { x: 90, y: 40, width: 10, height: 10, frame: 2 });
  assert.equal(drawn({ x: 9, y: 9 }, { x: 9.5, y: 10 }, null, size), null, 'a click is no box');
  assert.deepEqual(moved(box, -500, 500, size), { ...box, x: 0, y: 45 });
  assert.deepEqual(stretched(box, -500, 500, size), { ...box, width: 1, height: 40 });
  const key = (name, rest = {}) => byKey(box, { key: name, shiftKey: false, ctrlKey: false, ...rest }, size);
  assert.deepEqual(key('ArrowRight'), { ...box, x: 11 });
  assert.deepEqual(key('ArrowDown', { shiftKey: true }), { ...box, height: 6 });
  assert.deepEqual(key('ArrowRight', { ctrlKey: true, shiftKey: true }), { ...box, width: 30 });
  assert.equal(key('x'), null);
  assert.deepEqual(inTheMiddle(null, { columns: 1, rows: 1 }), { x: 0, y: 0, width: 1, height: 1, frame: null });
});

test('the pages of the queue', async () => {
  await lookAt(browser, mock.node, MANAGER, {
    '/review': 'Review',
    '/review/4': 'Does it show who the patient is?',
    '/review/7': 'Does it show who the patient is?',
    '/review/99': 'Does it show who the patient is?',
  });
});

test('a head is shown without its face, which is removed from all of its series', async () => {
  const page = await openAsManager('/review/8');
  await page.getByRole('button', { name: 'Show what would go' }).click();
  await page.getByRole('img', { name: /^The surface of the head/ }).waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.getByRole('button', { name: 'Let it in without the face: 162' }).click();
  await page.getByText('162 came in.').waitFor();
  const sent = (await decided(page)).find(({ id }) => id === 8);
  assert.deepEqual([sent.scope, sent.verdict.kind], ['alike', 'deface']);
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});

test('a head whose face is not found says why, and offers what is left', async () => {
  const page = await openAsManager('/review/9');
  await page.getByRole('button', { name: 'Show what would go' }).click();
  await page.getByText('its field of view cuts off the brow').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0, 'it is no mistake of anybody');
  assert.ok(await page.getByRole('button', { name: 'Let it in without the face: 181' }).isDisabled());
  assert.ok(await page.getByRole('button', { name: 'Let it in as it is' }).isEnabled());
  assert.deepEqual([await accessibilityFindings(page), page.troubles], [[], []]);
  await page.context().close();
});

test('where a device is known to write a box is drawn already', async () => {
  const page = await openAsManager('/review/6');
  await page.getByRole('button', { name: 'Box 1: column 0, row 0, 320 wide, 24 high' }).waitFor();
  await page.getByText('Look whether that is all.').waitFor();
  await page.getByRole('button', { name: 'Let it in, boxes blackened: 1' }).waitFor();
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});

test('a name is covered by mouse, a second box by keyboard, and the next one comes by itself', async () => {
  const page = await openAsManager('/review');
  await page.getByText('4 wait').waitFor();
  await page.getByText('The text finder looks first: 12 wait for it.').waitFor();
  await page.getByRole('link', { name: 'Look at number 4' }).click();
  await shown(page, 1);
  const canvas = await page.locator('canvas').boundingBox();
  await page.mouse.move(canvas.x + canvas.width * 0.02, canvas.y + canvas.height * 0.02);
  await page.mouse.down();
  await page.mouse.move(canvas.x + canvas.width * 0.5, canvas.y + canvas.height * 0.1, { steps: 4 });
  await page.mouse.up();
  await page.getByRole('button', { name: /^Box 1: column 6, row 4, 15\d wide, 2\d high$/ }).waitFor();

  await page.keyboard.press('n');
  const second = page.getByRole('button', { name: /^Box 2: column 120, row 108, 80 wide, 24 high$/ });
  await second.waitFor();
  for (const key of ['ArrowLeft', 'Control+ArrowUp', 'Shift+ArrowDown', 'Control+Shift+ArrowRight']) await page.keyboard.press(key);
  await page.getByRole('button', { name: 'Box 2: column 119, row 98, 90 wide, 25 high' }).waitFor();
  await page.getByLabel('Frames of box 2').selectOption('on frame 1 only');
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.locator('h1').click();
  await page.keyboard.press('ArrowRight');
  await shown(page, 2);
  assert.equal(await page.locator('[data-box]').count(), 1, 'the second box is on the first frame');
  await page.getByRole('button', { name: 'Let it in, boxes blackened: 2' }).click();

  await page.getByText('1 came in.').waitFor();
  await page.waitForURL('**/review/5');
  const [{ id, scope, verdict }] = (await decided(page)).filter(({ id }) => id !== 8);
  assert.deepEqual([id, scope, verdict.kind, verdict.boxes.length], [4, 'one', 'blacken', 2]);
  assert.deepEqual(verdict.boxes[1], { x: 119, y: 98, width: 90, height: 25, frame: 1 });
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});

test('a series is decided at once, what cannot be shown is refused after a second thought, and then it is done', async () => {
  const page = await openAsManager('/review/5');
  await shown(page, 1);
  await page.keyboard.press('s');
  await page.keyboard.press('a');
  await page.getByText('2 came in.').waitFor();
  await page.waitForURL('**/review/7');
  await page.getByText('nobody can let it in').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Let it in/ }).count(), 0);
  await page.keyboard.press('r');
  await page.getByText('Refuse 1 for good?').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Refuse …' }).click();
  await page.getByRole('button', { name: 'Refuse for good' }).click();
  await page.getByText('Nothing waits for a person.').waitFor();
  await page.getByText('1 refused for good.').waitFor();
  assert.deepEqual((await decided(page)).filter(({ id }) => id !== 8).slice(1).map(({ id, scope, verdict }) => [id, scope, verdict.kind]), [[5, 'alike', 'accept'], [7, 'one', 'refuse']]);
  assert.deepEqual(page.troubles, []);
});
