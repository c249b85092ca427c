/**
 * Node's flags for a hub, in one place: semi-spaces of 64 MB instead of V8's 16 MB, for up to 3 × 64 MB more memory. While
 * the objects of a slice lived until it was committed, this saved an eighth and a fifth of an event's cost in two
 * comparisons on a busy machine. Since decision 016 they die young; what the flag still saves has not been measured.
 */
export const nodeFlags = ['--max-semi-space-size=64'] as const;
