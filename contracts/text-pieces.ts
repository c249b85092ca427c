/** Reads a text piece by piece: each piece must begin where the one before it ended. */

/** A sticky pattern made of these parts. */
export const piece = (...parts: string[]): RegExp => new RegExp(parts.join(''), 'y');

const comma = 44;
const closingBracket = 93;

export class TextPieces {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The match, if the piece comes next. */
  take(next: RegExp): RegExpExecArray | undefined {
    next.lastIndex = this.#at;
    const found = next.exec(this.#text);
    if (found === null) return undefined;
    this.#at = next.lastIndex;
    return found;
  }

  /** Whether the list ends here. */
  closes(): boolean {
    return this.#takes(closingBracket);
  }

  /** Whether the list has another element. */
  goesOn(): boolean {
    return this.#takes(comma);
  }

  #takes(character: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }
}

export const wholeOrNone = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number(digits);

export const flagOrNone = (word: string | undefined): boolean | undefined =>
  word === undefined ? undefined : word === 'true';
