import * as z from 'zod';
import { limits } from './limits.ts';

/**
 * Names end up in topics, keys, headers and file names. The alphabet is narrow so that no name can contain a topic
 * separator, a wildcard or a path.
 */
export const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

const nameHint = 'lower-case letters, digits and inner hyphens, 1 to 32 characters';
export const siteName = z.string().regex(namePattern, `a site name is ${nameHint}`);
export const agentName = z.string().regex(namePattern, `an agent name is ${nameHint}`);

export const streams = ['pos', 'stock'] as const;
export const stream = z.enum(streams);
export type Stream = z.infer<typeof stream>;

/** 1, 2, 3 … per source. */
export const seq = z.int().min(1).max(limits.seqMax);
/** How many events of an epoch; 0 for none. */
export const seqCount = z.int().min(0).max(limits.seqMax);
/** Lower case only, so that an epoch has one spelling wherever it is a key. */
export const epoch = z.uuid().lowercase('an epoch is in lower case');

/** Inclusive on both ends. */
export const seqRange = z.tuple([seq, seq]).refine(([first, last]) => first <= last, 'first is after last');
export type SeqRange = z.infer<typeof seqRange>;

/** One dense sequence of events: what one agent of one site sends on one stream within one epoch. */
export type Source = { site: string; agent: string; stream: Stream; epoch: string };

export const shardCount = 16;

/**
 * 32-bit FNV-1a of an ASCII text.
 * Source: draft-eastlake-fnv, offset basis and prime for 32 bits.
 */
export const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

/**
 * A site's shard, 0 to 15: FNV-1a of its name modulo 16. It must never change, because both ends compute it and bridge
 * replicas own shards by number.
 */
export const shardOf = (site: string): number => fnv1a(site) % shardCount;
