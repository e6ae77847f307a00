import { describe, expect, it } from 'vitest';
import { type Config, resolveConfig } from '../../src/config/config.js';
import { groupByRemotes } from '../../src/transfer/remote-groups.js';
import type { Selection } from '../../src/workspace/pointers.js';

const URLS = { 'remote.origin.url': '/o', 'remote.eu.url': '/e', 'remote.nas.url': '/n', 'remote.copy.url': '/c' };
const MIRRORS = { 'remote.eu.mirror-of': 'origin', 'remote.copy.mirror-of': 'nas' };

function configOf(flags: Record<string, string>): Config {
  return resolveConfig({ files: {}, environment: {}, flags, project: undefined, paths: { cache: '/c', home: '/h' } });
}

const config = configOf({ ...URLS, ...MIRRORS, 'core.remote': 'origin' });

/** Selections by path, each with the remote that its pointer names. */
function selections(remotes: Record<string, string | undefined>): Selection[] {
  return Object.entries(remotes).map(([path, remote]) => {
    const pointer = { oid: `blake3:${'0'.repeat(64)}`, size: 1, path, ...(remote && { remote }) };
    return { target: { path, pointer, text: '' }, below: '' } as unknown as Selection;
  });
}

const some = selections({ a: undefined, b: 'nas', c: undefined, d: 'eu' });

function grouped(named: string[], use: 'all' | 'first'): [string[], string[]][] {
  const groups = groupByRemotes(some, { config, named, use });
  return groups.map(({ remotes, selections: mine }) => [[...remotes], mine.map(({ target }) => target.path)]);
}

describe('the remotes of selections', () => {
  it('are, for what each must have, those of the pointers or the default with their mirrors', () => {
    expect(grouped([], 'all')).toEqual([
      [
        ['origin', 'eu'],
        ['a', 'c'],
      ],
      [['nas', 'copy'], ['b']],
      [['eu'], ['d']],
    ]);
  });

  it('are, for what may come from any, those in their order, then what they mirror and its mirrors', () => {
    expect(grouped([], 'first')).toEqual([
      [
        ['origin', 'eu'],
        ['a', 'c'],
      ],
      [['nas', 'copy'], ['b']],
      [['eu', 'origin'], ['d']],
    ]);
  });

  it('are those that were named: no others, or these first', () => {
    expect(grouped(['eu', 'nas', 'eu'], 'all')).toEqual([
      [
        ['eu', 'nas'],
        ['a', 'b', 'c', 'd'],
      ],
    ]);
    expect(grouped(['eu', 'nas'], 'first')).toEqual([
      [
        ['eu', 'nas', 'origin', 'copy'],
        ['a', 'b', 'c', 'd'],
      ],
    ]);
  });

  it('must be configured', () => {
    expect(() => grouped(['nowhere'], 'all')).toThrow("there is no remote 'nowhere'");
    const none = configOf(URLS);
    expect(() => groupByRemotes(some, { config: none, named: [], use: 'all' })).toThrow('there is no default remote');
    const noAddress = configOf({ ...URLS, 'remote.x.region': 'r' });
    expect(() => groupByRemotes(some, { config: noAddress, named: ['x'], use: 'all' })).toThrow('has no address');
  });
});
