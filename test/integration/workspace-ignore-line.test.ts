import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { ignoreLine, withLines, withoutLines } from '../../src/workspace/git-ignore-file.js';
import { gitTestEnvironment, testRepository } from '../helpers/git.js';
import { hostileEntries } from '../helpers/hostile-tree.js';

it('an ignore line makes Git ignore its own name and no other, whatever the name', async () => {
  const repository = testRepository();
  const git = await openGit(repository.dir, { env: gitTestEnvironment() });
  const hostile = hostileEntries().flatMap(({ name }) => name.split('/'));
  const names = [
    ...new Set([
      ...hostile,
      '!a',
      '#a',
      '*',
      '?',
      '[a]',
      '[',
      ']',
      '\\',
      'a\\',
      'a\\ ',
      ' ',
      '  ',
      'a  ',
      '\ta\t',
      '**',
      'a*b',
      '~',
      'data',
      'data.mlv',
    ]),
  ];
  for (const name of names) {
    repository.write('.gitignore', `${ignoreLine(name)}\n`);
    const ignored = await git.ignoredPaths(names);
    // A newline is written as `?`, which takes any one byte for it.
    const alike = names.filter((other) => other === name || (/[\n\r]/.test(name) && other.length === name.length));
    expect(ignored.has(name), JSON.stringify(name)).toBe(true);
    expect([...ignored].filter((other) => !alike.includes(other))).toEqual([]);
  }
});

it('a line that was added and taken out leaves the text as it was', () => {
  const line = fc.stringMatching(/^\/[a-z ]{1,4}$/);
  const text = fc
    .array(fc.oneof(line, fc.constantFrom('', '# c', '*.tmp\r')))
    .map((lines) => lines.map((each) => `${each}\n`).join(''));
  fc.assert(
    fc.property(text, line, (before, added) => {
      const after = withLines(before, [added]);
      expect(after.split(/\r?\n/)).toContain(added);
      expect(withLines(after, [added])).toBe(after);
      if (!before.split(/\r?\n/).includes(added)) expect(withoutLines(after, [added])).toBe(before);
      expect(withoutLines(after, [added]).split(/\r?\n/)).not.toContain(added);
    }),
  );
  expect(withLines('no line end', ['/a'])).toBe('no line end\n/a\n');
});
