import { crc32, gunzipSync } from 'node:zlib';
import { type Problem, problem } from '@branchline/contracts/errors.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { Codec } from '../core/route.ts';

/**
 * zlib itself bounds the output: without `maxOutputLength` 194 kB inflate to 200 MB. `chunkSize` is what the header
 * promises, so that an honest frame inflates into one buffer instead of being assembled from many.
 */
const inflate = (body: Uint8Array, expectedBytes: number): Uint8Array | Problem => {
  try {
    return gunzipSync(body, {
      maxOutputLength: limits.frameRawBytesMax,
      chunkSize: Math.max(64, expectedBytes + 1),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ERR_BUFFER_TOO_LARGE'
      ? problem('frame-too-large', `inflates to more than ${limits.frameRawBytesMax} bytes`)
      : problem('frame-miscounted', `the body is not gzip: ${message}`);
  }
};

export const zlibCodec: Codec = { crc32: (bytes) => crc32(bytes), inflate };
