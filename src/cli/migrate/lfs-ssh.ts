import { spawn } from 'node:child_process';
import type { GitRewriting } from '../../git/rewriting.js';
import { type LfsEndpoint, parseAuthenticate } from '../../interop/lfs-endpoint.js';
import type { Session } from '../session.js';

/** Asks the server over SSH, with the program that Git itself would use. Undefined where it does not know the command. */
export async function authenticate(
  { env, signal, reporter }: Session,
  git: GitRewriting,
  { host, user, port, path }: Extract<LfsEndpoint, { kind: 'ssh' }>,
): Promise<ReturnType<typeof parseAuthenticate>> {
  const [configured] = await git.config('core.sshCommand');
  const command = env.GIT_SSH_COMMAND ?? configured;
  const quoted = /^[A-Za-z0-9_./~+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  const target = user === undefined ? host : `${user}@${host}`;
  const args = [...(port === undefined ? [] : ['-p', port]), target, `git-lfs-authenticate ${quoted} download`];
  // A command may have options of its own, so that a shell reads it, as Git does; the arguments are not read by it.
  const [program, all] =
    command === undefined ? [env.GIT_SSH ?? 'ssh', args] : ['sh', ['-c', `${command} "$@"`, command, ...args]];
  const output = await new Promise<string | undefined>((resolve) => {
    const child = spawn(program, all, { env, stdio: ['ignore', 'pipe', 'inherit'], signal });
    const parts: Buffer[] = [];
    child.on('error', () => resolve(undefined));
    child.stdout.on('data', (part: Buffer) => {
      if (parts.length < 1000) parts.push(part);
    });
    child.on('close', (code) => resolve(code === 0 ? Buffer.concat(parts).toString('utf8') : undefined));
  });
  signal.throwIfAborted();
  const answer = output === undefined ? undefined : parseAuthenticate(output);
  if (!answer) reporter.note(`'${target}' does not tell over SSH where its Git LFS objects are; trying HTTPS`);
  return answer;
}
