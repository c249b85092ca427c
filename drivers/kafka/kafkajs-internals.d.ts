/**
 * Files inside kafkajs 2.2.4 that are changed at run time. They are imported, not required, so that a bundle holds
 * them as the same modules that kafkajs itself uses.
 */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  const RequestQueue: { prototype: { scheduleCheckPendingRequests?: () => void } };
  export default RequestQueue;
}

declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  const produce: object;
  export default produce;
}

declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  const fetch: object;
  export default fetch;
}
