// Measures the explorer's page against a federation that runs: from pressing Search to the panel of all sites on the page.
//   node tests/explore.mjs < {"url", "account", "password", "by": [fields], "questions": [texts], "picture"}
// Prints one JSON object: milliseconds of each question, to the sites' answers with their panel and to the total. Used by
// tests/strangers/federated_search.py.
import { openBrowser, openPage, signIn, visit } from './browser.mjs';

const LONGEST_MS = 15_000;

const given = JSON.parse(await new Promise((resolve) => {
  let text = '';
  process.stdin.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => resolve(text));
}));
const browser = await openBrowser();
try {
  const page = await openPage(browser, given.url);
  await signIn(page, given.account, given.password);
  await visit(page, `/explorer?by=${given.by.join(',')}`);
  const text = page.getByLabel('As text');
  await text.waitFor();
  const measured = [];
  for (const question of given.questions) {
    await text.fill(question);
    // What is asked while somebody writes is over before Search is pressed.
    await page.waitForTimeout(400);
    measured.push(await page.evaluate(timed, [question, LONGEST_MS]));
  }
  if (given.picture) await page.screenshot({ path: given.picture, fullPage: true });
  console.log(JSON.stringify({ measured, troubles: page.troubles }));
} finally {
  await browser.close();
}

/** In the page: presses Search and looks at each frame until the answers to this question are on the page, and then its total. */
function timed([question, longest]) {
  const shown = () => {
    const text = document.querySelector('main').textContent;
    const [, answered, sites] = /(\d+) of (\d+) sites answered/.exec(text) ?? [];
    return { id: /\/cohort\/([0-9a-f]{64})/.exec(text)?.[1], all: answered !== undefined && answered === sites, total: /Added up under masks|There is no masked total/.test(text) };
  };
  const before = shown().id;
  const started = performance.now();
  document.querySelector('form button[type=submit]').click();
  return new Promise((resolve) => {
    const found = { question };
    const look = () => {
      const now = performance.now() - started;
      const page = shown();
      if (page.id !== before && page.all && found.panel_ms === undefined) {
        found.panel_ms = now;
        found.facets = document.querySelectorAll('.panel section').length;
        found.bars = document.querySelectorAll('.panel li').length;
      }
      if (found.panel_ms !== undefined && page.total) found.total_ms = now;
      if (found.total_ms !== undefined || now > longest) resolve(found);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}
