import { staticChecks } from './static-checks.ts';

const failed = Object.entries(await staticChecks())
  .filter(([, clean]) => !clean)
  .map(([name]) => name);
process.stdout.write(
  failed.length === 0 ? 'No problems found.\n' : `Problems found: ${failed.join(', ')}.\n`,
);
process.exit(failed.length === 0 ? 0 : 1);
