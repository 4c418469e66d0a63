// The real demo as a child process: started in a folder of its own, asked for its addresses, wounded, stopped. What it
// leaves behind is for the test to look at; `end` clears up whatever happened.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY = 'Everything runs until';
// Limits are for what hangs: a machine under load takes ten times as long as an idle one.
const READY_MS = 240_000;
const STOP_MS = 60_000;
const SHELL_MS = 60_000;
/** A line of the table that the demo prints: program, address, account, password. */
const ACCOUNT = /^(\S.*?) {2,}(http:\/\/\S+) +(\S+) +(\S+)$/gm;

export class Demo {
  #program;
  #child;
  #ended;
  /** By its real path, which the demo's processes have in their arguments. */
  #base = realpathSync(mkdtempSync(join(tmpdir(), 'arno-live-')));
  output = '';

  /** Starts the demo with phantoms and waits until all its steps are done. */
  static async start(program) {
    const demo = new Demo();
    process.once('exit', () => demo.end());
    demo.#spawn(program);
    await demo.#ready();
    return demo;
  }

  get folder() {
    return join(this.#base, 'demo');
  }

  #spawn(program) {
    this.#program = program;
    const options = ['demo', '--phantoms', '--dir', this.folder, '--port', '0'];
    const env = { ...process.env, XDG_CONFIG_HOME: join(this.#base, 'config') };
    this.#child = spawn(program, options, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(code ?? signal));
    });
  }

  async #ready() {
    const ready = new Promise((resolve) => {
      this.#child.stdout.on('data', () => this.output.includes(READY) && resolve(READY));
    });
    const first = await Promise.race([ready, this.#ended, late(READY_MS)]);
    if (first !== READY) throw new Error(`the demo did not get ready (${first}):\n${this.output}`);
  }

  /** Address and credentials of an account; those of nodes by the site's name. */
  account(name, program = 'Hub') {
    const line = [...this.output.matchAll(ACCOUNT)].find(([, of, , account]) => of === program && account === name);
    if (!line) throw new Error(`the demo names no account ${name} at ${program}:\n${this.output}`);
    return { url: line[2], credentials: [name, line[4]] };
  }

  /** The processes that have the demo's folder in their arguments. */
  processes() {
    const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
    const own = lines.filter((line) => line.includes(this.folder));
    return own.map((line) => ({ pid: Number.parseInt(line, 10), args: line }));
  }

  /** Ends a site's node as a crash would; `key` is the name of its folder. */
  killNode(key) {
    const nodes = this.processes().filter(({ args }) => args.includes(` node serve --data ${join(this.folder, key)} `));
    if (nodes.length !== 1) throw new Error(`${nodes.length} processes are the node in ${key}`);
    process.kill(nodes[0].pid, 'SIGKILL');
  }

  /** Ctrl-C; gives the exit code. */
  stop() {
    this.#child.kill('SIGINT');
    return Promise.race([this.#ended, late(STOP_MS)]);
  }

  /** What `arno` prints in a shell where the demo's sign-ins are, as JSON. */
  shell(...args) {
    const env = { ...process.env, XDG_CONFIG_HOME: join(this.#base, 'config') };
    return JSON.parse(execFileSync(this.#program, ['--json', ...args], { env, encoding: 'utf8', timeout: SHELL_MS }));
  }

  /** Sign-ins that the demo left for a shell. */
  profiles() {
    const folder = join(this.#base, 'config', 'arno');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Leaves nothing, whatever happened before. */
  end() {
    // The demo itself comes first in the list, so it cannot start anything anew.
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone by itself.
      }
    }
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A word instead of an answer, after a while; does not keep the program alive. */
const late = (milliseconds) =>
  new Promise((resolve) => {
    setTimeout(() => resolve(`nothing for ${milliseconds} ms`), milliseconds).unref();
  });
