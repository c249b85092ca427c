/**
 * The closed list of errors that Branchline reports about what it was sent. `retry` says whether the same bytes can succeed
 * later; `hint` tells a person what to do. `docs/errors.md` lists the same codes; a test keeps the two equal.
 */
export const errors = {
  'not-http': {
    retry: false,
    hint: 'The intake cannot read the request as HTTP/1.1. Address it with http://, and check what lies between the till and the agent.',
  },
  'not-json': {
    retry: false,
    hint: 'Send one CloudEvents 1.0 JSON object, or an array of them, in UTF-8 without a byte order mark.',
  },
  'too-deep': {
    retry: false,
    hint: 'The JSON is nested more deeply than any event requires; check the serialiser.',
  },
  'body-too-large': { retry: false, hint: 'Send fewer events per request.' },
  'too-many-events': { retry: false, hint: 'Send fewer events per request.' },
  'event-too-large': {
    retry: false,
    hint: "Split the event, or raise the agent's eventBytesMax if events of this size are expected.",
  },
  schema: {
    retry: false,
    hint: 'The named field does not match the schema of this event type; see contracts/.',
  },
  'unknown-type': {
    retry: false,
    hint: 'This version does not know the event type; update the agent before tills send it.',
  },
  'unknown-currency': { retry: false, hint: 'Use an upper-case ISO 4217 code.' },
  'tenders-differ': {
    retry: false,
    hint: 'Make the tenders add up to the gross. Cash rounding is a tender too: for CHF 19.97 paid with CHF 19.95, add {"tenderType": "ROUNDING", "amount": 2}.',
  },
  'line-sign': {
    retry: false,
    hint: 'A SALE line must not be negative, nor a RETURN line positive; a void reverses both. Give a line that is not goods, such as a coupon, its itemType; see docs/events.md.',
  },
  'scale-label': {
    retry: false,
    hint: "A number with prefix 02 or 20 to 29 contains a weight or a price, so each label would become an item of its own. Send the item's own number as itemId, or set scaleLabels at the agent.",
  },
  'not-kept': {
    retry: false,
    hint: 'Fiscal data is carried exactly as sent, and JSON does not preserve this value. Send it as text, in quotes.',
  },
  'bad-text': {
    retry: false,
    hint: "NUL characters and lone surrogates cannot be stored; check the till's character encoding.",
  },
  'id-mismatch': {
    retry: false,
    hint: "A transaction's id is workstation:businessDay:sequenceNumber, followed by :void for a void; a day-end report's id is workstation:businessDay:z:reportNumber.",
  },
  'site-mismatch': {
    retry: false,
    hint: "An agent accepts events of its own site only; check the till's configuration.",
  },
  'source-mismatch': {
    retry: false,
    hint: "The event's source names another site or till than its data; check the till's configuration.",
  },
  'content-conflict': {
    retry: false,
    hint: 'A different event with this id has already been accepted and is kept. Give the changed event its own id.',
  },
  'disk-budget-spent': {
    retry: true,
    hint: "The agent's disk budget is spent. It accepts events again once the hub has applied older ones, or after the budget is raised.",
  },
  'disk-full': {
    retry: true,
    hint: "The agent's disk is full or read-only. What it holds is still sent, and it accepts events again by itself once the disk takes writes.",
  },
  stopping: { retry: true, hint: 'The agent is shutting down; send the same event again when it is back.' },
  'storage-failed': {
    retry: true,
    hint: 'The agent could not write to its disk, and it is unknown whether the event was stored. Send it again with the same id.',
  },
  unauthorised: { retry: false, hint: 'Send the intake token as "Authorization: Bearer …".' },
  'foreign-request': {
    retry: false,
    hint: 'Without a token the intake answers only programs on its own machine: address it as 127.0.0.1 or localhost, not from a web page, or set intakeToken.',
  },
  encoding: {
    retry: false,
    hint: 'Send the body uncompressed, or compressed with gzip or zstd and named so in the content-encoding header.',
  },
  busy: {
    retry: true,
    hint: 'The agent is handling as many requests as its memory allows; send the same request again after Retry-After.',
  },
  'too-slow': { retry: true, hint: 'The request did not arrive in time; send it again.' },
  'not-found': { retry: false, hint: 'There is no such path; send events to POST /v1/events.' },
  method: { retry: false, hint: 'Send events with POST.' },

  'frame-damaged': { retry: true, hint: 'The frame was damaged on the way; the agent sends it again.' },
  'frame-unreadable': {
    retry: false,
    hint: 'The frame has no readable header. Check whether something else publishes on this topic.',
  },
  'frame-too-large': {
    retry: false,
    hint: 'The frame exceeds the size limit, compressed or decompressed. No agent makes such a frame.',
  },
  'frame-miscounted': {
    retry: false,
    hint: 'The number of events in the frame differs from the one in its header.',
  },
  'frame-foreign': { retry: false, hint: 'The site or agent in the frame differs from that of its topic.' },
  'topic-foreign': {
    retry: false,
    hint: "The topic is not one of Branchline's, or its shard is not the site's.",
  },
  'record-too-large': {
    retry: false,
    hint: 'Kafka rejects records of this size; raise max.message.bytes or lower eventBytesMax.',
  },

  'no-origin': {
    retry: false,
    hint: 'The Kafka record does not name its agent. Make sure that only the bridge can write to this topic.',
  },
  unreadable: {
    retry: false,
    hint: 'Reading this event failed unexpectedly. See the detail, update the hub, then apply the event again.',
  },
  'not-applicable': {
    retry: false,
    hint: 'PostgreSQL rejected the contents of this event. See the detail, update the hub, then apply the event again.',
  },
} as const;

export type ErrorCode = keyof typeof errors;

/** An error as a value. `where` is a JSON path, a topic or a header name. */
export type Problem = { code: ErrorCode; where?: string; detail: string };

export const problem = (code: ErrorCode, detail: string, where?: string): Problem =>
  where === undefined ? { code, detail } : { code, where, detail };

export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'code' in value && (value.code as string) in errors;
