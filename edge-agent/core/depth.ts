const quote = 34;
const backslash = 92;
const openBracket = 91;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/** Whether at most `max` brackets open, in strings or not. Node's search is several times as fast as a loop over the bytes. */
const hasFewBrackets = (text: Uint8Array, max: number): boolean => {
  let found = 0;
  for (const bracket of [openBrace, openBracket])
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1))
      if (++found > max) return false;
  return true;
};

/**
 * Whether JSON text nests brackets deeper than `depthMax`. Checked before parsing, because `JSON.parse` accepts a million
 * levels and `JSON.stringify` of the result overflows the stack. Text that is not JSON gets an arbitrary answer.
 */
export const isDeeperThan = (text: Uint8Array, depthMax: number): boolean => {
  // True for an ordinary sale; measured at a third of the time of checking each byte.
  if (hasFewBrackets(text, depthMax)) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] as number;
    if (inString) {
      if (byte === backslash) i++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > depthMax) return true;
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return false;
};
