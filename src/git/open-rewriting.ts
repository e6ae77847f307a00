import { readObjects } from './blobs.js';
import { streamCommits } from './commit-stream.js';
import type { GitContext } from './context.js';
import { splitCommit, writeChangedTree, writeCommits } from './fast-import.js';
import { forEachEntry, forEachPiece } from './paths.js';
import type { GitRewriting, RewriteDifference } from './rewriting.js';

const NOTHING = '000000';

/** What a migration needs of the Git of a repository. */
export function gitRewriting(context: GitContext): GitRewriting {
  return {
    commits: (tips) => streamCommits(context, tips),
    roots: async (tip) => {
      const { stdout } = await context.run(['--no-replace-objects', 'rev-list', '--max-parents=0', tip, '--']);
      return stdout.toString('latin1').split('\n').filter(Boolean).sort();
    },
    files: (treeish) => files(context, treeish),
    sizes: (blobs) => sizes(context, blobs),
    smallBlobs: async (blobs, limit) => {
      const known = await sizes(context, blobs);
      return readObjects(
        context,
        [...known].filter(([, size]) => size <= limit).map(([blob]) => blob),
        ['blob'],
      );
    },
    writeCommits: (commits) => writeCommits(context, commits),
    writeTree: (base, changes) => writeChangedTree(context, base, changes),
    difference: (from, to) => difference(context, from, to),
    indexed: (paths) => indexed(context, paths),
    stageDifference: (differences) => stageDifference(context, differences),
    retag: (tag, commit) => retag(context, tag, commit),
    config: async (key) => (await settings(context, ['--get-all', key])).map(([value]) => value),
    configForUrl: async (key, url) => {
      const { stdout } = await context.run(['config', '-z', '--get-urlmatch', key, url], { accept: [0, 1] });
      return stdout.toString('utf8').split('\0').filter(Boolean);
    },
    configMatching: async (pattern) => pairs(await settings(context, ['--get-regexp', pattern])),
    configOfText: async (text) => {
      const args = ['config', '-z', '--no-includes', '--file', '-', '--list'];
      const { stdout } = await context.run(args, { input: text });
      return pairs(splitSettings(stdout));
    },
    credential: (action, request) => credential(context, action, request),
  };
}

async function files(context: GitContext, treeish: string): Promise<{ path: string; mode: string; blob: string }[]> {
  const found: { path: string; mode: string; blob: string }[] = [];
  const { stdout } = await context.run(['--no-replace-objects', 'ls-tree', '-r', '-z', '--full-tree', treeish]);
  forEachEntry(stdout, (path, [mode = '', , blob = '']) => found.push({ path: path.toString('latin1'), mode, blob }));
  return found;
}

async function sizes(context: GitContext, blobs: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (blobs.length === 0) return found;
  const input = [...new Set(blobs)].map((blob) => `${blob}\n`).join('');
  const args = ['--no-replace-objects', 'cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)'];
  const { stdout } = await context.run(args, { input });
  for (const line of stdout.toString('latin1').split('\n')) {
    const [name = '', type, size] = line.split(' ');
    if (type === 'blob') found.set(name, Number(size));
  }
  return found;
}

async function difference(context: GitContext, from: string, to: string): Promise<RewriteDifference[]> {
  const args = ['--no-replace-objects', 'diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', from, to];
  const { stdout } = await context.run(args);
  const found: RewriteDifference[] = [];
  let entry: string | undefined;
  forEachPiece(stdout, (piece) => {
    if (entry === undefined) {
      entry = piece.toString('latin1');
      return;
    }
    const [oldMode = '', newMode = '', oldBlob = '', newBlob = ''] = entry.slice(1).split(' ');
    entry = undefined;
    found.push({
      path: piece.toString('latin1'),
      before: oldMode === NOTHING ? undefined : { mode: oldMode, blob: oldBlob },
      after: newMode === NOTHING ? undefined : { mode: newMode, blob: newBlob },
    });
  });
  return found;
}

async function indexed(
  context: GitContext,
  paths: ReadonlySet<string>,
): Promise<Map<string, { mode: string; blob: string }>> {
  const found = new Map<string, { mode: string; blob: string }>();
  const { stdout } = await context.run(['ls-files', '-z', '--cached', '--stage']);
  forEachEntry(stdout, (bytes, [mode = '', blob = '']) => {
    const path = bytes.toString('latin1');
    if (paths.has(path)) found.set(path, { mode, blob });
  });
  return found;
}

async function stageDifference(context: GitContext, differences: readonly RewriteDifference[]): Promise<void> {
  if (differences.length === 0) return;
  const lines: string[] = [];
  for (const { path, before, after } of differences) {
    if (!after) lines.push(`0 ${'0'.repeat(before?.blob.length ?? 40)}\t${path}\0`);
  }
  for (const { path, after } of differences) if (after) lines.push(`${after.mode} ${after.blob}\t${path}\0`);
  await context.run(['update-index', '-z', '--index-info'], { input: Buffer.from(lines.join(''), 'latin1') });
  // Without a look at the files, the next `git status` would have to read each.
  await context.run(['update-index', '-q', '--refresh'], { accept: [0, 1] });
}

async function retag(context: GitContext, tag: string, commit: string): Promise<string> {
  const raw = (await readObjects(context, [tag], ['tag'])).get(tag) as Buffer;
  const { head, message } = splitCommit(raw);
  const lines = head.toString('latin1').split('\n').slice(2);
  const kept = lines.filter((line) => line.startsWith('tag ') || line.startsWith('tagger '));
  const text = message.toString('latin1').replace(/^-----BEGIN (?:PGP|SSH) SIGNATURE-----$[\s\S]*/m, '');
  const input = Buffer.from(`object ${commit}\ntype commit\n${kept.join('\n')}\n\n${text}`, 'latin1');
  const { stdout } = await context.run(['hash-object', '-t', 'tag', '-w', '--stdin'], { input });
  return stdout.toString('latin1').trim();
}

async function settings(context: GitContext, args: readonly string[]): Promise<[string, string?][]> {
  const { stdout } = await context.run(['config', '-z', ...args], { accept: [0, 1] });
  return splitSettings(stdout);
}

function splitSettings(output: Buffer): [string, string?][] {
  const found: [string, string?][] = [];
  forEachPiece(output, (piece) => {
    const text = piece.toString('utf8');
    const end = text.indexOf('\n');
    found.push(end === -1 ? [text] : [text.slice(0, end), text.slice(end + 1)]);
  });
  return found;
}

function pairs(found: readonly [string, string?][]): [string, string][] {
  return found.map(([key, value = 'true']) => [key, value]);
}

async function credential(
  context: GitContext,
  action: 'fill' | 'approve' | 'reject',
  request: Record<string, string>,
): Promise<Record<string, string>> {
  const lines = Object.entries(request).filter(([key, value]) => !/[\n\0=]/.test(key) && !/[\n\0]/.test(value));
  const input = `${lines.map(([key, value]) => `${key}=${value}\n`).join('')}\n`;
  const { code, stdout } = await context.run(['credential', action], { input, accept: [0, 1, 128] });
  if (code !== 0 || action !== 'fill') return {};
  const answer: Record<string, string> = {};
  for (const line of stdout.toString('utf8').split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) answer[line.slice(0, at)] = line.slice(at + 1);
  }
  return answer;
}
