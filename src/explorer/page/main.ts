import type { Explanation } from '../../explain/explanation.ts';
import { valuesOf } from '../../explain/expression/values.ts';
import { h } from '../../report/page/dom.ts';
import { replaced } from '../elements.ts';
import { askedIn } from '../exercise.ts';
import type { ExplorerData } from '../explorer-data.ts';
import { ask, type Question, type ValuesByName } from '../question.ts';
import { stepsOf } from '../steps.ts';
import { addressOf, readAddress } from './address.ts';
import { ExerciseView } from './lecture/exercise.ts';
import { ExampleList } from './lecture/list.ts';
import type { Actions, State, View } from './state.ts';
import { DrawingView } from './view/drawing.ts';
import { ExpressionForm } from './view/expression.ts';
import { GateView } from './view/gate.ts';
import { HeadingView, NotesView } from './view/heading.ts';
import { LeavesView } from './view/leaves.ts';
import { NumbersView } from './view/numbers.ts';
import { StepperView } from './view/stepper.ts';
import { WhatIfView } from './view/what-if.ts';
import { WireView } from './view/wire.ts';

/** Time without an edit after which the address follows: browsers refuse to change it many times a second. */
const ADDRESS_MS = 300;

const data: ExplorerData = JSON.parse(document.getElementById('data')!.textContent);

/** The page: one question, its state, and the parts that show it. */
class Explorer implements Actions {
  /** Undefined until a graph has been computed. */
  #state: State | undefined;
  readonly #views: View[];
  readonly #expression = new ExpressionForm((what, values) => this.open(what, values));
  readonly #problem = h('p', { id: 'problem', role: 'alert' });
  /** Computations run one after the other; only the last of several that wait is of interest. */
  #last = Promise.resolve();
  #wanted = 0;
  #addressTimer: ReturnType<typeof setTimeout> | undefined;
  /** Names of the examples whose exercise is done. */
  #answered: ReadonlySet<string> = new Set();

