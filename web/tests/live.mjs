// The pages against the real demo: a hub and three hospitals as programs, driven in a browser the whole way from a
// search to a model, through a site that is killed, to Ctrl-C. Run as `ARNO=<program> node tests/live.mjs`; with
// SCREENSHOTS=<folder> it also writes the pictures of docs/images.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accessibilityFindings, openBrowser, openPage, signIn, visit } from './browser.mjs';
import { lookAtCanvas, openOutlined } from './canvas.mjs';
import { Demo } from './demo.mjs';
import { card, count, figures, status, tableRows } from './parts.mjs';

const { ARNO, SCREENSHOTS } = process.env;
const PASSPHRASE = 'arno-committee';
const SITES = ['Hospital Celeste', 'Klinikum Aurora', 'Nemocnice Borealis'];
const COHORT = 'modality = CT and slice_thickness <= 3 mm and malignancy >= 3';
/** The training that the demo drives itself, with its pooled yardstick. */
const DEMO_RUN = 'Malignancy from the shape of outlines';
/** A minute and a half on an idle machine. The limit is for what hangs, and within the one of `.ci/run`. */
const LIMIT_MS = 9 * 60_000;
const END_MS = 20_000;
const ACTION_MS = 60_000;
/** Least time of a round of a training that a person watches: ten rounds are long enough for a browser that is slow. */
const WATCHED_MS = 1500;
const SCREENSHOT_BYTES = 200_000;

if (!ARNO) throw new Error('ARNO names no program: ARNO=target/release/arno node tests/live.mjs');
const deadline = AbortSignal.timeout(LIMIT_MS);
setTimeout(() => process.exit(1), LIMIT_MS + END_MS).unref();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

let demo;
let browser;
/** The permit that the committee signs in the browser. */
let permit;

before(
  async () => {
    [demo, browser] = await Promise.all([Demo.start(ARNO), openBrowser()]);
  },
  { signal: deadline },
);
after(async () => {
  await browser?.close();
  demo?.end();
});

/** A test whose pages are closed at its end, and in none of which anything may have gone wrong. */
function live(name, act) {
  test(name, { signal: deadline }, async () => {
    const pages = [];
    const open = async (account, program) => {
      const { url, credentials } = demo.account(account ?? 'operator', program);
      const page = await openPage(browser, url);
      page.setDefaultTimeout(ACTION_MS);
      pages.push(page);
      if (account) await signIn(page, ...credentials);
      return page;
    };
    try {
      await act(open);
      for (const page of pages) assert.deepEqual(page.troubles, [], page.url());
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
    }
  });
}

/** What the page's own server says, in the name of who is signed in there. */
const ask = (page, path) => page.evaluate(async (path) => (await fetch(path)).json(), path);
const accessible = async (page) => assert.deepEqual(await accessibilityFindings(page), [], page.url());
const visitAccessible = async (page, address) => {
  await visit(page, address);
  await accessible(page);
};

/** A picture of the page, from a place on it if one is given; `height` in pixels. */
async function shoot(page, name, height, from) {
  if (!SCREENSHOTS) return;
  const before = page.viewportSize();
  await page.setViewportSize({ width: 1280, height });
  if (from) await from.evaluate((element) => scrollTo(0, scrollY + element.getBoundingClientRect().top - 24));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  assert.ok(picture.length <= SCREENSHOT_BYTES, `${name}.png has ${picture.length} bytes`);
  await mkdir(SCREENSHOTS, { recursive: true });
  await writeFile(join(SCREENSHOTS, `${name}.png`), picture);
  await page.setViewportSize(before);
}

