import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeTree } from '../helpers/describe-tree.js';
import { hostileEntries, makeHostileTree, makeNameThatIsNotUtf8 } from '../helpers/hostile-tree.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const onLinux = process.platform === 'linux';

describe('the tree of hostile names', () => {
  it('holds every entry of the manifest as the manifest says', () => {
    const directory = temporaryDirectory('hostile');
    const { made, skipped } = makeHostileTree(directory);
    const found = describeTree(directory);

    if (onLinux) expect(skipped).toEqual([]);
    for (const entry of made) {
      const expected = { directory: /^directory$/, link: /^link -> /, file: /^(file|executable) / }[entry.kind];
      expect(found[entry.name], JSON.stringify(entry.name)).toMatch(expected);
      if (entry.kind === 'link') expect(found[entry.name]).toBe(`link -> ${entry.target}`);
    }
    expect(found['modes/run me.sh']).toMatch(/^executable /);
    expect(found['modes/same bytes, not executable']).toMatch(/^file /);
  });

  it('covers the cases that break tools', () => {
    const names = hostileEntries().map((entry) => entry.name);
    const lastParts = names.map((name) => name.split('/').at(-1) ?? '');

    expect(new Set(names).size).toBe(names.length);
    expect(Math.max(...lastParts.map((part) => Buffer.byteLength(part)))).toBe(255);
    expect(Math.max(...names.map((name) => name.split('/').length))).toBeGreaterThan(200);
    expect(names.some((name) => name !== name.normalize('NFC') && names.includes(name.normalize('NFC')))).toBe(true);
    for (const sample of ['\n', '\t', '\\', "'", '"', '\u{1f680}', '$(', ';rm']) {
      expect(
        lastParts.some((part) => part.includes(sample)),
        JSON.stringify(sample),
      ).toBe(true);
    }
  });

  it.runIf(onLinux)('can be given a name that is not UTF-8', () => {
    const directory = temporaryDirectory('latin');
    expect(makeNameThatIsNotUtf8(directory)).toBe(true);
    expect(lstatSync(Buffer.from(`${join(directory, 'caf')}\xe9`, 'latin1')).isFile()).toBe(true);
  });
});
