import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RemoteSettings } from '../../src/config/config.js';
import { familyOf, mirrorsOf } from '../../src/config/mirrors.js';

/** Remotes by name, each with the one that it mirrors. */
function config(remotes: Record<string, string | undefined>): { remotes: Map<string, RemoteSettings> } {
  const entries = Object.entries(remotes).sort();
  return {
    remotes: new Map(entries.map(([name, mirrorOf]) => [name, { url: `/${name}`, ...(mirrorOf && { mirrorOf }) }])),
  };
}

describe('mirrors', () => {
  const team = config({ origin: undefined, eu: 'origin', us: 'origin', cdn: 'eu', other: undefined });

  it('are those of a remote and of its mirrors', () => {
    expect(mirrorsOf('origin', team)).toEqual(['cdn', 'eu', 'us']);
    expect(mirrorsOf('eu', team)).toEqual(['cdn']);
    expect(mirrorsOf('other', team)).toEqual([]);
  });

  it('are asked in turn: the remote itself, what it mirrors, what else mirrors that', () => {
    expect(familyOf('origin', team)).toEqual(['origin', 'cdn', 'eu', 'us']);
    expect(familyOf('cdn', team)).toEqual(['cdn', 'eu', 'origin', 'us']);
    expect(familyOf('other', team)).toEqual(['other']);
  });

  it('may name a remote that is not there, or each other', () => {
    expect(familyOf('a', config({ a: 'gone', b: 'gone' }))).toEqual(['a', 'b']);
    expect(familyOf('a', config({ a: 'b', b: 'a' }))).toEqual(['a', 'b']);
    expect(mirrorsOf('a', config({ a: 'a' }))).toEqual([]);
    const withoutUrl = config({ a: undefined, b: 'a' });
    withoutUrl.remotes.set('c', { mirrorOf: 'a' });
    expect(familyOf('a', withoutUrl)).toEqual(['a', 'b']);
  });

  it('end, however they name each other, and each remote is there once and first in its own family', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    fc.assert(
      fc.property(fc.dictionary(name, fc.option(name, { nil: undefined })), (remotes) => {
        const given = config(remotes);
        for (const each of given.remotes.keys()) {
          const family = familyOf(each, given);
          expect(family[0]).toBe(each);
          expect(new Set(family).size).toBe(family.length);
          for (const mirror of mirrorsOf(each, given)) expect(family).toContain(mirror);
        }
      }),
    );
  });
});
