import type { Line } from '@branchline/edge-agent/core/outbox/line.ts';
import type { SendWindow } from '@branchline/edge-agent/core/outbox/send-window.ts';
import type { Silence } from '@branchline/edge-agent/core/outbox/silence.ts';
import type { Source } from '@branchline/edge-agent/core/outbox/source.ts';
import type {
  AlarmKind,
  Flight,
  Outbox,
  OutboxEffect,
  OutboxInput,
} from '@branchline/edge-agent/core/outbox/state.ts';
import { impliedBy } from './outbox-snapshot.ts';
import { transitions } from './outbox-transitions.ts';

/**
 * For tests: the tables of docs/outbox.md. The compiler asks for a row when the outbox gains a field, an input, an effect
 * or an alarm; the document test asks for the table when a row changes.
 */

type Held = { holds: string; bound: string };
const one = 'one value';

const outboxFields: Record<keyof Outbox, Held> = {
  settings: { holds: 'window, timeouts and the wall time of this start', bound: one },
  random: { holds: 'the generator for jitter', bound: one },
  sources: {
    holds: 'every (stream, epoch) whose events are in the database, oldest first',
    bound: 'one per stream and start of the agent, until its last event is released',
  },
  open: {
    holds: 'sources that may have something to send, by lane and stream, oldest first; a step asks no other',
    bound: 'all sources; one without anything is dropped when it is asked',
  },
  flights: {
    holds: 'frames between the decision to send them and their receipt',
    bound: '`windowFrames`',
  },
  window: { holds: 'how many frames may be in flight, and since when none may', bound: one },
  line: { holds: 'how many bytes may be in flight, and how large a frame may be', bound: one },
  silence: { holds: 'since when frames have been sent without any receipt', bound: one },
  replays: { holds: 'requested replays and how far they are', bound: '`replaysPerStatusMax`, 8' },
  counters: { holds: 'frames sent and sent again, alarms, since the start', bound: 'three numbers' },
  changed: {
    holds: 'sources whose position has yet to be kept on disk',
    bound: 'all sources; emptied every 250 ms',
  },
  linkUp: { holds: 'whether the MQTT link is up', bound: one },
  nextId: { holds: 'id of the next frame or search', bound: one },
  nextNumber: { holds: 'number of the next new source', bound: one },
  lastStream: { holds: 'the stream that sent the last frame; the other one is next', bound: one },
  damagedInARow: {
    holds: 'frames that arrived damaged since the last receipt',
    bound: 'from the ninth on each counts as a timeout',
  },
  firstReceiptAt: {
    holds: "the bridge's time of the first receipt of this session: what earlier sessions recorded is older",
    bound: one,
  },
  hasBacklog: { holds: 'whether anything of the backlog waits or is in flight', bound: one },
};

const ranges = 'one range per gap';
const sourceFields: Record<keyof Source, Held> = {
  stream: { holds: '`pos` or `stock`', bound: one },
  epoch: { holds: 'the id of the epoch', bound: one },
  number: { holds: 'its place in the order of epochs', bound: one },
  highest: { holds: 'the highest seq that the store has assigned', bound: one },
  liveAfter: { holds: 'seqs after it are live, seqs up to it backlog', bound: one },
  recorded: {
    holds: 'seqs that a receipt has confirmed, or that are released',
    bound: `${ranges}; no receipt is believed from 10,000 ranges on`,
  },
  unsendable: { holds: 'seqs whose rows are damaged or gone', bound: ranges },
  heldBack: { holds: 'seqs of events larger than the broker takes', bound: ranges },
  taken: {
    holds: 'seqs that are recorded, unsendable, held back or in flight: not for the next frame',
    bound: ranges,
  },
  again: { holds: 'seqs that were recorded once and are to be sent again', bound: ranges },
  times: { holds: 'when seqs were recorded, in steps of 5 s and coarser', bound: '64 steps' },
  appliedTo: { holds: "the hub's applied mark", bound: one },
  releasedTo: { holds: 'rows up to here have left the database', bound: one },
  ofThisSession: { holds: 'whether this start of the agent has begun the epoch', bound: one },
  closed: { holds: 'whether a new epoch was asked for', bound: one },
};

