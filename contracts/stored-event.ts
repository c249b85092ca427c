import { eventIdOf } from './parse.ts';
import { readCanonical } from './stored-event.generated.ts';
import type { StoredEvent } from './stored-fields.ts';

/**
 * The hub's fast path. An agent stores events in one canonical form, keys in the order of the schemas and no space between
 * them. So nearly every event can be taken from its text piece by piece, without making an object of every part of it
 * first; `JSON.parse` and the compiled schema take twice as long (decision 019).
 *
 * Undefined where those two have to look: the text is not canonical, or the event is not valid.
 */
export const readStored = (text: string): StoredEvent | undefined => {
  const event = readCanonical(text);
  if (event === undefined) return undefined;
  const id = eventIdOf(event);
  if (event.id !== id) return undefined;
  // Not as it was found: a long piece of a text holds on to the whole text, and the books keep the id for a while.
  event.id = id;
  return event;
};
