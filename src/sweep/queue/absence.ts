/** Time after which a server that answers again counts as back: by then, what it had lost or refused has been sent again. */
const RETURN_MS = 10_000;

/** Says once that the server of a queue is away, and once that it is back. */
export class Absence {
  readonly #server: string;
  readonly #onNote: (text: string) => void;
  #troubleAt: number | undefined;

  constructor(server: string, onNote: (text: string) => void) {
    this.#server = server;
    this.#onNote = onNote;
  }

  note(why: string): void {
    const isNew = this.#troubleAt === undefined;
    this.#troubleAt = performance.now();
    if (isNew) this.#onNote(`the queue ${this.#server} is away (${why.split('\n')[0]}); waiting for it`);
  }

  /** Takes note that the server has accepted all that was sent. */
  noteReturn(): void {
    if (this.#troubleAt === undefined || performance.now() - this.#troubleAt < RETURN_MS) return;
    this.#troubleAt = undefined;
    this.#onNote('the queue answers again');
  }
}
