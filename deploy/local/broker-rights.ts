import { createHash, timingSafeEqual } from 'node:crypto';
import { isProblem } from '@branchline/contracts/errors.ts';
import { shardCount, siteName } from '@branchline/contracts/ids.ts';
import {
  type MqttChannel,
  mqttChannels,
  mqttShardFilter,
  parseMqttTopic,
} from '@branchline/contracts/topics.ts';
import { z } from 'zod';

/**
 * Who may do what on the broker (invariant B3: a site can publish only as itself). There are two roles: a site, whose user
 * name is the site's name, and the bridge, whose user name no site can have.
 */
export const bridgeUser = '_bridge';

/** Passwords by user name, as in the file that `--credentials` names. */
export const credentials = z.record(z.union([siteName, z.literal(bridgeUser)]), z.string().min(16).max(128));
export type Credentials = z.infer<typeof credentials>;

const fromSite: readonly MqttChannel[] = ['up', 'status'];
const toSite: readonly MqttChannel[] = ['receipt', 'control'];

const digest = (text: string | Uint8Array) => createHash('sha256').update(text).digest();

/** Takes the same time for every wrong password and for an unknown user. */
export const knows = (
  known: Credentials,
  user: string | undefined,
  password: Uint8Array | undefined,
): boolean => {
  const expected =
    user !== undefined && Object.hasOwn(known, user) ? known[user as keyof Credentials] : undefined;
  const same = timingSafeEqual(digest(expected ?? ''), digest(password ?? ''));
  return expected !== undefined && same;
};

/** A site's client ids begin with its name and a dot, so that no site can disconnect another site's client. */
export const mayUseClientId = (user: string, clientId: string): boolean =>
  user === bridgeUser || (clientId.startsWith(`${user}.`) && clientId.length <= 128);

export const mayPublish = (user: string, topic: string): boolean => {
  const to = parseMqttTopic(topic);
  if (isProblem(to)) return false;
  return user === bridgeUser
    ? toSite.includes(to.channel)
    : to.site === user && fromSite.includes(to.channel);
};

const bridgeFilters = new Set(
  mqttChannels
    .filter((channel) => fromSite.includes(channel))
    .flatMap((channel) => Array.from({ length: shardCount }, (_, shard) => mqttShardFilter(shard, channel))),
);

/** Exact topics for a site, whole shards for the bridge; any other wildcard is refused. */
export const maySubscribe = (user: string, filter: string): boolean => {
  if (user === bridgeUser) return bridgeFilters.has(filter);
  const to = parseMqttTopic(filter);
  return !isProblem(to) && to.site === user && toSite.includes(to.channel);
};
