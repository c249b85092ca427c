import { spawn } from 'node:child_process';

export type ToolResult = { code: number | null; output: string };

/**
 * Runs a program to its end and collects its output. `notFound` is the error message when there is no such program; it
 * should name the command that installs it.
 */
export const runTool = (
  [program, ...args]: readonly [string, ...string[]],
  { notFound, env, cwd }: { notFound?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<ToolResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env ?? process.env,
      cwd,
    });
    let output = '';
    const collect = (text: string) => {
      output = (output + text).slice(-64 * 1024);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' && notFound !== undefined ? new Error(notFound) : error),
    );
    child.once('close', (code) => resolve({ code, output }));
  });

/** The same, but throws with the program's output on any exit code other than 0. */
export const mustRun = async (
  command: readonly [string, ...string[]],
  options: Parameters<typeof runTool>[1] = {},
): Promise<string> => {
  const { code, output } = await runTool(command, options);
  if (code !== 0)
    throw new Error(
      `${command[0]} ended with code ${code}:\n${output.trimEnd().split('\n').slice(-15).join('\n')}`,
    );
  return output;
};
