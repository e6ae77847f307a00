import { redactUrl } from '../core/redact.js';
import type { GitContext } from './context.js';
import { NO_HOOKS } from './no-hooks.js';
import type { Fetched, FetchRequest, Pushed, PushRequest } from './plumbing.js';

/**
 * Sends refs to a remote, all or none, never by force, without hooks of this clone. How it ended is told by Git's exit
 * code and the flags of its porcelain output.
 */
export async function pushRefs(context: GitContext, { remote, refs, interactive }: PushRequest): Promise<Pushed> {
  const options = ['--porcelain', '--atomic', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'];
  const refspecs = refs.map(({ object, name }) => `${object}:${name}`);
  const args = [...NO_HOOKS, 'push', ...options, '--end-of-options', remote, ...refspecs];
  const { code, stdout, stderr } = await context.run(args, { accept: [0, 1, 128], quiet: !interactive });
  const flags = new Map(
    [...stdout.toString('utf8').matchAll(/^(.)\t[^\t:]*:([^\t]+)\t/gm)].map(([, flag = '', ref = '']) => [ref, flag]),
  );
  const said = redactUrl(`${stderr}`).trim();
  if (code === 0) return { outcome: 'done', refused: [], said };
  const refused = [...flags].filter(([, flag]) => flag === '!').map(([ref]) => ref);
  return { outcome: refused.length > 0 ? 'refused' : 'failed', refused, said };
}

/**
 * Takes refs over from a remote; with `depth`, only so many commits of each, which is for clones that are shallow. Error:
 * `GIT_FAILED` only for a Git that ends otherwise than by refusing.
 */
export async function fetchRefs(
  context: GitContext,
  { remote, refspecs, interactive, depth }: FetchRequest,
): Promise<Fetched> {
  // Not quiet: Git would not say which ref it refused.
  const options = [
    '--no-progress',
    '--no-tags',
    '--no-recurse-submodules',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
  ];
  if (depth !== undefined) options.push(`--depth=${depth}`);
  const args = [...NO_HOOKS, 'fetch', ...options, '--end-of-options', remote, ...refspecs];
  const { code, stderr } = await context.run(args, { accept: [0, 1, 128], quiet: !interactive });
  return { done: code === 0, said: redactUrl(stderr).trim() };
}
