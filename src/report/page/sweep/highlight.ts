const LIT = 'lit';

/** Lights up a trial wherever the page shows it. @param trial its number; undefined for none. */
export function light(trial: number | undefined): void {
  for (const old of document.querySelectorAll(`.${LIT}`)) {
    if (numberOf(old) !== trial) old.classList.remove(LIT);
  }
  if (trial !== undefined) {
    for (const part of document.querySelectorAll(`[data-trial="${trial}"]`)) part.classList.add(LIT);
  }
  document.dispatchEvent(new CustomEvent<number | undefined>('trial-lit', { detail: trial }));
}

/** Lights up the trial under the pointer or with the focus, and lets arrow keys move the focus from trial to trial. */
export function followTrials(): void {
  for (const type of ['pointerover', 'focusin']) {
    document.addEventListener(type, ({ target }) => {
      const part = target instanceof Element ? target.closest('[data-trial]') : null;
      if (part || type === 'focusin') light(part ? numberOf(part) : undefined);
    });
  }
  document.addEventListener('keydown', moveFocus);
}

const KEYS: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowDown: (at) => at + 1,
  ArrowRight: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  ArrowLeft: (at) => at - 1,
  Home: () => 0,
  End: (_, last) => last,
};

/** One trial of a list can be reached by Tab, the others from there by arrow keys. */
function moveFocus(event: KeyboardEvent): void {
  const { target, key } = event;
  if (!(target instanceof Element) || !target.matches('[data-trial][tabindex]') || !KEYS[key]) return;
  const all = [...target.parentElement!.querySelectorAll<HTMLElement | SVGElement>(':scope > [data-trial]:not(.out)')];
  if (target.closest('[data-reversed]')) all.reverse();
  const next = all[KEYS[key](all.indexOf(target as HTMLElement), all.length - 1)];
  event.preventDefault();
  if (!next) return;
  target.setAttribute('tabindex', '-1');
  next.setAttribute('tabindex', '0');
  next.focus();
}

function numberOf(part: Element): number | undefined {
  const trial = part.getAttribute('data-trial');
  return trial === null ? undefined : Number(trial);
}
