import { readBlobs } from './blobs.js';
import { changedPaths, commitsSince, currentBranch, hasCommit, mergeBase } from './commits.js';
import { conflicts } from './conflicts.js';
import { type GitContext, gitContext } from './context.js';
import { workingChanges, workingDifference } from './difference.js';
import { discoverRepository } from './discover.js';
import { diskSettings } from './disk-settings.js';
import { ignoredPaths, listIndexFiles, listRevisionFiles, listWorkspaceFiles, trackedFiles } from './files.js';
import type { Git } from './git.js';
import { pathHistory } from './history.js';
import { hookPlace } from './hooks.js';
import { incomingCommits } from './incoming.js';
import { stage, unstage } from './index-changes.js';
import { installMergeDriver, mergeSetup, removeMergeDriver } from './merge-setup.js';
import { gitPlumbing } from './open-plumbing.js';
import { commitGraph, commitWith, filesOfCommits, reachableFiles, worktreeStates } from './reachable.js';
import { remoteTips } from './remote-tips.js';
import { gitVersion, headCommit, isShallow, listRefs, resolveRevision } from './revisions.js';
import { openTextGit, type TextGit } from './simple.js';
import { addWorktree, applyPatch, removeWorktree } from './temporary-worktree.js';
import { filesBelow, hashFiles } from './working-state.js';
import { listWorktrees } from './worktrees.js';

/**
 * Git for the repository that `cwd` (absolute) lies in; `env` is the environment of the user, and becomes that of every
 * Git process. Costs one Git process. Errors as discoverRepository.
 */
export async function openGit(cwd: string, options: { env: NodeJS.ProcessEnv }): Promise<Git> {
  return gitOver(gitContext(await discoverRepository(cwd, options.env), options.env));
}

/** Git over a context: of a repository that was found, or made, already. */
export function gitOver(context: GitContext): Git {
  let opened: Promise<TextGit> | undefined;
  const text = (): Promise<TextGit> => {
    opened ??= openTextGit(context);
    return opened;
  };
  return {
    layout: context.layout,
    plumbing: gitPlumbing(context),
    version: async () => gitVersion(await text()),
    resolve: async (revision) => resolveRevision(await text(), revision),
    head: () => headCommit(context),
    refs: async (kinds) => listRefs(await text(), kinds),
    trackedFiles: (paths) => trackedFiles(context, paths),
    ignoredPaths: (paths) => ignoredPaths(context, paths),
    listWorkspaceFiles: (suffix) => listWorkspaceFiles(context, suffix),
    listFiles: (source, suffix) =>
      source.kind === 'index' ? listIndexFiles(context, suffix) : listRevisionFiles(context, source.revision, suffix),
    readBlobs: (blobs) => readBlobs(context, blobs),
    pathHistory: (paths, history) => pathHistory(context, paths, history),
    reachableFiles: (suffix, options) => reachableFiles(context, suffix, options),
    worktreeStates: (suffix) => worktreeStates(context, suffix),
    commitGraph: (starts) => commitGraph(context, starts),
    filesOfCommits: (suffix, which) => filesOfCommits(context, suffix, which),
    worktreeDirectories: async () =>
      (await listWorktrees(context))
        .filter(({ present }) => present)
        .map(({ path, context: { layout } }) => ({ top: path, gitDir: layout.gitDir })),
    worktrees: async () => (await listWorktrees(context)).filter(({ present }) => present).map(({ path }) => path),
    commitWith: (blob) => commitWith(context, blob),
    remoteTips: () => remoteTips(context),
    chainLog: async (tip, paths) => (await import('./chain-log.js')).chainLog(context, tip, paths),
    addWorktree: (path, commit) => addWorktree(context, path, commit),
    applyPatch: (directory, patch) => applyPatch(context, directory, patch),
    removeWorktree: (path) => removeWorktree(context, path),
    rewriting: async () => (await import('./open-rewriting.js')).gitRewriting(context),
    signatures: async () => new (await import('./signatures.js')).SignatureReader(context),
    filesBelow: (paths) => filesBelow(context, paths),
    hashFiles: (paths) => hashFiles(context, paths),
    hasCommit: (commit) => hasCommit(context, commit),
    changedPaths: (from, to) => changedPaths(context, from, to),
    mergeBase: (one, other) => mergeBase(context, one, other),
    commitsSince: (range) => commitsSince(context, range),
    branch: () => currentBranch(context),
    workingChanges: () => workingChanges(context),
    workingDifference: (scratch) => workingDifference(context, scratch),
    conflicts: (suffix) => conflicts(context, suffix),
    incoming: () => incomingCommits(context.layout),
    mergeSetup: () => mergeSetup(context),
    installMergeDriver: () => installMergeDriver(context),
    removeMergeDriver: () => removeMergeDriver(context),
    hookPlace: () => hookPlace(context),
    ...diskSettings(context),
    isShallow: async () => isShallow(await text()),
    stage: (paths, { force = false } = {}) => stage(context, paths, force),
    unstage: (paths) => unstage(context, paths),
  };
}