const flightFields: Record<keyof Flight, Held> = {
  id: { holds: 'names the frame to the store', bound: one },
  source: { holds: 'the source of its events', bound: one },
  lane: { holds: '`live` or `backlog`', bound: one },
  first: { holds: 'its lowest seq', bound: one },
  last: { holds: 'its highest seq', bound: '`frameEventsMax` seqs in all, 500' },
  bytes: { holds: 'its size on the line; a guess while the store reads it', bound: one },
  underWay: { holds: 'the size of all frames in flight when it was published, its own included', bound: one },
  deliveredBefore: { holds: 'bytes that receipts had confirmed by then, and the time', bound: one },
  sentAt: { holds: 'when it was published; undefined while the store reads it', bound: one },
  deadline: {
    holds: 'when its receipt is overdue',
    bound: '8 × `receiptTimeoutMs` after `sentAt`, plus twice the time that `underWay` takes to leave',
  },
};

const windowFields: Record<keyof SendWindow, Held> = {
  framesMax: { holds: 'the setting `windowFrames`', bound: one },
  backoffBaseMs: { holds: 'the base of the backoff, 250 ms', bound: one },
  backoffCapMs: { holds: 'the setting `backoffCapMs`', bound: one },
  size: { holds: 'frames that may be in flight', bound: '1 to `framesMax`' },
  threshold: {
    holds: 'below it the window grows with each receipt, above it with each window of receipts',
    bound: one,
  },
  pausedUntil: {
    holds: 'no frame is begun before this',
    bound: '`backoffCapMs` after a timeout; what a hold asks for',
  },
  probing: { holds: 'after a hold, one frame asks whether the way is free', bound: one },
  attempts: { holds: 'timeouts since the last receipt', bound: 'the backoff stops at its cap' },
  lastCutAt: {
    holds: 'when the window was halved; frames sent before it time out without effect on it',
    bound: one,
  },
};

const lineFields: Record<keyof Line, Held> = {
  windowBytesMax: { holds: '`windowFrames` times the largest frame', bound: one },
  windowBytes: {
    holds:
      'bytes that may be in flight: what the line carries in 6 s; a reconnect lowers it to at most 64 KiB',
    bound: '2 KiB to `windowBytesMax`; 16 KiB at the start',
  },
  bytesPerMs: { holds: 'what the line carries, measured with each receipt', bound: '1 before the first' },
  delivered: {
    holds:
      'bytes confirmed by receipts, and the time of the last one; or the time of a frame sent on an empty line',
    bound: one,
  },
  adjustedAt: {
    holds: 'when `windowBytes` last changed; frames sent earlier do not change it again',
    bound: one,
  },
  compression: { holds: 'the size of a full frame as a share of its events', bound: 'at most 1.2' },
  statedBytesMax: { holds: 'the largest packet that the broker takes, if it states one', bound: one },
  learntBytesMax: {
    holds: 'the largest frame to try after broken connections; forgotten an hour after the last one',
    bound: '8 KiB or more',
  },
  learntAt: { holds: 'when it was learnt', bound: one },
  losses: {
    holds:
      'connections that broke with large frames in flight, since a frame of `suspectBytes` had its receipt',
    bound: 'from the second one on, frames are halved',
  },
  suspectBytes: { holds: 'frames of this size may be too large for the broker', bound: one },
};

const silenceFields: Record<keyof Silence, Held> = {
  firstMs: { holds: 'the setting `receiptSilenceMs`', bound: one },
  since: { holds: 'when the first frame was sent after which no receipt came', bound: one },
  dueAt: {
    holds: 'when the link is renewed: half to all of `firstMs` after `since`, doubled by each reconnect',
    bound: 'an hour after `since`',
  },
  reconnects: { holds: 'reconnects since the last receipt', bound: 'waits stop doubling at an hour' },
};