live('the start page counts what the federation counts', async (open) => {
  const page = await open();
  const response = await page.goto('/');
  assert.match(response.headers()['content-security-policy'], /default-src 'none'; script-src 'self'/);
  await visitAccessible(page, '/');
  const { totals, nodes } = await ask(page, '/v1/federation');
  assert.deepEqual(nodes.map(({ name }) => name).toSorted(), SITES);
  await page.getByText('3 of 3', { exact: true }).waitFor();
  assert.ok(totals.patients > 100 && totals.instances > 1000, JSON.stringify(totals));
  const levels = ['patients', 'studies', 'series', 'instances', 'readings', 'datasets'];
  const expected = Object.fromEntries(levels.map((level) => [level[0].toUpperCase() + level.slice(1), count(totals[level])]));
  assert.deepEqual(await figures(page), { ...expected, 'Sites online': '3 of 3' });
  await shoot(page, 'home', 812);
});

live('a dataset is found in the catalogue', async (open) => {
  const page = await open();
  const entries = await visitAccessible(page, '/datasets').then(() => ask(page, '/v1/datasets'));
  await page.getByText(`${entries.length} of ${entries.length} datasets`).waitFor();
  await page.getByLabel('Filter').fill('Celeste');
  await page.getByText(`1 of ${entries.length} datasets`).waitFor();
  const { record, site } = entries.find(({ site }) => site === 'Hospital Celeste');
  await page.getByRole('link', { name: record.title }).click();
  await page.getByRole('heading', { level: 1, name: record.title }).waitFor();
  await page.getByText('Verified by the hub').waitFor();
  await page.getByText('Phantom images').waitFor();
  assert.equal((await figures(page)).Patients, count(record.patients));
  assert.match(await card(page, 'About this version').innerText(), new RegExp(site));
  await accessible(page);
});

live('a cohort typed on the keyboard is counted by three sites', async (open) => {
  const page = await open('researcher');
  await visitAccessible(page, '/explorer');
  await page.getByLabel('As text').focus();
  await page.keyboard.type(COHORT);
  assert.equal(await page.getByLabel('Value of Malignancy').inputValue(), '3');
  await page.keyboard.press('Enter');
  const results = page.getByRole('region', { name: 'Results' });
  await results.getByText('3 of 3 sites answered').first().waitFor();
  assert.deepEqual((await results.getByRole('heading', { level: 3 }).allInnerTexts()).toSorted(), SITES);
  const [search] = await ask(page, '/v1/searches');
  for (const { name, answer } of search.sites) {
    const site = results.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) });
    const chips = await site.getByRole('list', { name: 'Criteria at this site' }).getByRole('listitem').allInnerTexts();
    assert.equal(chips.filter((chip) => /^✓\s.*\sapplied$/s.test(chip)).length, 3, `${name}: ${chips}`);
    // Noise may take a site's count below the threshold: then it is hidden, and that is what the page says.
    const { patients } = answer.counted.counts;
    const shown = 'about' in patients ? `about ${count(patients.about)}` : `fewer than ${patients.fewer_than}`;
    assert.match(await site.locator('dd').first().innerText(), new RegExp(`^${shown}\\s+±`));
  }
  await accessible(page);
  await shoot(page, 'explorer', 1080);
  await shoot(page, 'sites', 700, results);
});

live('ages and survival of everybody are drawn over three sites, and are said to be invented', async (open) => {
  const page = await open('researcher');
  await visit(page, '/explorer?q=');
  await page.getByRole('region', { name: 'Results' }).getByText('3 of 3 sites answered').first().waitFor();
  const steps = card(page, 'By age and other numbers');
  await steps.getByRole('button', { name: 'Count by Age at diagnosis' }).click();
  await steps.getByRole('img', { name: /^Bars: patients by Age at diagnosis/ }).waitFor();
  const ages = await tableRows(steps);
  assert.deepEqual([ages.length, ages[0][0], ages.at(-1)[0]], [9, 'below 20', '90 and more']);
  const survival = card(page, 'Survival');
  await survival.getByText('The demo’s outcomes are invented; they are nobody’s.').waitFor();
  await survival.getByRole('button', { name: 'Ask for overall survival' }).click();
  await survival.getByText(`In the curve: ${SITES.join(', ')}.`).or(survival.getByText(/^In the curve: .*,.*,/)).first().waitFor();
  const [search] = await ask(page, '/v1/searches');
  const { curve, sites, unrecorded } = search.survival[0];
  assert.deepEqual([sites.length, unrecorded], [3, []]);
  // Of 875 invented patients most are followed for years; three spreads of the noise are about seventy.
  assert.ok(curve.points.length > 5, JSON.stringify(curve));
  const table = await tableRows(survival);
  assert.deepEqual(table.map(([years]) => Number(years)), curve.points.map(({ years }) => years));
  assert.ok(curve.points.every(({ share }, index) => index === 0 || share <= curve.points[index - 1].share));
  await accessible(page);
  await shoot(page, 'plots', 1330, steps);
});

