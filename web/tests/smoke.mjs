// The same look at any page: it shows its heading, nothing goes wrong in it, it is accessible in both colour schemes,
// and it fits a telephone.
import assert from 'node:assert/strict';
import { accessibilityFindings, fits, openPage, signIn, visit } from './browser.mjs';

const PHONE = { width: 400, height: 800 };

/** Looks at pages as one account; `pages` maps an address to its heading. */
export async function lookAt(browser, base, account, pages) {
  const page = await openPage(browser, base);
  if (account) await signIn(page, ...account);
  for (const [address, heading] of Object.entries(pages)) {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 900 });
    await visit(page, address);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    assert.match(await page.title(), /.+ · .+/, address);
    assert.deepEqual(await accessibilityFindings(page), [], `${address}, light`);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.deepEqual(await accessibilityFindings(page), [], `${address}, dark`);
    await page.setViewportSize(PHONE);
    assert.ok(await fits(page), `${address} is too wide for a telephone`);
  }
  assert.deepEqual(page.troubles, []);
  await page.context().close();
}
