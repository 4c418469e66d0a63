// What every browser test needs: Debian's Chromium, pages that remember what went wrong in them, signing in, and
// the accessibility check. Knows nothing of a mock: any address will do.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** What takes longer hangs: a machine under load takes ten times as long as an idle one, and is right all the same. */
export const ACTION_MS = 120_000;
/** Charts and canvases follow a change of size a frame later. */
const SETTLED_MS = 10_000;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** A browser without a window. Sandboxing needs rights that a build machine rarely gives. */
export const openBrowser = () =>
  chromium.launch({ executablePath: EXECUTABLE, timeout: ACTION_MS, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });

/**
 * A page in a profile of its own. `page.troubles` collects console errors, uncaught exceptions, breaches of the
 * content security policy and requests to another origin; refusals (4xx) that a test provokes are not among them.
 */
export async function openPage(browser, base, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: base, ...options });
  context.setDefaultTimeout(ACTION_MS);
  const page = await context.newPage();
  page.troubles = [];
  page.on('pageerror', (error) => page.troubles.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    const refused = message.text().startsWith('Failed to load resource') && / 4\d\d /.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !refused) page.troubles.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.origin !== new URL(base).origin)
      page.troubles.push(`foreign request: ${request.url()}`);
  });
  return page;
}

/** Signs in through the form and waits for the account to show. */
export async function signIn(page, account, password) {
  await page.goto('/sign-in');
  await page.getByLabel('Account').fill(account);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Goes to an address and waits until nothing is loading any more. */
export async function visit(page, address) {
  await page.goto(address);
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => document.querySelector('main [role=status].loading') === null);
}

/** Whether the page is no wider than its window, once it has settled after a change of size. */
export const fits = (page) =>
  page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, undefined, { timeout: SETTLED_MS }).then(() => true, () => false);

/** Serious and critical findings of axe-core, as `rule: target` lines. */
export async function accessibilityFindings(page) {
  // Through the protocol, not as a script element: the page's own policy forbids foreign scripts, and shall.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} (${failureSummary})`));
}