live('patients by value are drawn over three sites, words and a number in steps', async (open) => {
  const page = await open('researcher');
  await visit(page, '/explorer?q=&by=vital_status,modality,manufacturer,age_at_diagnosis');
  const byValue = card(page, 'By value');
  await byValue.getByRole('img', { name: /^Bars: patients by Age at diagnosis/ }).waitFor();
  await page.getByRole('region', { name: 'Results' }).getByText('3 of 3 sites answered').first().waitFor();
  const drawn = await byValue.getByRole('heading', { level: 3 }).allInnerTexts();
  assert.deepEqual(drawn.toSorted(), ['Age at diagnosis', 'Manufacturer', 'Modality', 'Vital status']);
  const [search] = await ask(page, '/v1/searches');
  assert.deepEqual(search.sites.map(({ answer }) => answer.counted.facets.length), [4, 4, 4]);
  await accessible(page);
  await shoot(page, 'facets', 860, byValue);
});

live('a cohort that cannot be read shows where', async (open) => {
  const page = await open('researcher');
  await visit(page, '/explorer');
  await page.getByLabel('As text').focus();
  await page.keyboard.type('modality = CT and colour = red');
  await page.keyboard.press('Enter');
  await page.getByText(/^Cannot be read at character 19: .*colour/).waitFor();
  assert.equal(await page.locator('#cohort-error mark').innerText(), 'c');
  await accessible(page);
});

live('a request is signed in the browser, and the hub takes the signature', async (open) => {
  const page = await open('researcher');
  await visit(page, '/datasets');
  await page.getByRole('link').filter({ hasText: 'Lung nodules' }).first().click();
  await page.getByRole('link', { name: 'Request access' }).click();
  await page.getByLabel('Title').fill('Shape against malignancy');
  await page.getByLabel('Purpose').fill('Ask whether “shape” alone tells malignant nodules:\nüber drei Häuser, \\ and all.');
  for (const choice of await page.getByLabel(/Lung nodules/).all()) await choice.check();
  await accessible(page);
  await page.getByRole('button', { name: 'Submit the request' }).click();
  await page.getByRole('heading', { level: 1, name: 'Shape against malignancy' }).waitFor();
  await page.getByText('The access committee has not decided yet.').waitFor();
  const address = new URL(page.url()).pathname;

  const committee = await open('committee');
  await visit(committee, '/requests');
  await committee.getByRole('link', { name: 'Shape against malignancy' }).click();
  const passphrase = committee.getByLabel('Passphrase of the signing key');
  await passphrase.fill('guessed');
  await accessible(committee);
  await shoot(committee, 'request', 700);
  await committee.getByRole('button', { name: 'Sign and grant' }).click();
  await committee.getByRole('alert').getByText('This passphrase does not open the key.').waitFor();
  assert.equal((await ask(committee, `/v1${address}`)).state, 'in_review');
  await passphrase.fill(PASSPHRASE);
  await committee.getByRole('button', { name: 'Sign and grant' }).click();
  await committee.getByText(/^Granted by committee/).waitFor();
  await accessible(committee);

  // The data user's page learns it by itself, and the hub shows whose signature it took.
  await page.getByText(/^Granted by committee/).waitFor();
  await status(page, 'Granted').waitFor();
  const { granted } = (await ask(page, `/v1${address}`)).state;
  const { committee_key } = await ask(page, '/v1/federation');
  assert.equal(granted.signed.signer, committee_key);
  permit = granted.permit;
});

