import { eventIdOf } from './parse.ts';
import { readCanonical } from './stored-event.generated.ts';
import type { StoredEvent } from './stored-fields.ts';

/**
 * The hub's fast path. Agents store events in a canonical form: keys in the order of the schemas, no white space. So nearly
 * every event can be read from its text with a few sticky regular expressions, without building an object of every part
 * first; `JSON.parse` and the compiled schema take about twice as long (decision 019).
 *
 * Undefined if the text is not canonical or the event is not valid: then the slow path has to read it.
 */
export const readStored = (text: string): StoredEvent | undefined => {
  const event = readCanonical(text);
  if (event === undefined) return undefined;
  const id = eventIdOf(event);
  if (event.id !== id) return undefined;
  // Not the substring that was found: V8 would keep the whole text alive for as long as the books keep the id.
  event.id = id;
  return event;
};
