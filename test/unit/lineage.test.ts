import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ImportNode,
  type LineageFacts,
  LineageGraph,
  type RunNode,
  type VersionNode,
} from '../../src/provenance/lineage.js';
import { makersOf } from '../../src/provenance/makers.js';

const run = (id: string): RunNode => ({ kind: 'run', id, command: id, ended: '2026-01-01T00:00:00Z', dirty: false });
const version = (id: string): VersionNode => ({ kind: 'version', id, stages: [], deprecated: false });
const uses = (...ids: string[]) => ids.map((id) => ({ id, path: id }));

function graph(facts: Partial<LineageFacts>): LineageGraph {
  return new LineageGraph({ asked: [], runs: [], versions: [], parts: new Map(), ...facts });
}

const ids = (reached: { nodes: readonly { id: string }[] }): string[] => reached.nodes.map(({ id }) => id).sort();

describe('lineage', () => {
  it('goes through runs to versions, and back', () => {
    const facts = {
      runs: [
        { node: run('prepare'), inputs: uses('raw'), outputs: uses('data') },
        { node: run('train'), inputs: uses('data', 'code'), outputs: uses('model') },
      ],
      versions: [{ node: version('m@1'), artifacts: uses('model'), data: [], components: [] }],
    };
    expect(ids(graph(facts).reach(['raw'], 'down'))).toEqual(['data', 'm@1', 'model', 'prepare', 'raw', 'train']);
    expect(ids(graph(facts).reach(['m@1'], 'up'))).toEqual(['code', 'data', 'm@1', 'model', 'prepare', 'raw', 'train']);
    expect(ids(graph(facts).reach(['code'], 'down'))).not.toContain('raw');
  });

  it('follows a file into the directories that hold it, and a directory to who read a file of it', () => {
    const facts = {
      asked: uses('row'),
      runs: [
        { node: run('a'), inputs: uses('dir'), outputs: uses('A') },
        { node: run('b'), inputs: uses('row'), outputs: uses('B') },
      ],
      parts: new Map([['dir', new Set(['row'])]]),
    };
    expect(ids(graph(facts).reach(['row'], 'down'))).toEqual(['A', 'B', 'a', 'b', 'dir', 'row']);
    expect(ids(graph(facts).reach(['dir'], 'down'))).toEqual(['A', 'B', 'a', 'b', 'dir', 'row']);
  });

  it('takes two directories that share a file for no relatives', () => {
    const facts = {
      runs: [
        { node: run('a'), inputs: uses('one', 'shared'), outputs: uses('A') },
        { node: run('b'), inputs: uses('two'), outputs: uses('B') },
      ],
      parts: new Map([
        ['one', new Set(['shared'])],
        ['two', new Set(['shared'])],
      ]),
    };
    expect(ids(graph(facts).reach(['one'], 'down'))).toEqual(['A', 'a', 'one', 'shared']);
  });

  it('a version goes into those that it is a component of', () => {
    const facts = {
      versions: [
        { node: version('part@1'), artifacts: uses('w'), data: [], components: [] },
        { node: version('all@1'), artifacts: [], data: [], components: ['part@1'] },
      ],
    };
    expect(ids(graph(facts).reach(['w'], 'down'))).toEqual(['all@1', 'part@1', 'w']);
  });

  it('down and up are one relation, whatever the graph', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const some = fc.uniqueArray(name, { maxLength: 3 });
    const runs = fc.array(fc.tuple(some, some), { maxLength: 5 });
    fc.assert(
      fc.property(runs, name, name, (list, from, to) => {
        const built = graph({
          asked: uses('a', 'b', 'c', 'd', 'e'),
          runs: list.map(([inputs, outputs], at) => ({
            node: run(`r${at}`),
            inputs: uses(...inputs),
            outputs: uses(...outputs),
          })),
        });
        expect(ids(built.reach([from], 'down')).includes(to)).toBe(ids(built.reach([to], 'up')).includes(from));
      }),
    );
  });
});

describe('what made it', () => {
  const imported = (id: string): ImportNode => ({ kind: 'import', id, url: id });
  const made = (facts: Partial<LineageFacts>, ...starts: string[]) => {
    const { runs, imports } = makersOf(graph(facts), starts);
    return { runs: runs.map(({ id }) => id), imports: imports.map(({ id }) => id) };
  };
  const train = { node: run('train'), inputs: uses('data'), outputs: uses('model') };
  const prepare = { node: run('prepare'), inputs: uses('raw'), outputs: uses('data') };

  it('is the run that wrote it, and not those before', () => {
    expect(made({ runs: [prepare, train] }, 'model')).toEqual({ runs: ['train'], imports: [] });
    expect(made({ asked: uses('raw'), runs: [prepare] }, 'raw')).toEqual({ runs: [], imports: [] });
  });

  it('is, the newest first, every run that wrote it', () => {
    const later = { ...train, node: { ...run('again'), ended: '2026-02-01T00:00:00Z' } };
    expect(made({ runs: [train, later] }, 'model').runs).toEqual(['again', 'train']);
  });

  it('of a version is what made its artifacts, of a file what made its directory', () => {
    const versions = [{ node: version('m@1'), artifacts: uses('model'), data: uses('data'), components: [] }];
    expect(made({ runs: [prepare, train], versions }, 'm@1').runs).toEqual(['train']);
    const parts = new Map([['data', new Set(['row'])]]);
    expect(made({ asked: uses('row'), runs: [prepare], parts }, 'row').runs).toEqual(['prepare']);
  });

  it('is the import that brought it or its directory, and of a directory none of a file in it', () => {
    const imports = ['dir', 'row'].map((id) => ({ node: imported(`import ${id}`), content: { id, path: id } }));
    const parts = new Map([['dir', new Set(['row'])]]);
    expect(made({ imports, parts }, 'row').imports.sort()).toEqual(['import dir', 'import row']);
    expect(made({ imports, parts }, 'dir').imports).toEqual(['import dir']);
  });
});
