/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** Elements are created one by one, and text is set as text: HTML is never built from data (decision 020). */

type Props = Record<string, string | number | boolean | undefined>;

export const element = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name === 'text') made.textContent = String(value);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children);
  return made;
};

/** An element of index.html. Throws when the page and the program do not match. */
export const need = <Kind extends HTMLElement>(
  id: string,
  kind: abstract new (...args: never[]) => Kind,
): Kind => {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html has no ${kind.name} with id ${id}`);
};

export const box = (id: string): HTMLElement => need(id, HTMLElement);
export const input = (id: string): HTMLInputElement => need(id, HTMLInputElement);
export const select = (id: string): HTMLSelectElement => need(id, HTMLSelectElement);
export const button = (id: string): HTMLButtonElement => need(id, HTMLButtonElement);

/** Most messages change few texts; writing only those avoids layout. */
export const setText = (target: HTMLElement, text: string): void => {
  if (target.textContent !== text) target.textContent = text;
};

export const setAttribute = (target: HTMLElement, name: string, value: string): void => {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
};

export const setHref = (id: string, path: string): void => {
  need(id, HTMLAnchorElement).href = path;
};

/**
 * Replaces the content of `place`. A control with a `data-key` keeps the focus when the new content has that key again;
 * without it, the focus goes to `place` if that can take it.
 */
export const refill = (place: HTMLElement, ...nodes: Node[]): void => {
  const before = place.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
  const { key } = before?.dataset ?? {};
  place.replaceChildren(...nodes);
  if (before === undefined || before === place) return;
  const again = [...place.querySelectorAll<HTMLElement>('[data-key]')].find((one) => one.dataset.key === key);
  (again ?? place).focus({ preventScroll: true });
};

/**
 * A press starts `work` unless it is running already. The button is not disabled meanwhile, because that would take the
 * focus from whoever pressed it with the keyboard.
 */
export const whilePressed = (target: HTMLButtonElement, work: () => Promise<void>): (() => Promise<void>) => {
  let busy = false;
  return async () => {
    if (busy) return;
    busy = true;
    target.setAttribute('aria-disabled', 'true');
    try {
      await work();
    } finally {
      busy = false;
      target.removeAttribute('aria-disabled');
    }
  };
};

/** Debounce: calls once `ms` have passed without another call, so that typing sends one request. */
export const whenQuiet = (ms: number, call: () => void): (() => void) => {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(call, ms);
  };
};
