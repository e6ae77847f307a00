import { author, commitTree, makeTag, readCommit } from './commit-objects.js';
import type { GitContext } from './context.js';
import { fetchRefs, pushRefs } from './exchange.js';
import type { ChainCommit, GitPlumbing } from './plumbing.js';
import { currentRefs, updateRefs } from './raw-refs.js';
import { diffTrees, listFolders, listTree } from './tree-reading.js';
import { writeTree } from './tree-writing.js';

/**
 * GitPlumbing of a repository. What it finds out about commits, and whether commits are to be signed, it asks Git once and
 * keeps: for one command, not for a server.
 */
export function gitPlumbing(context: GitContext): GitPlumbing {
  // Commits never change, and so neither does what was once found out about two of them.
  const ancestry = new Map<string, boolean>();
  let signing: Promise<boolean> | undefined;
  return {
    currentRefs: (patterns) => currentRefs(context, patterns),
    checkedOutAt: async (branch) => {
      const { stdout } = await context.run(['for-each-ref', '--format=%(worktreepath)', branch]);
      return stdout.toString('utf8').replace(/\n$/, '') || undefined;
    },
    listTree: (treeish, paths) => listTree(context, treeish, paths),
    listFolders: (treeish, path) => listFolders(context, treeish, path),
    diffTrees: (from, to, paths) => diffTrees(context, { from, to, paths }),
    writeTree: (tree) => writeTree(context, tree),
    commitTree: async (request) => {
      const commit = await commitTree(context, request);
      for (const parent of request.parents) ancestry.set(`${parent} ${commit}`, true);
      return commit;
    },
    makeTag: (request) => makeTag(context, request),
    updateRefs: (updates) => updateRefs(context, updates),
    push: (request) => pushRefs(context, request),
    fetch: (request) => fetchRefs(context, request),
    isAncestor: async (ancestor, commit) => {
      if (ancestor === commit) return true;
      const known = ancestry.get(`${ancestor} ${commit}`);
      if (known !== undefined) return known;
      const { code } = await context.run(['merge-base', '--is-ancestor', ancestor, commit], { accept: [0, 1] });
      ancestry.set(`${ancestor} ${commit}`, code === 0);
      return code === 0;
    },
    commitsBetween: (from, to) => commitsBetween(context, from, to),
    author: () => author(context),
    signsCommits: () => {
      signing ??= signsCommits(context);
      return signing;
    },
    remotes: () => gitRemotes(context),
    fastForward: async (to) => {
      await context.run(['merge', '--ff-only', '--quiet', to]);
    },
    remoteUrl: async (name) =>
      lines((await context.run(['config', '--get', `remote.${name}.url`], { accept: [0, 1] })).stdout)[0],
    readCommit: (commit) => readCommit(context, commit),
  };
}

async function signsCommits(context: GitContext): Promise<boolean> {
  const args = ['config', '--type=bool', '--get', 'commit.gpgSign'];
  return lines((await context.run(args, { accept: [0, 1] })).stdout).at(-1) === 'true';
}

async function gitRemotes(context: GitContext): Promise<{ all: string[]; ofBranch: string | undefined }> {
  const all = lines((await context.run(['remote'])).stdout);
  const head = lines((await context.run(['symbolic-ref', '--quiet', 'HEAD'], { accept: [0, 1] })).stdout)[0];
  if (all.length < 2 || head === undefined) return { all, ofBranch: undefined };
  const key = `branch.${head.slice('refs/heads/'.length)}.remote`;
  const remote = lines((await context.run(['config', '--get', key], { accept: [0, 1] })).stdout)[0];
  return { all, ofBranch: all.find((name) => name === remote) };
}

async function commitsBetween(context: GitContext, from: string | undefined, to: string): Promise<ChainCommit[]> {
  const range = from === undefined ? [to] : [to, `^${from}`];
  const args = ['rev-list', '--first-parent', '--reverse', '--parents', '--timestamp', ...range, '--'];
  const { stdout } = await context.run(['--no-replace-objects', ...args]);
  return lines(stdout).map((line) => {
    const [time = '', commit = '', ...parents] = line.split(' ');
    return { commit, parents, time: Number(time) };
  });
}

function lines(output: Buffer): string[] {
  return output.toString('utf8').split('\n').filter(Boolean);
}
