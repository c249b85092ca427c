import type { IncomingMessage } from 'node:http';
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { Loan } from '../core/byte-budget.ts';

/**
 * Reads the body of a request into one growing buffer, and decompresses it. Otherwise a body in pieces of one byte would become
 * a million objects and exhaust the agent's small heap.
 */

const bytesMax = limits.intakeBodyBytesMax;
/** Fits most requests; larger ones start with it. */
const firstBytes = 64 * 1024;
const nothing: Buffer = Buffer.alloc(0);

const tooLarge = () => problem('body-too-large', `the limit is ${bytesMax} bytes`);
const busy = () => problem('busy', 'the requests in hand hold too many bytes');

type Inflate = (body: Buffer) => Buffer;

/** Decompression stops at the limit, and zstd may not demand a window of more than 8 MiB (RFC 8878 § 3.1.1.1.2). */
const inflaters: Record<string, Inflate> = {
  gzip: (body) => gunzipSync(body, { maxOutputLength: bytesMax, chunkSize: firstBytes }),
  zstd: (body) =>
    zstdDecompressSync(body, {
      maxOutputLength: bytesMax,
      chunkSize: firstBytes,
      params: { [constants.ZSTD_d_windowLogMax]: 23 },
    }),
};

/** The body, the problem that refuses it, or undefined if the client disconnected. */
export const readBody = async (
  request: IncomingMessage,
  loan: Loan,
): Promise<Buffer | Problem | undefined> => {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const inflate = Object.hasOwn(inflaters, encoding) ? inflaters[encoding] : undefined;
  if (encoding !== 'identity' && inflate === undefined)
    return problem('encoding', `the body is encoded with ${encoding.slice(0, 64)}`, 'content-encoding');
  const body = await collect(request, loan);
  return inflate === undefined || body === undefined || isProblem(body)
    ? body
    : inflated(body, encoding, inflate, loan);
};

const collect = (request: IncomingMessage, loan: Loan): Promise<Buffer | Problem | undefined> => {
  const length = request.headers['content-length'];
  const announced = length === undefined ? undefined : Number(length);
  if (announced !== undefined && announced > bytesMax) return Promise.resolve(tooLarge());
  const most = announced ?? bytesMax;
  if (!loan.resize(Math.min(most, firstBytes))) return Promise.resolve(busy());
  return new Promise((resolve) => {
    let body = nothing;
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      const needed = bytes + chunk.length;
      if (bytes === 0 && needed === announced) body = chunk;
      else {
        if (needed > bytesMax) return stop(tooLarge());
        if (needed > body.length) {
          const size = Math.max(needed, Math.min(most, Math.max(firstBytes, 2 * body.length)));
          if (!loan.resize(size)) return stop(busy());
          const larger = Buffer.allocUnsafe(size);
          body.copy(larger, 0, 0, bytes);
          body = larger;
        }
        chunk.copy(body, bytes);
      }
      bytes = needed;
    };
    const stop = (why: Problem) => {
      request.off('data', onData);
      request.pause();
      resolve(why);
    };
    request.on('data', onData);
    request.on('end', () => resolve(body.subarray(0, bytes)));
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
};

/** One at a time, because it blocks: a megabyte takes a few milliseconds. */
const inflated = (body: Buffer, encoding: string, inflate: Inflate, loan: Loan): Buffer | Problem => {
  if (!loan.resize(body.length + bytesMax)) return busy();
  try {
    const plain = inflate(body);
    loan.resize(plain.length);
    return plain;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ERR_BUFFER_TOO_LARGE'
      ? problem('body-too-large', `decompressed it is more than ${bytesMax} bytes`)
      : problem('not-json', `the body is not ${encoding}: ${message}`);
  }
};
