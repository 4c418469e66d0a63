// What the viewer's canvas shows, for tests of the real demo.
import { visit } from './browser.mjs';

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

/** The viewer with a CT on which something is outlined, once its image is there. */
export async function openOutlined(page) {
  await visit(page, '/series');
  const row = page.getByRole('row').filter({ hasText: /^\s*CT · / }).filter({ hasText: 'outlined' }).first();
  await row.getByRole('link').click();
  await page.getByText('Phantom: synthetic image').waitFor();
  // The stage is black until the frame is there.
  await page.waitForFunction(() => {
    const stage = document.querySelector('canvas');
    const copy = new OffscreenCanvas(stage.width, stage.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(stage, 0, 0);
    return copy.getImageData(0, stage.height / 2, stage.width, 1).data.some((value, at) => at % 4 < 3 && value > 0);
  });
}
