/**
 * Finds fiscal data that would change silently on the way: numbers in a spelling that JSON.stringify does not reproduce (beyond
 * 2^53, `19.00`, `1e3`, `-0`), duplicate fields, and fields called `__proto__`. It scans the text, because the parsed value no
 * longer shows them.
 */
export type Loss = { path: string; detail: string };

const quote = 34;
const backslash = 92;
const isBlank = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;
/** A number or a word ends at a blank, a comma or a closing bracket. */
const wordPattern = /[^\s,\]}]+/y;

type Path = readonly (string | number)[];
const isFiscal = (path: Path): boolean => path[0] === 'data' && path[1] === 'fiscal';

/** Stops at the first loss of each event; the text must be valid JSON. */
class Walk {
  readonly #text: string;
  #at = 0;
  loss: Loss | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** One event, or a list of them. */
  events(): (Loss | undefined)[] {
    if (this.#next() !== '[') return [this.#event()];
    const losses: (Loss | undefined)[] = [];
    this.#elements(() => losses.push(this.#event()));
    return losses;
  }

  #event(): Loss | undefined {
    this.loss = undefined;
    this.#value([]);
    return this.loss;
  }

  #next(): string {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text[this.#at] as string;
  }

  #string(): string {
    const from = this.#at++;
    for (let code = this.#text.charCodeAt(this.#at); code !== quote; code = this.#text.charCodeAt(this.#at))
      this.#at += code === backslash ? 2 : 1;
    return this.#text.slice(from, ++this.#at);
  }

  /** Calls `element` at the start of each element of a list or each field of an object. */
  #elements(element: () => void): void {
    this.#at++;
    for (let next = this.#next(); next !== ']' && next !== '}'; next = this.#next()) {
      if (next === ',') this.#at++;
      this.#next();
      element();
    }
    this.#at++;
  }

  #value(path: Path): void {
    const next = this.#next();
    if (next === '"') this.#string();
    else if (next === '{') this.#object(path);
    else if (next === '[') {
      let i = 0;
      this.#elements(() => this.#value([...path, i++]));
    } else this.#word(path);
  }

  #object(path: Path): void {
    const keys = new Set<string>();
    const kept = isFiscal(path);
    this.#elements(() => {
      const key: string = JSON.parse(this.#string());
      const inner = [...path, key];
      if (kept && keys.has(key)) this.#lost(inner, 'the field occurs twice');
      if (kept && key === '__proto__') this.#lost(inner, 'a field of this name cannot be kept');
      keys.add(key);
      this.#next();
      this.#at++;
      this.#value(inner);
    });
  }

  #word(path: Path): void {
    wordPattern.lastIndex = this.#at;
    const [word] = wordPattern.exec(this.#text) as unknown as [string];
    this.#at += word.length;
    if (!isFiscal(path)) return;
    const kept = JSON.stringify(JSON.parse(word));
    if (kept !== word) this.#lost(path, `the number ${word.slice(0, 40)} would become ${kept}`);
  }

  #lost(path: Path, detail: string): void {
    this.loss ??= { path: path.join('.'), detail };
  }
}

const fiscalKey = '"fiscal"';

/**
 * Whether the text contains these values in this order exactly as JSON.stringify writes them, and no other field of that name.
 * Then nothing is lost, and the scan, which takes as long as parsing, is unnecessary.
 */
const isVerbatim = (text: string, values: readonly unknown[]): boolean => {
  let at = 0;
  for (const value of values) {
    const written = `${fiscalKey}:${JSON.stringify(value)}`;
    at = text.indexOf(fiscalKey, at);
    if (at === -1 || !text.startsWith(written, at) || written.includes('"__proto__"')) return false;
    at += written.length;
  }
  return !text.includes(fiscalKey, at);
};

/** The first loss of each event. `text` is the valid JSON of one event or a list; `events` is the result of parsing it. */
export const fiscalLosses = (text: string, events: readonly unknown[]): readonly (Loss | undefined)[] => {
  const values = events
    .map((event) => (event as { data?: { fiscal?: unknown } | null } | null)?.data?.fiscal)
    .filter((fiscal) => fiscal !== undefined);
  return values.length === 0 || isVerbatim(text, values) ? noLosses : new Walk(text).events();
};

const noLosses: readonly undefined[] = [];