  constructor() {
    const drawing = new DrawingView(this);
    const [heading, stepper, gate, wire, leaves, whatIf, numbers] = [
      new HeadingView(this),
      new StepperView(this),
      new GateView(),
      new WireView(),
      new LeavesView(this),
      new WhatIfView(),
      new NumbersView(),
    ];
    const [exercise, notes] = [new ExerciseView(this), new NotesView()];
    const list = new ExampleList(heading.title);
    this.#views = [heading, notes, drawing, stepper, gate, wire, leaves, whatIf, numbers];
    if (data.isLecture) {
      this.#views.push(list, exercise);
      document.body.classList.add('lecture');
      document.body.append(list.element);
    }
    document.body.append(
      h(
        'main',
        {},
        heading.element,
        data.isLecture ? exercise.element : null,
        notes.element,
        h('div', { id: 'graph' }, drawing.element, stepper.element, this.#problem),
        h('div', { id: 'columns' }, gate.element, leaves.element, h('div', {}, whatIf.element, wire.element)),
        this.#expression.element,
        numbers.element,
      ),
      h('footer', {}, `${data.generator} · This file is self-contained: it works offline and can be shared.`),
    );
    document.addEventListener('keydown', (event) => this.#onKey(event));
    addEventListener('hashchange', () => this.#openAddress());
  }

  async start(): Promise<void> {
    if (readAddress(location.hash)) await this.#openAddress();
    const given = new Map(Object.entries(data.values).map(([name, value]) => [name, valuesOf(value, name)]));
    if (!this.#state) this.#expression.reject(data.what, await this.open(data.what, given, data.upstream));
  }

  /** Shows another graph. @returns the problem with it, if there is one. */
  async open(what: string, given: ValuesByName, upstream?: unknown): Promise<string | undefined> {
    try {
      const start = what === data.what ? (upstream ?? data.upstream) : upstream;
      const question = await ask(what, given, start);
      await this.#compute(question, question.values, 'new');
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  edit(name: string, index: number, value: number): void {
    const state = this.#state;
    if (!state) return;
    const { question } = state;
    const wanted = ++this.#wanted;
    const all = new Map(state.values).set(name, replaced(state.values.get(name)!, index, value));
    this.#state = { ...state, values: all };
    this.#last = this.#last.then(async () => {
      if (wanted !== this.#wanted || question !== this.#state?.question) return;
      try {
        await this.#compute(question, all, 'edited');
      } catch (error) {
        this.#showProblem((error as Error).message);
      }
    });
  }

  goTo(step: number): void {
    if (!this.#state) return;
    const last = stepsOf(this.#state.explanation).length - 1;
    this.#show({ ...this.#state, step: Math.min(last, Math.max(0, step)) });
  }

  choose(output: string): void {
    const explanation = this.#state?.answer.explanations.find((one) => one.output.id === output);
    if (!this.#state || !explanation) return;
    const step = this.#firstStep(explanation, this.#state.isAsked);
    this.#show({ ...this.#state, explanation, inspected: undefined, step });
  }

  inspect(key: string): void {
    if (this.#state && key !== this.#state.inspected) this.#show({ ...this.#state, inspected: key });
  }

  answer(): void {
    if (!this.#state) return;
    const { question, explanation } = this.#state;
    this.#answered = new Set([...this.#answered, question.what]);
    const step = this.#firstStep(explanation, false);
    this.#show({ ...this.#state, isAsked: false, answered: this.#answered, step });
  }

  /** Everything is shown, or while an exercise is asked all values but none of the gradients that follow. */
  #firstStep(explanation: Explanation, isAsked: boolean): number {
    const steps = stepsOf(explanation);
    return isAsked ? steps.findIndex(({ kind }) => kind === 'upstream') : steps.length - 1;
  }

  async #compute(question: Question, values: ValuesByName, change: 'new' | 'edited'): Promise<void> {
    const answer = await question.explain(values);
    if (change === 'edited' && question !== this.#state?.question) return;
    const before = change === 'edited' ? this.#state : undefined;
    const chosen = answer.explanations.find(({ output }) => output.id === before?.explanation.output.id);
    const isAsked = data.isLecture === true && question.example !== undefined && !this.#answered.has(question.what);
    const { exercise } = question.example ?? {};
    const asked = answer.explanations.find((one) => isAsked && exercise && askedIn(exercise, one));
    const explanation = chosen ?? asked ?? answer.explanations[0];
    const step = before ? before.step : this.#firstStep(explanation, isAsked);
    this.#showProblem('');
    this.#show({
      question,
      values: before?.values ?? values,
      answer,
      explanation,
      step,
      isAsked,
      answered: this.#answered,
      inspected: before?.inspected,
    });
    clearTimeout(this.#addressTimer);
    if (change === 'new') this.#writeAddress();
    else {
      // Another address, which is about to be opened, stays.
      const { hash } = location;
      this.#addressTimer = setTimeout(() => location.hash === hash && this.#writeAddress(), ADDRESS_MS);
    }
  }

  #writeAddress(): void {
    const address = addressOf(this.#state!.question, this.#state!.values);
    if (address !== location.hash) history.replaceState(null, '', address);
  }

  async #openAddress(): Promise<void> {
    const address = readAddress(location.hash);
    if (!address || (this.#state && location.hash === addressOf(this.#state.question, this.#state.values))) return;
    this.#expression.reject(address.what, await this.open(address.what, address.values));
  }

  #show(state: State): void {
    this.#state = state;
    document.title = state.question.title;
    for (const view of this.#views) view.update(state);
    this.#expression.update(state);
  }

  #showProblem(message: string): void {
    this.#problem.textContent = message;
    document.body.toggleAttribute('data-stale', message !== '');
  }

  #onKey(event: KeyboardEvent): void {
    const target = event.target as Element;
    if (event.altKey || event.ctrlKey || event.metaKey || target.matches('input, textarea, select, .scroll')) return;
    const change = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (change === undefined) return;
    event.preventDefault();
    this.goTo((this.#state?.step ?? 0) + change);
  }
}

void new Explorer().start();
