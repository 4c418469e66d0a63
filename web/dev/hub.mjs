// The mock hub: answers the hub's public API from memory, with searches and analyses that move on with time.
import { ENDPOINTS, stepCells, survivalOf } from './plots.mjs';
import { webcrypto } from 'node:crypto';
import { ago, datasets, fields, nodes, totals, trainingNodes } from './hub-data.mjs';
import { newDigest, newId } from './random.mjs';
import { FEATURES, train } from './training.mjs';

const { subtle } = webcrypto;
const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** A committee key under the passphrase `arno committee`, sealed as the programs seal it. */
async function committeeKey() {
  const pair = await subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const [salt, nonce] = [webcrypto.getRandomValues(new Uint8Array(16)), webcrypto.getRandomValues(new Uint8Array(12))];
  const iterations = 20_000;
  const passphrase = await subtle.importKey('raw', Buffer.from('arno committee'), 'PBKDF2', false, ['deriveKey']);
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
  const key = await subtle.deriveKey(derivation, passphrase, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const pkcs8 = await subtle.exportKey('pkcs8', pair.privateKey);
  const ciphertext = await subtle.encrypt({ name: 'AES-GCM', iv: nonce }, key, pkcs8);
  const public_key = Buffer.from(await subtle.exportKey('raw', pair.publicKey)).toString('hex');
  const sealed = { public_key, iterations, salt: base64url(salt), nonce: base64url(nonce), ciphertext: base64url(ciphertext) };
  return { sealed, verifier: pair.publicKey };
}

const problem = (status, code, title, detail) => ({ status, problem: { code, status, title, detail } });

export async function createHub() {
  const committee = await committeeKey();
  const run = train(trainingNodes);
  const audit = [];
  const record = (actor, action, subject, outcome = 'done', detail = '') =>
    audit.unshift({
      sequence: audit.length + 1, at: new Date().toISOString(), actor, action, subject, outcome, detail,
      previous_sha256: audit[0]?.sha256 ?? '0'.repeat(64), sha256: newDigest(),
    });
  const accounts = {
    researcher: { account: 'researcher', display_name: 'Dr Ada Researcher', role: 'data_user' },
    committee: { account: 'committee', display_name: 'Prof Carla Committee', role: 'committee', sealed_key: committee.sealed },
    operator: { account: 'operator', display_name: 'Otto Operator', role: 'operator' },
  };
  const [requests, searches, analyses] = [[], [], []];

  async function verified(kind, signed) {
    const bytes = Buffer.from(`${kind}\n${signed.document}`);
    const right = await subtle.verify('Ed25519', committee.verifier, Buffer.from(signed.signature, 'base64url'), bytes);
    return right && signed.signer === committee.sealed.public_key;
  }

  function submit(account, asked, at = new Date().toISOString()) {
    const id = newId('request');
    const proposed_permit = {
      id: newId('permit'), request: id, data_user: account, purpose: asked.purpose,
      datasets: asked.datasets.map((dataset) => ({
        dataset, node: datasets.find((entry) => entry.record.id === dataset)?.record.node,
      })),
      operations: asked.operations, min_sites: 2, least_count: asked.least_count, valid_from: at,
      valid_until: new Date(Date.parse(at) + asked.days * 86_400_000).toISOString(),
    };
    const request = { id, submitted_by: account, submitted_at: at, asked, proposed_permit, state: 'in_review' };
    requests.unshift(request);
    record(account, 'request submitted', id);
    return request;
  }

  async function decide(id, decision, account) {
    const request = requests.find((request) => request.id === id);
    if (!request) return problem(404, 'not_found', 'Not found', 'There is no such request.');
    const by = { decided_by: account, decided_at: new Date().toISOString() };
    if (decision.refuse) request.state = { refused: { ...decision.refuse, ...by } };
    else {
      const { permit } = decision.grant;
      const same = permit.document === JSON.stringify(request.proposed_permit);
      if (!same || !(await verified('arno/permit/1', permit)))
        return problem(422, 'permit_not_signed', 'Not signed by the committee', 'The signature does not fit the permit.');
      request.state = { granted: { permit: request.proposed_permit.id, signed: permit, ...by } };
    }
    record(account, decision.refuse ? 'request refused' : 'permit granted', id);
    return request;
  }

  async function revoke(id, { revocation }, account) {
    const request = requests.find((request) => request.state.granted?.permit === id);
    const document = JSON.parse(revocation.document);
    if (!request || document.permit !== id || !(await verified('arno/revocation/1', revocation)))
      return problem(422, 'revocation_not_signed', 'Not signed by the committee', 'The signature does not fit.');
    request.state = { revoked: document };
    record(account, 'permit revoked', id, 'done', document.reason);
    return { status: 204 };
  }

  function startSearch(account, { text: plain, panel, exact }) {
    const text = exact?.text ?? panel?.text ?? plain;
    if (exact) {
      const request = requests.find(({ proposed_permit: { id } }) => id === exact.permit);
      if (request?.state.revoked) return problem(409, 'permit_revoked', 'Conflict', 'the permit was revoked');
      if (!request?.state.granted) return problem(404, 'not_found', 'Not found', 'There is no such permit.');
    }
    const wrong = /\b(colour|color|x)\b/.exec(text);
    if (wrong) {
      const detail = `\`${wrong[0]}\` is no field at character ${wrong.index + 1}`;
      return problem(400, 'bad_cohort', 'The cohort cannot be read', detail);
    }
    const search = {
      id: newId('search'), digest: newDigest(), facets: exact?.facets ?? panel?.facets ?? [], asked_by: account, asked_at: new Date().toISOString(),
      text, permit: exact?.permit,
    };
    searches.unshift(search);
    record(account, exact ? 'exact count' : 'search', search.id, 'done', exact ? `under ${exact.permit}: ${text}` : text);
    return searchState(search);
  }

  /** Reads no grammar: a wrong word is a mistake, and the last word may become a field. */
  function readCohort({ text, cursor }) {
    const wrong = /\b(colour|color|x)\b/.exec(text);
    const mistaken = wrong && { position: wrong.index + 1, line: 1, column: wrong.index + 1, message: `\`${wrong[0]}\` is no field` };
    const reading = mistaken ? { mistaken } : { read: { digest: newDigest(), text, normal: text } };
    if (cursor === undefined) return { reading };
    const word = /[\w]*$/.exec([...text].slice(0, cursor).join(''))[0];
    const fits = word.length > 1 ? fields.filter(({ field }) => field.startsWith(word) && field !== word) : [];
    const suggestions = fits.map(({ field, meaning }) => ({ text: field, note: meaning }));
    return { reading, completion: { from: cursor - word.length, suggestions } };
  }

  /** Sites of the permit count exactly: the third forbids it, and what the permit hides is hidden. */
  function exactState(search) {
    const age = Date.now() - Date.parse(search.asked_at);
    const { proposed_permit: permit } = requests.find((request) => request.proposed_permit.id === search.permit);
    const criteria = search.text.split(/ and /).filter(Boolean);
    const narrow = 1 / (1 + criteria.length * 0.55);
    const said = (count) => (count < (permit.least_count ?? 0) ? { fewer_than: permit.least_count } : { exactly: count });
    const sites = nodes.map((node, index) => {
      const named = { node: node.node, name: node.name };
      const own = permit.datasets.filter((entry) => entry.node === node.node);
      if (own.length === 0) return { ...named, answer: 'not_asked' };
      if (age < 250 + index * 300) return { ...named, answer: 'waiting' };
      if (index === 2) return { ...named, answer: { refused: { code: 'exact_counts_forbidden', reason: 'this site’s settings allow no exact counts, whatever a permit says' } } };
      const { record } = datasets[index];
      const rare = search.text.includes('malignancy >= 5') ? 0.004 : 1;
      const patients = Math.round(record.patients * narrow * rare);
      const counts = patients < (permit.least_count ?? 0) ? { fewer_than: permit.least_count }
        : { exactly: { patients, studies: Math.round(record.studies * narrow * rare), series: Math.round(record.series * narrow * rare) } };
      const facets = search.facets.map((field) => ({
        field,
        cells: Object.entries(record.breakdowns[field] ?? {}).filter(([, count]) => 'about' in count)
          .map(([value, count]) => ({ value, patients: said(Math.round(count.about * narrow * rare) + 1) })),
      }));
      const reports = criteria.map((criterion) => ({ criterion, status: 'applied' }));
      return { ...named, answer: { exact: { permit: permit.id, datasets: own.map(({ dataset }) => dataset), counts, criteria: reports, facets } } };
    });
    const exact = sites.map(({ answer }) => answer.exact?.counts.exactly).filter(Boolean);
    const hidden = sites.filter(({ answer }) => answer.exact?.counts.fewer_than).length;
    const sum = (level) => exact.reduce((all, counts) => all + counts[level], 0);
    const waiting = sites.some((site) => site.answer === 'waiting');
    const total = exact.length === 0 ? { missing: { reason: 'no site gave an exact count' } } : { exact: {
      permit: permit.id, sites: exact.length, hidden, without: sites.length - exact.length - hidden,
      patients: sum('patients'), studies: sum('studies'), series: sum('series'),
    } };
    return { ...search, cohort: { and: [] }, sites, complete: !waiting, total: waiting ? 'waiting' : total };
  }

  function searchState(search) {
    if (search.permit) return exactState(search);
    const age = Date.now() - Date.parse(search.asked_at);
    const criteria = search.text.split(/ and /).filter(Boolean);
    const narrow = 1 / (1 + criteria.length * 0.55);
    const protect = (count) => (count < 5 ? { fewer_than: 5 } : { about: Math.round(count / 5) * 5 });
    const sites = nodes.map((node, index) => {
      const named = { node: node.node, name: node.name };
      if (!node.online) return { ...named, answer: age > 2400 ? 'late' : 'waiting' };
      if (age < 250 + index * 450) return { ...named, answer: 'waiting' };
      const unsupported = (criterion) => index === 1 && criterion.includes('diagnosis');
      const reports = criteria.map((criterion) => ({ criterion, status: unsupported(criterion) ? 'unsupported' : criterion.includes(' under ') ? { expanded: 6 } : 'applied' }));
      const patients = Math.round(datasets[index].record.patients * narrow);
      const rare = search.text.includes('malignancy >= 5') ? 0.004 : 1;
      const counts = { patients: protect(patients * rare), studies: protect(patients * 0.2 * rare), series: protect(patients * 0.24 * rare), margins: { patients: 9, studies: 14, series: 37 } };
      const by = (field) => Object.entries(datasets[index].record.breakdowns[field] ?? {})
        .filter(([, count]) => 'about' in count).map(([value, count]) => ({ value, patients: protect(count.about * narrow) }));
      const facets = (search.facets ?? []).filter((field) => !ENDPOINTS.includes(field))
        .map((field) => ({ field, cells: stepCells(field, patients) ?? by(field), margin: 12 })).filter(({ cells }) => cells.length);
      const budget = { spent_microrho: 4000 * searches.length, budget_microrho: 80_000, period_days: 7, panel_microrho: 160, survival_microrho: 3600 };
      return { ...named, answer: { counted: { facets: criteria.some(unsupported) ? [] : facets, counts: criteria.some(unsupported) ? null : counts, criteria: reports, budget } } };
    });
    const range = (key) => sites.reduce(([low, high], { answer }) => {
      const count = answer.counted?.counts?.[key];
      if (!count) return [low, high];
      return [low + (count.about ?? 0), high + (count.about ?? count.fewer_than - 1)];
    }, [0, 0]);
    const [[patients_low, patients_high], [series_low, series_high]] = [range('patients'), range('series')];
    return {
      ...search, cohort: { and: [] }, sites,
      complete: sites.every((site) => site.answer !== 'waiting'),
      total: sites.some((site) => site.answer === 'waiting') ? 'waiting' : { counted: { sites: 3, patients: patients_low + 3, studies: 90, series: series_low + 5, margins: { patients: 9, studies: 14, series: 37 } } },
      totals: { patients_low, patients_high, series_low, series_high },
      survival: (search.facets ?? []).filter((facet) => ENDPOINTS.includes(facet)).map((of) => survivalOf(of, sites)),
    };
  }

  function startAnalysis(account, wanted, at, dropped = false) {
    const granted = requests.some((request) => request.state.granted?.permit === wanted.permit);
    const analysis = { ...wanted, id: newId('analysis'), started_by: account, started_at: at ?? ago(0), granted, dropped, looks: at ? Infinity : 0 };
    analyses.unshift(analysis);
    record(account, 'analysis started', analysis.id);
    if (!granted) for (const node of trainingNodes)
      record(node.name, 'question refused', analysis.id, 'refused', 'permit_missing: no permit: ask for access first');
    return analysisState(analysis);
  }

  function analysisState(analysis) {
    const { id, title, started_by, started_at, permit, pace_ms, granted, dropped } = analysis;
    const named = trainingNodes.map(({ node, name }) => ({ node, name }));
    const base = { id, title, started_by, started_at, permit, finished_at: null, rounds: [], features: FEATURES, models: [], yardstick: null };
    if (!granted) {
      const state = { refused: { code: 'permit_missing', reason: 'no permit: ask for access first' } };
      return { ...base, finished_at: started_at, status: 'refused', sites: named.map((site) => ({ ...site, state })) };
    }
    const kinds = ['moments', ...run.steps.map(() => 'newton'), 'evaluate'];
    const pace = Math.max(pace_ms, 40);
    // No more than a round a look: whoever looks seldom, as a test on a slow machine, still sees it run.
    const passed = Math.min(Math.floor((Date.now() - Date.parse(started_at)) / pace), analysis.looks);
    const ids = named.map((site) => site.node);
    const all = kinds.slice(0, passed + 1).map((kind, index) => {
      const done = index < passed;
      const lost = dropped && index >= 4;
      const step = kind === 'newton' && done ? run.steps[index - 1] : null;
      return {
        round: index + 1, kind, started_at: new Date(Date.parse(started_at) + index * pace).toISOString(),
        duration_ms: done ? pace + (index % 3) * 17 : null,
        participants: index > 5 && dropped ? ids.slice(0, 2) : ids,
        contributed: done ? (lost ? ids.slice(0, 2) : ids) : [],
        nodules: done ? run.nodules - (lost ? 90 : 0) : null,
        log_likelihood: step?.logLikelihood ?? null, max_step: step?.maxStep ?? null,
      };
    });
    const finished = passed >= kinds.length;
    const sites = named.map((site, index) => ({ ...site, state: dropped && index === 2 && passed > 4 ? 'absent' : 'taking_part' }));
    if (!finished) return { ...base, status: 'running', sites, rounds: all };
    const finished_at = new Date(Date.parse(started_at) + kinds.length * pace).toISOString();
    const models = dropped ? run.models.filter((model) => model.node !== ids[2]) : run.models;
    return { ...base, finished_at, status: 'finished', sites, rounds: all, models, yardstick: run.yardstick };
  }

  function seed() {
    const ids = datasets.slice(0, 3).map((entry) => entry.record.id);
    const first = submit('researcher', {
      title: 'Malignancy from outline shape', purpose: 'Can the shape that radiologists draw tell malignant from benign nodules, without any image leaving a hospital? Results are for publication.',
      datasets: ids, operations: ['train', 'evaluate'], days: 90,
    }, ago(2 * 86_400_000));
    first.state = { granted: { permit: first.proposed_permit.id, signed: { document: '', signer: '', signature: '' }, decided_by: 'committee', decided_at: ago(86_400_000) } };
    submit('researcher', { title: 'Nodule size by scanner', purpose: 'Histograms of nodule diameter per manufacturer.', datasets: ids, operations: ['statistics'], days: 30 }, ago(7_200_000));
    const third = submit('researcher', { title: 'Face reconstruction study', purpose: 'Rendering of faces from head CT.', datasets: ids.slice(0, 1), operations: ['statistics'], days: 365 }, ago(5 * 86_400_000));
    third.state = { refused: { reason: 'Rendering faces re-identifies people; no data holder here allows it.', decided_by: 'committee', decided_at: ago(4 * 86_400_000) } };
    const permit = first.proposed_permit.id;
    startAnalysis('researcher', { title: 'First try', permit: null, pace_ms: 0 }, ago(80_000_000));
    startAnalysis('researcher', { title: 'Malignancy, three sites', permit, pace_ms: 300 }, ago(70_000_000));
    startAnalysis('researcher', { title: 'Malignancy, a site lost on the way', permit, pace_ms: 300 }, ago(60_000_000), true);
    searches.push({ id: newId('search'), digest: newDigest(), asked_by: 'researcher', asked_at: ago(50_000_000), text: 'modality = CT and age in 40..75' });
  }
  seed();

  const find = (list, id, show) => {
    const found = list.find((item) => item.id === id);
    return found ? show(found) : problem(404, 'not_found', 'Not found', `There is nothing with the id ${id}.`);
  };
  const same = (value) => value;
  const routes = {
    'GET /v1/federation': () => ({
      name: 'Arno demo federation', root_key: 'a'.repeat(8) + newDigest().slice(8), committee_key: committee.sealed.public_key, nodes, totals: totals(),
    }),
    'GET /v1/datasets': () => datasets,
    'GET /v1/datasets/:id': ({ id }) => find(datasets.map((entry) => ({ ...entry, id: entry.record.id })), id, same),
    'GET /v1/fields': () => fields,
    'POST /v1/cohorts/reading': (_, body) => readCohort(body),
    'GET /v1/cohorts/:digest': ({ digest }) => find(searches.map((search) => ({ ...search, id: search.digest })), digest, same),
    'POST /v1/searches': (_, body, account) => startSearch(account, body),
    'GET /v1/searches': () => searches.map(searchState),
    'GET /v1/searches/:id': ({ id }) => find(searches, id, searchState),
    'POST /v1/requests': (_, body, account) => submit(account, body),
    'GET /v1/requests': () => requests,
    'GET /v1/requests/:id': ({ id }) => find(requests, id, same),
    'POST /v1/requests/:id/decision': ({ id }, body, account) => decide(id, body, account),
    'POST /v1/permits/:id/revocation': ({ id }, body, account) => revoke(id, body, account),
    'POST /v1/analyses': (_, body, account) => startAnalysis(account, body),
    'GET /v1/analyses': () => analyses.map(analysisState),
    'GET /v1/analyses/:id': ({ id }) => find(analyses, id, (analysis) => {
      analysis.looks += 1;
      return analysisState(analysis);
    }),
    'POST /v1/invitations': () => ({ invitation: `arno-invitation-1.${base64url(Buffer.from(newDigest() + newDigest()))}`, expires_at: ago(-3_600_000) }),
    'GET /v1/audit': () => ({ entries: audit.slice(0, 200), length: audit.length, first_break: null }),
  };
  const open = ['GET /v1/federation', 'GET /v1/datasets', 'GET /v1/datasets/:id', 'GET /v1/fields'];
  return { about: { program: 'hub', name: 'Arno demo federation', version: '0.1.0', demo: true }, accounts, routes, open };
}
