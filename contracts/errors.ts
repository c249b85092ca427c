/**
 * The closed list of what can be wrong with something that was sent to Branchline. `retry` says whether the same bytes
 * can succeed later; `hint` is for the person who reads it. `docs/errors.md` lists the same codes, and a test holds
 * the two against each other.
 */
export const errors = {
  'not-json': {
    retry: false,
    hint: 'Send one CloudEvents 1.0 JSON object, or an array of them, in UTF-8 without a byte order mark.',
  },
  'too-deep': { retry: false, hint: 'The JSON is nested deeper than any event needs; check the serialiser.' },
  'body-too-large': { retry: false, hint: 'Send fewer events per request.' },
  'too-many-events': { retry: false, hint: 'Send fewer events per request.' },
  'event-too-large': {
    retry: false,
    hint: "Raise the agent's eventBytesMax if such events are meant, or split the event.",
  },
  schema: {
    retry: false,
    hint: 'The named field does not fit the schema of this event type; see contracts/.',
  },
  'unknown-type': {
    retry: false,
    hint: 'This agent does not know the event type; update it before the till sends the type.',
  },
  'unknown-currency': { retry: false, hint: 'Use an ISO 4217 code in capitals.' },
  'bad-text': {
    retry: false,
    hint: "NUL characters and lone surrogates cannot be stored; check the till's character set.",
  },
  'id-mismatch': {
    retry: false,
    hint: 'The id of a transaction is workstation:businessDay:sequenceNumber, with :void for a void; that of a day-end report is workstation:businessDay:z:reportNumber.',
  },
  'site-mismatch': {
    retry: false,
    hint: "An agent takes events of its own site only; check the till's configuration.",
  },
  'content-conflict': {
    retry: false,
    hint: 'Another event with this id was accepted before; it stays. Give a changed event an id of its own.',
  },
  'disk-budget-spent': {
    retry: true,
    hint: "The agent's disk budget is spent; it takes events again when the hub has applied older ones, or with a larger budget.",
  },
  stopping: { retry: true, hint: 'The agent is stopping; send the same event again when it is back.' },
  'storage-failed': {
    retry: true,
    hint: 'The agent could not write to its disk. Whether the event is stored is unknown: send it again with the same id.',
  },
  unauthorised: { retry: false, hint: 'Send the intake token as "Authorization: Bearer …".' },
  'too-slow': { retry: true, hint: 'The request was not complete in time; send it again.' },
  'not-found': { retry: false, hint: 'No such address; events go to POST /v1/events.' },
  method: { retry: false, hint: 'Events are sent with POST.' },

  'frame-damaged': { retry: true, hint: 'The bytes are not those the agent sent; it sends them again.' },
  'frame-unreadable': {
    retry: false,
    hint: 'There is no readable frame header; is something else publishing on this topic?',
  },
  'frame-too-large': {
    retry: false,
    hint: 'The frame inflates beyond the limit; an agent never makes such a frame.',
  },
  'frame-miscounted': {
    retry: false,
    hint: 'The frame holds another number of events than its header says.',
  },
  'frame-foreign': { retry: false, hint: 'The frame names another site or agent than the topic it came on.' },
  'topic-foreign': {
    retry: false,
    hint: "The topic is not one of Branchline's, or its shard is not that of the site.",
  },
  'record-too-large': {
    retry: false,
    hint: 'Kafka refuses a record of this size; raise max.message.bytes or lower eventBytesMax.',
  },

  'no-origin': {
    retry: false,
    hint: 'The Kafka record does not say which agent it comes from; only the bridge may write to this topic.',
  },
  unreadable: {
    retry: false,
    hint: 'Reading this event failed in a way that nobody foresaw; see the detail, update the hub, then apply it again.',
  },
  'not-applicable': {
    retry: false,
    hint: 'PostgreSQL does not take what this event says; see the detail, update the hub, then apply it again.',
  },
} as const;

export type ErrorCode = keyof typeof errors;

/** What went wrong, as a value. `where` is a JSON path, a topic or a header name. */
export type Problem = { code: ErrorCode; where?: string; detail: string };

export const problem = (code: ErrorCode, detail: string, where?: string): Problem =>
  where === undefined ? { code, detail } : { code, where, detail };

export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'code' in value && (value.code as string) in errors;
