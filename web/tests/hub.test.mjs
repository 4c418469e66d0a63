// The hub's pages against the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../dev/mock.mjs';
import { accessibilityFindings, openBrowser, openPage, signIn, visit } from './browser.mjs';
import { lookAt } from './smoke.mjs';

const RESEARCHER = ['researcher', 'demo'];
const COMMITTEE = ['committee', 'demo'];
let mock;
let browser;

before(async () => {
  [mock, browser] = await Promise.all([startMock(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  mock?.stop();
});

const ask = async (path) => (await fetch(mock.hub + path, { headers: { cookie: 'arno=researcher' } })).json();

test('pages for everybody', async () => {
  const [{ record }] = await ask('/v1/datasets');
  await lookAt(browser, mock.hub, null, {
    '/': 'Arno demo federation',
    '/datasets': 'Catalogue',
    [`/datasets/${record.id}`]: record.title,
    '/explorer': 'Explorer',
    '/requests': 'Access requests',
    '/sign-in': 'Sign in',
    '/nowhere': 'No such page',
  });
});

test('pages of a data user', async () => {
  const [requests, analyses] = [await ask('/v1/requests'), await ask('/v1/analyses')];
  const pages = {
    '/explorer?q=modality%20%3D%20CT%20and%20(sex%20%3D%20F%20or%20readers%20%3E%3D%203)': 'Explorer',
    '/requests': 'Access requests',
    '/requests/new': 'New request',
    '/analyses': 'Analyses',
    '/analyses/new': 'New analysis',
  };
  for (const { id, asked } of requests) pages[`/requests/${id}`] = asked.title;
  for (const { id, title } of analyses) pages[`/analyses/${id}`] = title;
  await lookAt(browser, mock.hub, RESEARCHER, pages);
});

test('pages of the committee and of the operator', async () => {
  const inReview = (await ask('/v1/requests')).find(({ state }) => state === 'in_review');
  await lookAt(browser, mock.hub, COMMITTEE, { [`/requests/${inReview.id}`]: inReview.asked.title, '/audit': 'Audit' });
  await lookAt(browser, mock.hub, ['operator', 'demo'], { '/invitations': 'Invitations', '/audit': 'Audit' });
});

test('a wrong password is refused in the server’s words, and the way leads back afterwards', async () => {
  const page = await openPage(browser, mock.hub);
  await visit(page, '/requests');
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('Account').fill('researcher');
  await page.getByLabel('Password').fill('guess');
  await page.getByLabel('Password').press('Enter');
  await page.getByText('Account and password do not fit together.').waitFor();
  await page.getByLabel('Password').fill('demo');
  await page.getByLabel('Password').press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Access requests' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { level: 1, name: 'Arno demo federation' }).waitFor();
  assert.deepEqual(page.troubles, []);
});

test('signing in never leads to another origin', async () => {
  const page = await openPage(browser, mock.hub);
  await page.goto('/sign-in?next=https://elsewhere.example/x');
  await page.getByLabel('Account').fill('researcher');
  await page.getByLabel('Password').fill('demo');
  await page.getByLabel('Password').press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  assert.equal(new URL(page.url()).origin, mock.hub);
  assert.deepEqual(page.troubles, []);
});

test('a cohort is built, changed and asked with the keyboard alone', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await visit(page, '/explorer');
  const text = page.getByLabel('As text');
  const add = page.getByLabel('Add a criterion …');
  await add.focus();
  await page.keyboard.type('Mod');
  await page.waitForFunction(() => document.querySelector('#cohort').value === 'modality = CT');
  await add.focus();
  await page.keyboard.type('Age');
  await page.waitForFunction(() => document.querySelector('#cohort').value.endsWith('age recorded'));
  await page.getByLabel('How Age is compared').focus();
  await page.keyboard.type('between');
  await page.getByLabel('Value of Age', { exact: true }).focus();
  await page.keyboard.type('40');
  await page.keyboard.press('Tab');
  await page.keyboard.type('75');
  assert.equal(await text.inputValue(), 'modality = CT and age in 40..75');

  await text.focus();
  await page.keyboard.press('End');
  await page.keyboard.type(' and manufacturer in {Philips, "GE MEDICAL SYSTEMS"}');
  assert.equal(await page.getByLabel('Values of Manufacturer').inputValue(), 'Philips, "GE MEDICAL SYSTEMS"');
  await page.keyboard.press('Enter');
  await page.getByText('4 of 4 sites answered').first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get('q'), await text.inputValue());
  await page.getByText(/^about \d/).first().waitFor();
  await page.getByText('No answer in time').waitFor();
  await page.getByText(`arno search 'modality = CT and age in 40..75`).waitFor();
  assert.deepEqual(page.troubles, []);
});

test('what may come is chosen with the arrow keys, and nothing serious is wrong with the list', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await visit(page, '/explorer');
  const text = page.getByLabel('As text');
  await text.focus();
  await page.keyboard.type('modality = CT and slice_th');
  await page.getByRole('option', { name: 'slice_thickness' }).waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.keyboard.press('ArrowDown');
  assert.equal(await text.getAttribute('aria-activedescendant'), 'cohort-suggestion-0');
  await page.keyboard.press('Tab');
  assert.equal(await text.inputValue(), 'modality = CT and slice_thickness ');
  await page.keyboard.type('< 2 mm');
  assert.equal(await page.getByLabel('Value of Slice thickness').inputValue(), '2');
  assert.deepEqual(page.troubles, []);
});

