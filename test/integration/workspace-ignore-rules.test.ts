import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Git } from '../../src/git/git.js';
import { openGit } from '../../src/git/open.js';
import { IgnoreRules } from '../../src/workspace/ignore-rules.js';
import { gitTestEnvironment, type TestRepository, testRepository } from '../helpers/git.js';

/** What is really there, so that Git knows a directory from a file; directories end with a slash. */
const ENTRIES = [
  ...[
    'A',
    'ab',
    'a.b',
    'a/',
    'a/b/',
    'a/b/c',
    'a/c',
    'b',
    'd/',
    'd/a/',
    'd/a/b',
    'd/a/c',
    'd/e/',
    'd/e/f',
    'd/b',
    'é',
    'a b',
    'a ',
    'c/',
  ],
  ...['#a', '!a', 'a\\b', '[a]', 'x*y', 'd/ü.txt', 'd/x.txt', '-', '^', ']', 'c/a', 'c/d/', 'c/d/b'],
];
const PATHS = ENTRIES.map((entry) => entry.replace(/\/$/, ''));

function realTree(): TestRepository {
  const repository = testRepository();
  for (const entry of ENTRIES) if (!entry.endsWith('/')) repository.write(entry, 'x');
  return repository;
}

/** As a walk asks: from the top down, never below what is ignored. */
function ours(rules: IgnoreRules, path: string): boolean {
  const parts = path.split('/');
  return parts.some((_, at) => {
    const part = parts.slice(0, at + 1).join('/');
    return rules.ignores(part, ENTRIES.includes(`${part}/`));
  });
}

async function differences(repository: TestRepository, git: Git, files: Record<string, string>): Promise<string[]> {
  for (const [directory, text] of Object.entries(files)) {
    repository.write(directory === '' ? '.gitignore' : `${directory}/.gitignore`, text);
  }
  const theirs = await git.ignoredPaths(PATHS);
  return PATHS.filter((path) => {
    let rules = IgnoreRules.none;
    for (const [directory, text] of Object.entries(files)) {
      if (directory === '' || path.startsWith(`${directory}/`)) rules = rules.with(directory, text);
    }
    return ours(rules, path) !== theirs.has(path);
  }).map(
    (path) =>
      `${JSON.stringify(path)}: Git ${theirs.has(path) ? 'ignores' : 'keeps'} it under ${JSON.stringify(files)}`,
  );
}

const TABLE: string[] = [
  'a',
  '/a',
  'a/',
  '/a/',
  'a/b',
  '/a/b',
  'a/*',
  'a/**',
  '**/a',
  '**/b/',
  'a/**/c',
  'd/**',
  '**',
  '*',
  '*/',
  '/*',
  '!a',
  'a\n!a',
  '*\n!a',
  '*\n!*/\n!c',
  'a\n!a/b',
  'd/*\n!d/a',
  'd/**\n!d/a/\n!d/a/b',
  '# comment\na',
  '\\#a',
  '\\!a',
  'a ',
  'a\\ ',
  'a  \t',
  'a\r',
  'a\r\nb\r',
  '[ab]',
  '[a-b]',
  '[!a]',
  '[^a]',
  '[]a]',
  '[]]',
  '[\\]]',
  '[a',
  '[',
  'a[',
  'a\\',
  '\\a',
  '\\[a\\]',
  '[[:alpha:]]',
  '[[:nope:]]',
  '[[:upper:]]',
  '?',
  '??',
  'a?b',
  'x\\*y',
  'x*y',
  'a\\\\b',
  'é',
  '?.txt',
  '*.txt',
  '\ufeffa',
  '[b-a]',
  '[a-]',
  '[--a]',
  'a**b',
  'a/**b',
  '**a',
  'd/a**',
  '//',
  '/',
  '!',
  '\\',
  'a//b',
  '***',
  '***/b',
  'a/***/c',
  '[/]',
  'a[/]b',
  'a[!x]b',
  '\\ ',
  ' a',
  '[!]]',
  '[!',
  '[^',
  '**/',
  '/**',
  '/**/a',
  '**/d/**',
  'd/[[:lower:]]/f',
  '[\\a]',
  '*a*b*c*',
];

it('agrees with Git on every form of a pattern', async () => {
  const repository = realTree();
  const git = await openGit(repository.dir, { env: gitTestEnvironment() });
  const found: string[] = [];
  for (const text of TABLE) found.push(...(await differences(repository, git, { '': text })));
  expect(found).toEqual([]);
});

it('agrees with Git when the rules of a directory inside answer those above', async () => {
  const repository = realTree();
  const git = await openGit(repository.dir, { env: gitTestEnvironment() });
  const sets = [
    { '': '/d/a/\n', d: '!/a/\n' },
    { '': '*\n!d/\n', d: '!*\n' },
    { '': '!b\n', d: '*\n' },
    { '': 'b\n', d: '!b\n', 'd/a': 'c\n' },
  ];
  const found: string[] = [];
  for (const files of sets) {
    for (const directory of ['', 'd/', 'd/a/']) rmSync(join(repository.dir, `${directory}.gitignore`), { force: true });
    found.push(...(await differences(repository, git, files)));
  }
  expect(found).toEqual([]);
});

it('agrees with Git on any text', async () => {
  const repository = realTree();
  const git = await openGit(repository.dir, { env: gitTestEnvironment() });
  const piece = fc.constantFrom(
    'a',
    'b',
    'c',
    'd',
    '*',
    '**',
    '?',
    '/',
    '!',
    '#',
    '\\',
    '[',
    ']',
    '-',
    '^',
    ' ',
    '.',
    'é',
    '[:alpha:]',
  );
  const line = fc.array(piece, { maxLength: 7 }).map((parts) => parts.join(''));
  const text = fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n'));
  await fc.assert(
    fc.asyncProperty(text, async (each) => {
      expect(await differences(repository, git, { '': each })).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