/** Patients that sites of a search counted exactly, by the site's name. */
const exactly = ({ sites }) =>
  Object.fromEntries(sites.map(({ name, answer }) => [name, answer.exact?.counts?.exactly?.patients]).toSorted());

live('a permit to count opens true numbers, in the browser and in a shell, and each is written down', async (open) => {
  const page = await open('researcher');
  await visit(page, '/requests/new');
  await page.getByLabel('Title').fill('How many');
  await page.getByLabel('Purpose').fill('Plan a study of malignant nodules.');
  for (const choice of await page.getByLabel(/Lung nodules/).all()) await choice.check();
  for (const name of [/^Train/, /^Evaluate/]) await page.getByRole('checkbox', { name }).uncheck();
  await page.getByRole('checkbox', { name: /^Count/ }).check();
  await accessible(page);
  await page.getByRole('button', { name: 'Submit the request' }).click();
  await page.getByText('The access committee has not decided yet.').waitFor();
  const address = new URL(page.url()).pathname;

  const committee = await open('committee');
  await visit(committee, address);
  await committee.getByLabel('Passphrase of the signing key').fill(PASSPHRASE);
  await committee.getByRole('button', { name: 'Sign and grant' }).click();
  await committee.getByText(/^Granted by committee/).waitFor();

  await page.getByRole('link', { name: 'Count exactly in the explorer' }).click();
  const results = page.getByRole('region', { name: 'Results' });
  await results.getByText('Exact counts, added up. Sites in it: 3.').waitFor();
  // Everybody in the datasets is what their records say, which the sites signed before anybody asked.
  const records = (await ask(page, '/v1/datasets')).filter(({ record }) => record.title.startsWith('Lung nodules'));
  const published = Object.fromEntries(records.map(({ record, site }) => [site, record.patients]).toSorted());
  const [everybody] = await ask(page, '/v1/searches');
  assert.deepEqual(exactly(everybody), published);
  for (const name of SITES) {
    const site = results.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) });
    assert.match(await site.locator('dd').first().innerText(), new RegExp(`^${count(published[name])}\\s+exact$`));
  }
  await page.getByLabel('As text').fill('malignancy >= 4');
  await page.getByRole('button', { name: 'Count exactly' }).click();
  await results.getByRole('listitem').filter({ hasText: 'malignancy >= 4' }).nth(SITES.length - 1).waitFor();
  await results.getByText('Exact counts, added up. Sites in it: 3.').waitFor();
  assert.equal(await page.getByText('±').count(), 0, 'nothing with noise is shown beside');
  await accessible(page);
  const [some] = await ask(page, '/v1/searches');
  assert.ok(SITES.every((name) => exactly(some)[name] > 0 && exactly(some)[name] < published[name]), JSON.stringify(exactly(some)));

  // The same from a shell, under the permit from the browser and under one that the shell asked for and signed.
  const inBrowser = some.permit;
  assert.deepEqual(exactly(demo.shell('search', '--permit', inBrowser, 'malignancy >= 4')), exactly(some));
  const { id } = demo.shell('request', '--operation', 'count', '--purpose', 'The same from a shell');
  const { state } = demo.shell('decide', id, '--grant', '--passphrase', PASSPHRASE, '--profile', 'demo-committee');
  const inShell = state.granted.permit;
  assert.deepEqual(exactly(demo.shell('search', '--permit', inShell, 'malignancy >= 4')), exactly(some));

  const manager = await open('manager', 'Hospital Celeste');
  await visitAccessible(manager, '/disclosure');
  const ledger = await tableRows(card(manager, 'Exact counts under permits'));
  const written = ledger.map(([cohort, who, permit]) => [cohort.split('\n')[0], who, permit]);
  assert.deepEqual(written.slice(0, 4), [
    ['malignancy >= 4', 'researcher', inShell],
    ['malignancy >= 4', 'researcher', inBrowser],
    ['malignancy >= 4', 'researcher', inBrowser],
    ['everybody', 'researcher', inBrowser],
  ]);
  await visitAccessible(manager, '/audit');
  await manager.getByText('Chain holds').waitFor();
  const entries = (await tableRows(manager)).filter((cells) => cells.includes('exact count'));
  assert.equal(entries.length, 4, JSON.stringify(entries));
});