const inputs: Record<OutboxInput['kind'], string> = {
  'link-up': 'from the uplink: the MQTT link is up and subscribed',
  'link-down': 'from the uplink: the link broke',
  accepted: "from the store: events are in a synced transaction; the stream's highest seq",
  'frame-read': 'from the store: the answer to a `read`',
  receipt: 'from the bridge: recorded, damaged or hold',
  mark: "from the hub: a source's applied mark, and what is missing behind it",
  replay: 'from the hub: events that a person wants to be sent again',
  found: 'from the store: an answer to a `find`; a search has several',
  released: 'from the store: rows up to a seq have left the database',
  'epoch-removed': 'from the store: the last row of an old epoch has left the database',
  tick: 'from the clock, every 50 ms',
};

const effectMeanings: Record<OutboxEffect['do'], string> = {
  read: 'the store reads these rows and compresses them; it answers with `frame-read`',
  publish: 'the frame that was read goes out',
  'new-epoch': "the store puts the stream's next event into a new epoch",
  reconnect: 'the uplink ends the connection and opens another; frames in flight have been given up',
  find: 'the store searches seqs by time of acceptance; it answers with `found`',
  alarm: 'a line in the log and a count: something from outside cannot be true, or something is lost',
  drained: 'the backlog is recorded or held back; a status reports it at once',
  'replay-progress': 'a replay began or ended, or was requested again: a status says so at once',
};

const alarms: Record<AlarmKind, string> = {
  'foreign-source': 'a receipt, mark or replay request names a source that this agent does not have',
  'beyond-highest': 'a receipt names a seq that was never assigned',
  'too-fragmented': 'the recorded seqs of a source have more holes than sending can leave',
  'lost-tail': 'the hub has more of an epoch than this database: the database was restored or is copied',
  'lost-behind-receipt': 'the hub has not got what a receipt confirmed; it is sent again',
  'missing-but-released': 'the hub has not got what the archive no longer holds',
  'row-unsendable': 'a stored event is damaged or gone',
  'frames-halved': 'connections kept breaking with large frames in flight; smaller ones are sent',
  'event-held-back': 'an event is larger than the broker takes; it is not sent until the limit is raised',
};

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const code = (name: string): string => `\`${name}\``;
const codes = (names: readonly string[]): string => (names.length === 0 ? '–' : names.map(code).join(', '));

const fieldTable = (fields: Record<string, Held>): string =>
  table(
    ['field', 'holds', 'bound'],
    Object.entries(fields).map(([name, { holds, bound }]) => [code(name), holds, bound]),
  );

const meaningTable = (head: string, meanings: Record<string, string>): string =>
  table(
    [head, 'meaning'],
    Object.entries(meanings).map(([name, meaning]) => [code(name), meaning]),
  );

const effectTable = (): string =>
  table(
    ['effect', 'meaning', 'may change'],
    Object.entries(effectMeanings).map(([name, meaning]) => [
      code(name),
      meaning,
      codes(impliedBy[name as OutboxEffect['do']]),
    ]),
  );

const transitionTables = (): string =>
  Object.entries(transitions)
    .map(([input, rows]) => {
      const cells = rows.map(({ when, outcome, changes, effects }) => [
        when,
        outcome,
        codes(changes),
        codes(effects),
      ]);
      return `### ${code(input)}\n\n${table(['when', 'then', 'changes', 'effects'], cells)}`;
    })
    .join('\n\n');

/** By the name of the section of docs/outbox.md that each of them ends. */
export const tables: Record<string, string> = {
  Outbox: fieldTable(outboxFields),
  'Each source': fieldTable(sourceFields),
  'Each flight': fieldTable(flightFields),
  'The window': fieldTable(windowFields),
  'The line': fieldTable(lineFields),
  'The silence': fieldTable(silenceFields),
  Inputs: meaningTable('input', inputs),
  Effects: effectTable(),
  Alarms: meaningTable('alarm', alarms),
  Transitions: transitionTables(),
};

/** The document with its tables as the code has them. */
export const withTables = (document: string): string =>
  document.replaceAll(
    /<!-- table: (.+) -->\n[\s\S]*?<!-- end -->/g,
    (_, name: string) => `<!-- table: ${name} -->\n\n${tables[name] ?? ''}\n\n<!-- end -->`,
  );
