import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A measurement that takes longer than this hangs. */
const PATIENCE_MS = 300_000;

/** A child process that answers JSON lines on stdin with JSON lines on stdout, one at a time. It sleeps between requests. */
export class Peer {
  #child;
  #spec;
  #waiting = null;
  #errors = '';

  /** Starts the process and waits until it has loaded the images.
   *  @throws Error with the last lines of its stderr if it ends before that. */
  static async start(spec) {
    const peer = new Peer(spec);
    peer.hello = await peer.#answer();
    return peer;
  }

  constructor(spec) {
    this.#spec = spec;
    this.#child = spawn(spec.command, spec.args, { env: spec.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => this.#settle(error));
    this.#child.on('close', (code) => this.#settle(new Error(`ended with code ${code}: ${this.#errors.trim()}`)));
    this.#child.stdin.on('error', () => {}); // 'close' has the reason
    this.#child.stderr.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-600);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#settle(null, line));
  }

  get id() {
    return this.#spec.id;
  }

  get group() {
    return this.#spec.group;
  }

  get isAlive() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws Error if the peer answers with an error, hangs or dies. */
  async ask(request) {
    if (!this.isAlive) throw new Error('is no longer running');
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.#answer();
  }

  close() {
    this.#child.kill('SIGKILL');
  }

  async #answer() {
    const timer = setTimeout(() => {
      this.close();
      this.#settle(new Error(`gave no answer for ${PATIENCE_MS / 1000} s`));
    }, PATIENCE_MS);
    try {
      const line = await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
      const answer = JSON.parse(line);
      if (answer.error) throw new Error(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  #settle(error, line) {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (error) waiting?.reject(error);
    else waiting?.resolve(line);
  }
}
