// A mock hub and a mock node for development and for the browser tests: the built pages under the programs' own
// security policy, and the public APIs from memory. `npm run mock`: hub on 4800, node on 4801, password `demo`.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHub } from './hub.mjs';
import { createNode } from './node.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const PASSWORD = 'demo';
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

function fit(pattern, method, path) {
  const [wantedMethod, wantedPath] = pattern.split(' ');
  const [wanted, found] = [wantedPath.split('/'), path.split('/')];
  if (method !== wantedMethod || wanted.length !== found.length) return null;
  const values = {};
  for (const [index, segment] of wanted.entries()) {
    if (segment.startsWith(':')) values[segment.slice(1)] = decodeURIComponent(found[index]);
    else if (segment !== found[index]) return null;
  }
  return values;
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined;
}

function answer(response, status, value, headers = {}) {
  const bytes = value?.bytes;
  const problem = value?.problem;
  const type = bytes ? (value.type ?? 'application/octet-stream') : problem ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'cache-control': 'no-store', ...headers });
  response.end(bytes ?? (value === undefined ? '' : JSON.stringify(problem ?? value)));
}

const refusal = (status, code, title, detail) => ({ problem: { code, status, title, detail } });

function sessions(program, request, body) {
  const account = /arno=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  if (request.method === 'DELETE') return [204, undefined, { 'set-cookie': 'arno=; Max-Age=0; Path=/; HttpOnly' }];
  if (request.method === 'GET') {
    const session = program.accounts[account];
    return session ? [200, session] : [401, refusal(401, 'signed_out', 'Not signed in', 'Nobody is signed in.')];
  }
  const session = program.accounts[body.account];
  if (!session || body.password !== PASSWORD)
    return [401, refusal(401, 'wrong_password', 'Not signed in', 'Account and password do not fit together.')];
  return [200, session, { 'set-cookie': `arno=${session.account}; Path=/; HttpOnly; SameSite=Strict` }];
}

async function api(program, request, response, url) {
  const body = await bodyOf(request);
  if (url.pathname === '/v1/about') return answer(response, 200, program.about);
  if (url.pathname === '/v1/session') return answer(response, ...sessions(program, request, body));
  for (const [pattern, handler] of Object.entries(program.routes)) {
    const values = fit(pattern, request.method, url.pathname);
    if (!values) continue;
    const account = /arno=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    if (!program.accounts[account] && !program.open.includes(pattern))
      return answer(response, 401, refusal(401, 'signed_out', 'Not signed in', 'Sign in first.'));
    const value = await handler(values, body, account, url.searchParams);
    const empty = value?.status && !value.problem && Object.keys(value).length === 1;
    return answer(response, value?.problem?.status ?? (empty ? value.status : 200), empty ? undefined : value);
  }
  return answer(response, 404, refusal(404, 'no_route', 'Not found', `${request.method} ${url.pathname} does not exist.`));
}

/** A built file, or for any other address the app; UIDs have dots in them, so the ending says nothing. */
async function page(response, path) {
  const file = await readFile(join(DIST, normalize(path))).catch(() => null);
  const isMissing = file === null && path.startsWith('/assets/');
  const type = file === null ? TYPES['.html'] : TYPES[extname(path)];
  response.writeHead(isMissing ? 404 : 200, { ...HEADERS, 'content-type': type ?? 'text/plain' });
  response.end(file ?? (isMissing ? '' : await readFile(join(DIST, 'index.html'))));
}

function listen(program, port) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const work = url.pathname.startsWith('/v1/') ? api(program, request, response, url) : page(response, url.pathname);
    work.catch((error) => answer(response, 500, refusal(500, 'mock', 'The mock failed', String(error))));
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

/** Starts both; port 0 takes any free one. */
export async function startMock(hubPort = 0, nodePort = 0) {
  const servers = [await listen(await createHub(), hubPort), await listen(createNode(), nodePort)];
  const [hub, node] = servers.map((server) => `http://localhost:${server.address().port}`);
  return { hub, node, stop: () => servers.forEach((server) => server.close()) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { hub, node } = await startMock(4800, 4801);
  console.log(`hub ${hub}\nnode ${node}`);
}