/** The table of models beside the ROC curves, checked against the API; gives the names. */
async function checkModels(page, analysis) {
  const quality = card(page, 'How well the models tell malignant from benign');
  const rows = await tableRows(quality);
  const sites = analysis.models.filter(({ node }) => node !== null);
  const federation = analysis.models.filter(({ node }) => node === null);
  const known = [...sites, ...federation, ...(analysis.yardstick ? [analysis.yardstick] : [])];
  assert.deepEqual(rows.map(([, auc]) => auc), known.map(({ auc }) => auc.toFixed(3)));
  const curves = quality.getByRole('img', { name: /^ROC curves/ }).locator('path.line');
  const points = await curves.evaluateAll((paths) => paths.map((path) => path.getAttribute('d').split('L').length));
  assert.equal(points.length, rows.length);
  assert.ok(points.every((number) => number > 10), `${points}`);
  return rows.map(([name]) => name);
}

const ALONE = SITES.map((name) => `${name} alone`);

live('an analysis under the permit is watched until it is finished', async (open) => {
  const page = await open('researcher');
  await visitAccessible(page, `/analyses/new?permit=${permit}`);
  await page.getByLabel('Title').fill('Watched in a browser');
  assert.equal(await page.getByLabel('Permit').inputValue(), permit);
  let pace;
  await page.route('**/v1/analyses', (route) => {
    const wanted = route.request().postDataJSON();
    pace = wanted.pace_ms;
    return route.continue({ postData: { ...wanted, pace_ms: WATCHED_MS } });
  });
  await page.getByRole('button', { name: 'Start the analysis' }).click();
  await status(page, 'Running').waitFor();
  assert.ok(pace > 0, 'the form asks for rounds that can be watched');
  const rounds = card(page, 'Rounds');
  await rounds.locator('tbody tr').nth(2).waitFor();
  assert.ok(await status(page, 'Running').isVisible(), 'rounds show while it runs');
  await status(page, 'Finished').waitFor();
  const analysis = await ask(page, `/v1${new URL(page.url()).pathname}`);
  const table = await tableRows(rounds);
  assert.equal(table.length, analysis.rounds.length);
  assert.ok(table.every(([, , contributed]) => contributed === '3 of 3'), JSON.stringify(table));
  assert.deepEqual([...new Set(table.map(([, kind]) => kind))], ['means and deviations', 'Newton step', 'score histograms']);
  assert.deepEqual((await checkModels(page, analysis)).toSorted(), ['Federation', ...ALONE].toSorted());
  await accessible(page);
});

live('the demo’s own training stands beside the pooled yardstick', async (open) => {
  const page = await open('researcher');
  await visitAccessible(page, '/analyses');
  await page.getByRole('link', { name: DEMO_RUN }).click();
  await page.getByText(/^Federation and pooled data differ by at most (?:0|(?:\S+ × )?10⁻\S+) in any coefficient\.$/).waitFor();
  const analysis = await ask(page, `/v1${new URL(page.url()).pathname}`);
  assert.ok(analysis.yardstick.max_coefficient_difference < 1e-6);
  assert.deepEqual((await checkModels(page, analysis)).toSorted(), ['Federation', ...ALONE, 'Pooled data'].toSorted());
  await accessible(page);
  await shoot(page, 'training', 1150, card(page, 'Rounds'));
});

