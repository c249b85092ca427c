import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Figures of one process from the operating system. Without /proc a figure is NaN, and is printed as such. */
const ticksPerSecond = (() => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  } catch {
    return 100;
  }
})();

export const cpuSeconds = (pid: number | undefined): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may contain anything, so fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
};

const statusBytes = (pid: number | undefined, name: 'VmRSS' | 'VmHWM'): number => {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(lines)?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
};

export const residentBytes = (pid: number | undefined): number => statusBytes(pid, 'VmRSS');

/** The peak since the process started. */
export const peakResidentBytes = (pid: number | undefined): number => statusBytes(pid, 'VmHWM');
