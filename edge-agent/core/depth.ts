const quote = 34;
const backslash = 92;
const openBracket = 91;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/**
 * Whether JSON text nests brackets deeper than `depthMax`. Checked before parsing, because `JSON.parse` accepts a million
 * levels and `JSON.stringify` of the result overflows the stack. Text that is not JSON gets an arbitrary answer.
 */
export const isDeeperThan = (text: Uint8Array, depthMax: number): boolean => {
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