live('without a permit three sites refuse', async (open) => {
  const page = await open('researcher');
  await visit(page, '/analyses/new');
  await page.getByLabel('Title').fill('No permit');
  await page.getByLabel('Permit').selectOption('');
  await page.getByRole('button', { name: 'Start the analysis' }).click();
  await page.getByText('The hub cannot overrule them').waitFor();
  // The run ends with the second refusal; the third may come after it.
  await page.getByText('permit_missing').nth(2).waitFor();
  assert.equal(await page.getByText('permit_missing').count(), 3);
  await accessible(page);
});

live('the operator reads the audit log and invites a site', async (open) => {
  const page = await open('operator');
  await visitAccessible(page, '/audit');
  await page.getByText('Chain holds').waitFor();
  const entries = (await tableRows(page)).map(([, , actor, action, outcome]) => `${actor} ${action} ${outcome}`);
  assert.ok(entries.some((entry) => /committee.*done/.test(entry)), entries.join('\n'));
  assert.ok(entries.some((entry) => entry.endsWith('refused')), entries.join('\n'));
  await visit(page, '/invitations');
  await page.getByLabel('For whom').fill('A fourth hospital');
  await page.getByRole('button', { name: 'Issue the invitation' }).click();
  await page.getByText(/arno-invitation-1\.[\w-]{40,}/).waitFor();
  await accessible(page);
});

live('a node counts, lists and explains what came in', async (open) => {
  const page = await open('manager', 'Hospital Celeste');
  await visitAccessible(page, '/');
  const { holdings } = await ask(page, '/v1/overview');
  const flow = await page.locator('main ol strong').allInnerTexts();
  assert.deepEqual(flow, [holdings.received, holdings.instances, holdings.quarantined].map(count));
  const levels = ['Patients', 'Studies', 'Series', 'Readings'];
  const shown = await figures(page);
  assert.deepEqual(levels.map((level) => shown[level]), levels.map((level) => count(holdings[level.toLowerCase()])));
  await page.getByText('Connected', { exact: true }).waitFor();

  await visitAccessible(page, '/ingests');
  assert.equal((await tableRows(page))[0][3], count(holdings.received));
  await visitAccessible(page, '/series');
  await page.getByText(`1–25 of ${holdings.series}`).waitFor();
  assert.equal((await tableRows(page)).length, 25);
  await visitAccessible(page, '/datasets');
  await page.getByRole('row', { name: /Lung nodules.*has it/ }).waitFor();
  await visitAccessible(page, '/permits');
  await page.getByRole('row', { name: new RegExp(`researcher.*${permit}.*In force`, 's') }).waitFor();
  await visitAccessible(page, '/audit');
  await page.getByText('Chain holds').waitFor();
  assert.ok((await tableRows(page)).some((cells) => cells[4] === 'refused'));
});

live('quarantine lists the broken files with reasons', async (open) => {
  const page = await open('manager', 'Hospital Celeste');
  await visitAccessible(page, '/quarantine');
  const rows = await tableRows(page);
  const names = rows.map(([name]) => name.split('/').at(-1));
  assert.deepEqual(names.toSorted(), ['empty.dcm', 'note.dcm', 'screenshot.dcm', 'truncated.dcm']);
  for (const [name, reason] of rows) assert.match(reason, /^\w+\s+\S+ \S+/s, name);
  await page.getByRole('button', { name: /Try again: .*empty\.dcm/ }).click();
  await page.getByText(/empty\.dcm stays in quarantine: .{10}/).waitFor();
});

live('the viewer shows an image in greys, and its outlines', async (open) => {
  const page = await open('manager', 'Hospital Celeste');
  await openOutlined(page);
  const drawn = await lookAtCanvas(page);
  assert.ok(drawn.greys > 100, JSON.stringify(drawn));
  assert.ok(drawn.coloured > 20, JSON.stringify(drawn));
  await page.keyboard.press('o');
  const bare = await lookAtCanvas(page);
  assert.equal(bare.coloured, 0);
  assert.ok(bare.changed >= drawn.coloured && bare.greys > 100, JSON.stringify(bare));
  await page.keyboard.press('o');
  assert.equal((await lookAtCanvas(page)).coloured, drawn.coloured);
  await accessible(page);
  await shoot(page, 'viewer', 560);
});

