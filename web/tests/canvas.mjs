// What the viewer's canvas shows, and waiting until it shows all of it.
import { visit } from './browser.mjs';

/** As in SeriesPage.svelte. */
const PATIENCE_MS = 400;

/** Grey levels and coloured pixels of the viewer's canvas, and how many pixels are not as at the last look. */
export const lookAtCanvas = (page) =>
  page.locator('canvas').evaluate((canvas) => {
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const pixels = copy.getImageData(0, 0, width, height).data;
    const last = globalThis.lastLook ?? pixels;
    const greys = new Set();
    let [coloured, changed] = [0, 0];
    for (let at = 0; at < pixels.length; at += 4) {
      const [red, green, blue] = [pixels[at], pixels[at + 1], pixels[at + 2]];
      if (Math.max(red, green, blue) - Math.min(red, green, blue) > 40) coloured += 1;
      else if (red === green && green === blue) greys.add(red);
      if (red !== last[at] || green !== last[at + 1] || blue !== last[at + 2]) changed += 1;
    }
    globalThis.lastLook = pixels;
    return { greys: greys.size, coloured, changed };
  });

/**
 * From the next page on the viewer waits for outlines however late they come. Its patience ends after 0.4 s, and a slice in the
 * middle of the series is shown then; a test under load would see either.
 */
export const waitForOutlines = (page) =>
  page.addInitScript((patience) => {
    const later = globalThis.setTimeout;
    globalThis.setTimeout = (act, wait, ...rest) => later(act, wait === patience ? 2 ** 30 : wait, ...rest);
  }, PATIENCE_MS);

/** Waits until the first canvas shows a slice: words over it are there before. */
export const drawn = (page) =>
  page.waitForFunction(() => {
    const stage = document.querySelector('canvas');
    if (!stage || stage.height < 2) return false;
    const copy = new OffscreenCanvas(stage.width, stage.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(stage, 0, 0);
    const row = copy.getImageData(0, Math.floor(stage.height / 2), stage.width, 1).data;
    return row.some((value, at) => at % 4 < 3 && value > 0);
  });

/** The viewer with a CT on which something is outlined, once its image is there. */
export async function openOutlined(page) {
  await waitForOutlines(page);
  await visit(page, '/series');
  const row = page.getByRole('row').filter({ hasText: /^\s*CT · / }).filter({ hasText: 'outlined' }).first();
  await row.getByRole('link').click();
  await page.getByText('Phantom: synthetic image').waitFor();
  await drawn(page);
}
