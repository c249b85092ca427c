/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** Elements are made one by one and text is set as text: no HTML is ever put together from data. */

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

/** An element that index.html promises. Throws when the page and the program do not fit each other. */
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

/** Most messages change few of the texts, and what did not change costs no layout. */
export const setText = (target: HTMLElement, text: string): void => {
  if (target.textContent !== text) target.textContent = text;
};

export const setAttribute = (target: HTMLElement, name: string, value: string): void => {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
};

/**
 * A press starts `work` unless it is under way already. The button is not disabled meanwhile: that would take the focus
 * from whoever pressed it with the keyboard.
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

/** Calls once things have been quiet for `ms`: a person who types does not ask the server at each letter. */
export const whenQuiet = (ms: number, call: () => void): (() => void) => {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(call, ms);
  };
};