test('codes under a code are said, and the question is passed on as a link and a program', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await visit(page, '/explorer?q=diagnosis%20under%20C34');
  assert.equal(await page.getByLabel('How Diagnosis is compared').inputValue(), 'under');
  await page.getByText('with 6 known codes').first().waitFor();
  await page.getByText('4 of 4 sites answered').first().waitFor();
  await page.getByRole('button', { name: 'Count by these' }).click();
  await page.getByRole('heading', { name: 'Sex' }).waitFor();
  await page.getByText('Each ± 17, 95 times in a hundred').first().waitFor();
  await page.getByText('As a Python program').click();
  await page.getByText('COHORT = "diagnosis under C34"').waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  const link = await page.getByText(/\/cohort\/[0-9a-f]{64}$/).innerText();
  await visit(page, new URL(link).pathname);
  await page.waitForURL(/\/explorer\?q=diagnosis%20under%20C34$/);
  await visit(page, '/cohort/nonsense');
  await page.getByRole('alert').waitFor();
  assert.deepEqual(page.troubles, []);
});

test('an unreadable cohort is shown at its place, and an earlier one comes back', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await visit(page, '/explorer?q=diagnosis%20%3D%20C34');
  await page.getByText('not recorded here').waitFor();
  await page.getByText('any number would be a guess').waitFor();
  await page.getByLabel('As text').fill('sex = F and colour = red');
  await page.keyboard.press('Enter');
  await page.getByText(/Cannot be read at character 13: `colour` is no field/).waitFor();
  assert.equal(await page.locator('#cohort-error mark').innerText(), 'c');
  await page.goBack();
  await page.getByText('not recorded here').waitFor();
  assert.equal(await page.getByLabel('As text').inputValue(), 'diagnosis = C34');
  assert.deepEqual(page.troubles, []);
});

test('a request is submitted, granted with a signature made here, used, and revoked', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await visit(page, '/datasets');
  await page.getByRole('link', { name: 'Lung nodules, Firenze' }).click();
  await page.getByRole('link', { name: 'Request access' }).click();
  await page.getByLabel('Title').fill('Shape and malignancy');
  await page.getByLabel('Purpose').fill('A test “with” signs: ü, \\ and\na second line.');
  await page.getByLabel(/Dresden/).check();
  await page.getByRole('button', { name: 'Submit the request' }).click();
  await page.getByRole('heading', { level: 1, name: 'Shape and malignancy' }).waitFor();

  const judge = await openPage(browser, mock.hub);
  await signIn(judge, ...COMMITTEE);
  await visit(judge, new URL(page.url()).pathname);
  const passphrase = judge.getByLabel('Passphrase of the signing key');
  await passphrase.fill('wrong');
  await judge.getByRole('button', { name: 'Sign and grant' }).click();
  await judge.getByText('This passphrase does not open the key.').waitFor();
  await passphrase.fill('arno committee');
  await judge.getByRole('button', { name: 'Sign and grant' }).click();
  await judge.getByText(/Granted by committee/).waitFor();

  await page.getByRole('link', { name: 'Start an analysis' }).click();
  await page.getByLabel('Title').fill('A run to watch');
  await page.getByRole('button', { name: 'Start the analysis' }).click();
  await page.getByText('Running', { exact: true }).first().waitFor();
  await page.getByRole('heading', { name: 'Coefficients' }).waitFor();
  await page.getByText('Federation and pooled data differ by at most 3.0 × 10⁻¹⁰').waitFor();

  await judge.getByLabel('Reason').fill('The test is over.');
  await passphrase.fill('arno committee');
  await judge.getByRole('button', { name: 'Sign and revoke' }).click();
  await judge.getByText(/The permit was taken back/).waitFor();
  assert.deepEqual([...page.troubles, ...judge.troubles], []);
});