live('no name is left after de-identification', async (open) => {
  const page = await open('manager', 'Hospital Celeste');
  await openOutlined(page);
  await page.getByRole('link', { name: 'What was de-identified' }).click();
  await page.getByRole('button', { name: /^\d+ changed$/ }).waitFor();
  await accessible(page);
  await page.getByLabel('Find an element').fill('patient');
  assert.ok((await tableRows(page)).every((cells) => /patient/i.test(cells.join(' '))));
  await shoot(page, 'deidentification', 960);
  await page.getByLabel('Find an element').fill('');
  await page.getByRole('button', { name: /^\d+ all$/ }).click();
  const { elements } = await ask(page, `/v1${new URL(page.url()).pathname}`);
  // The heading of a private block is one cell.
  const rows = (await tableRows(page)).filter((cells) => cells.length > 1);
  assert.equal(rows.length, elements.length);
  const [, planted] = rows.find(([element]) => /^PatientName\b/.test(element));
  const words = planted.toLowerCase().split(/[\^= ]+/).filter((word) => word.length > 2);
  assert.ok(words.length >= 2, 'family and given name');
  // A pseudonym is drawn by lot: one in three thousand holds a given name of three letters.
  const names = (text) => words.some((word) => text.replaceAll(/\bP-[0-9A-Z]{16}\b/g, '').toLowerCase().includes(word));
  assert.ok(rows.filter(([, before]) => names(before)).length >= 2, 'the name stands in more than its own element');
  assert.deepEqual(rows.filter(([, , after]) => names(after)).map(([element]) => element), []);
  // Nor in what the API sends beyond the table.
  assert.ok(elements.every(({ name, path, rule, after }) => !names([name, path, rule, after].join(' '))));
});

live('a site that is killed is absent, and the run goes on without it', async (open) => {
  const home = await open();
  await visit(home, '/');
  await home.getByText('3 of 3', { exact: true }).waitFor();
  const page = await open('researcher');
  const wanted = { title: 'A site falls away', permit, pace_ms: WATCHED_MS };
  const { id } = await page.evaluate(async (wanted) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/v1/analyses', { method: 'POST', headers, body: JSON.stringify(wanted) })).json();
  }, wanted);
  await visit(page, `/analyses/${id}`);
  const rounds = card(page, 'Rounds');
  await rounds.locator('tbody tr').nth(1).waitFor();
  demo.killNode('borealis');
  const site = page.getByRole('listitem').filter({ hasText: 'Nemocnice Borealis' });
  await site.getByText('Absent', { exact: true }).waitFor();
  assert.ok(await status(page, 'Running').isVisible(), 'the run goes on');
  await accessible(page);
  await status(page, 'Finished').waitFor();
  assert.equal((await tableRows(rounds)).at(-1)[2], '2 of 2');
  const models = await checkModels(page, await ask(page, `/v1/analyses/${id}`));
  assert.ok(models.includes('Federation') && !models.includes('Nemocnice Borealis alone'), `${models}`);
  await home.getByText('2 of 3', { exact: true }).waitFor();
  await home.getByText('Offline', { exact: false }).waitFor();
});

test('Ctrl-C ends everything and leaves nothing', { signal: deadline }, async () => {
  assert.equal(demo.processes().length, 4, 'the demo, its hub and the two nodes that were not killed');
  assert.deepEqual(demo.profiles().toSorted(), ['demo-committee.json', 'demo.json']);
  assert.equal(await demo.stop(), 0, demo.output);
  assert.deepEqual(demo.processes(), []);
  assert.equal(existsSync(demo.folder), false);
  assert.deepEqual(demo.profiles(), []);
});
