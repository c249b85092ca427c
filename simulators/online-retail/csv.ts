/**
 * RFC 4180 as it is met in practice: fields in quotes may hold commas, doubled quotes and line breaks; lines end with LF
 * or CRLF; the last line may have no end; a byte order mark is skipped. Everything else that is odd is an error with the
 * line it is on, because a guess would put a sale into the wrong column.
 */
export type CsvRecord = {
  /** Of the record's first character, from 1. */
  line: number;
  fields: string[];
};

export class CsvError extends Error {
  override name = 'CsvError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

type Place = 'start of field' | 'plain' | 'quoted' | 'after quote' | 'after return';

export class CsvReader {
  #place: Place = 'start of field';
  #line = 1;
  #recordLine = 1;
  #field = '';
  #fields: string[] = [];
  #first = true;

  /** The records that this piece of text completes. */
  *push(text: string): Generator<CsvRecord> {
    for (const character of text) {
      if (this.#first) {
        this.#first = false;
        if (character === '\ufeff') continue;
      }
      if (this.#take(character)) yield this.#endRecord();
      if (character === '\n') {
        this.#line++;
        if (this.#place !== 'quoted') this.#recordLine = this.#line;
      }
    }
  }

  /** The last record, when its line has no end. */
  *finish(): Generator<CsvRecord> {
    if (this.#place === 'quoted') throw new CsvError(this.#recordLine, 'the closing quote is missing');
    if (this.#place === 'after return')
      throw new CsvError(this.#line, 'a carriage return without a line feed');
    if (this.#place === 'start of field' && this.#fields.length === 0) return;
    this.#endField();
    yield this.#endRecord();
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = '';
    this.#place = 'start of field';
  }

  #endRecord(): CsvRecord {
    const record = { line: this.#recordLine, fields: this.#fields };
    this.#fields = [];
    return record;
  }

  /** True when the character ends a record. */
  #take(character: string): boolean {
    if (this.#place === 'quoted') {
      if (character === '"') this.#place = 'after quote';
      else this.#field += character;
      return false;
    }
    if (this.#place === 'after return' && character !== '\n')
      throw new CsvError(this.#line, 'a carriage return without a line feed');
    switch (character) {
      case '\n':
        this.#endField();
        return true;
      case '\r':
        this.#place = 'after return';
        return false;
      case ',':
        this.#endField();
        return false;
      case '"':
        return this.#takeQuote();
      default:
        if (this.#place === 'after quote') throw new CsvError(this.#line, 'text after a closing quote');
        this.#place = 'plain';
        this.#field += character;
        return false;
    }
  }

  #takeQuote(): boolean {
    if (this.#place === 'plain')
      throw new CsvError(this.#line, 'a quote inside a field that has none around it');
    if (this.#place === 'after quote') this.#field += '"';
    this.#place = 'quoted';
    return false;
  }
}
