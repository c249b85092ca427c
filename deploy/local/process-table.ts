import { existsSync, readFileSync } from 'node:fs';
import { runTool } from './run-tool.ts';

/**
 * Whether a process with this id is running, whoever owns it. A zombie that nobody reaps, as happens in containers, is not.
 */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return process.platform !== 'linux';
  }
};

/** The command line of a process; empty when there is none. */
export const commandOf = async (pid: number): Promise<string> => {
  try {
    // Minimal Debian installations have no `ps`, macOS has no `/proc`.
    if (existsSync('/proc/self/cmdline'))
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return (await runTool(['ps', '-o', 'command=', '-p', String(pid)])).output;
  } catch {
    return '';
  }
};