test('a permit to count is asked for, granted, and opens exact counts that are told from noise', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await visit(page, '/explorer');
  assert.equal(await page.getByLabel('How to count').count(), 0, 'nothing to choose without a permit');
  await visit(page, '/requests/new');
  await page.getByLabel('Title').fill('How many');
  await page.getByLabel('Purpose').fill('Plan a study.');
  for (const site of [/Firenze/, /Dresden/, /València/]) await page.getByLabel(site).first().check();
  for (const name of [/^Train/, /^Evaluate/]) await page.getByRole('checkbox', { name }).uncheck();
  assert.equal(await page.getByLabel(/Hide exact counts/).count(), 0);
  await page.getByRole('checkbox', { name: /^Count/ }).check();
  await page.getByLabel(/Hide exact counts/).fill('10');
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.getByRole('button', { name: 'Submit the request' }).click();
  await page.getByText('below 10 patients').waitFor();
  assert.equal(await page.getByText('are added up before').count(), 0, 'a count is of one site');

  const judge = await openPage(browser, mock.hub);
  await signIn(judge, ...COMMITTEE);
  await visit(judge, new URL(page.url()).pathname);
  await judge.getByLabel('Passphrase of the signing key').fill('arno committee');
  await judge.getByRole('button', { name: 'Sign and grant' }).click();
  await judge.getByText(/Granted by committee/).waitFor();

  await page.getByRole('link', { name: 'Count exactly in the explorer' }).click();
  await page.getByText('Exact counts, added up. Sites in it: 2.').waitFor();
  await page.getByText(/settings allow no exact counts/).waitFor();
  await page.getByRole('heading', { name: 'Sex' }).waitFor();
  assert.equal(await page.getByText('±').count(), 0, 'nothing with noise is shown beside');
  await page.getByText(/arno search --permit permit_/).waitFor();
  assert.deepEqual(await accessibilityFindings(page), []);
  await page.getByLabel('As text').fill('malignancy >= 5 and sex = F');
  await page.getByRole('button', { name: 'Count exactly' }).click();
  await page.getByText('Fewer than 10 patients').first().waitFor();
  await page.getByText('No site gave an exact count.').waitFor();
  await page.getByLabel('How to count').selectOption('');
  await page.getByRole('button', { name: 'Search all sites' }).click();
  await page.getByText('4 of 4 sites answered').first().waitFor();
  assert.equal(await page.getByText('under permit').count(), 0);

  await judge.getByLabel('Reason').fill('The study is planned.');
  await judge.getByLabel('Passphrase of the signing key').fill('arno committee');
  await judge.getByRole('button', { name: 'Sign and revoke' }).click();
  await judge.getByText(/The permit was taken back/).waitFor();
  await page.goBack();
  await page.getByText('the permit was revoked').waitFor();
  assert.deepEqual([...page.troubles, ...judge.troubles], []);
});

test('a request is refused with a reason', async () => {
  const judge = await openPage(browser, mock.hub);
  await signIn(judge, ...COMMITTEE);
  await visit(judge, '/requests');
  await judge.getByRole('link', { name: 'Nodule size by scanner' }).click();
  await judge.getByLabel('Refuse').check();
  await judge.getByLabel('Reason').fill('Not enough is said of the purpose.');
  await judge.getByRole('button', { name: 'Refuse the request' }).click();
  await judge.getByText('Not enough is said of the purpose.').waitFor();
  assert.deepEqual(judge.troubles, []);
});

test('without a permit every node refuses, and the page says so', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await visit(page, '/analyses/new');
  await page.getByLabel('Title').fill('No permit');
  await page.getByLabel('Permit').selectOption('');
  await page.getByRole('button', { name: 'Start the analysis' }).click();
  await page.getByText('The hub cannot overrule them').waitFor();
  assert.equal(await page.getByText('permit_missing').count(), 3);
  assert.deepEqual(page.troubles, []);
});

test('an invitation is issued', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, 'operator', 'demo');
  await visit(page, '/invitations');
  await page.getByLabel('For whom').fill('A fifth site');
  await page.getByRole('button', { name: 'Issue the invitation' }).click();
  await page.getByText(/^arno-node join --data node arno-invitation-1\./).waitFor();
  assert.deepEqual(page.troubles, []);
});

test('a server that is gone is said, and found again', async () => {
  const page = await openPage(browser, mock.hub);
  await signIn(page, ...RESEARCHER);
  await page.route('**/v1/datasets', (route) => route.abort());
  await page.getByRole('link', { name: 'Catalogue', exact: true }).click();
  await page.getByText('The server does not answer').waitFor();
  await page.unroute('**/v1/datasets');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('4 of 4 datasets').waitFor();
});
