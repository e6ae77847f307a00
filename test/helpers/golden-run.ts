import type { HashFunction } from '../../src/objects/hash.js';
import { toOid } from '../../src/objects/oid.js';
import { runKey } from '../../src/provenance/run-key.js';
import type { RunRecord } from '../../src/provenance/run-record.js';

/** A record with every key of the format, made from fixed input; fixtures/golden/run.json holds its bytes. */
export function goldenRun(hash: HashFunction): RunRecord {
  const oid = (text: string) => toOid(hash.algorithm, hash.digest(Buffer.from(text)));
  const code = '3b18e512dba79e4c8300dd08aeb37f8e728b8dad src/train.py\n';
  const asked: Pick<RunRecord, 'command' | 'directory' | 'env' | 'inputs' | 'params'> = {
    command: ['python', 'src/train.py', '--fast'],
    directory: '',
    env: { PYTHONHASHSEED: '0' },
    inputs: [
      { path: 'data', kind: 'tracked', oid: oid('data'), size: 4, files: 1, pointer: oid('before') },
      { path: 'raw/rows.csv', kind: 'tracked', oid: oid('rows'), size: 4, within: 'raw' },
      { path: 'scratch.bin', kind: 'plain', oid: oid('scratch'), size: 7 },
      { path: 'setup.cfg', kind: 'git', oid: 'git:3b18e512dba79e4c8300dd08aeb37f8e728b8dad' },
      { path: 'src', kind: 'git', oid: oid(code), files: 1 },
    ],
    params: [{ path: 'params.yaml', keys: ['train'], values: { 'train.lr': 0.1, 'train.seed': 7 } }],
  };
  return {
    mlv_run: 1,
    name: 'train',
    key: runKey({ ...asked, outputs: ['model.pkl'], metrics: ['metrics.json'] }, hash),
    ...asked,
    desc: 'the nightly training',
    source: { url: 'https://example.com/rows', licence: 'CC-BY-4.0' },
    started: '2026-11-21T08:00:00.000Z',
    ended: '2026-11-21T08:10:00.000Z',
    commit: '9fceb02d0ae598e95dc970b74767f19372d61af8',
    dirty: true,
    difference: { patch: true, files: 2, left_out: ['notes.bin'] },
    changed: [{ path: 'scratch.bin', before: oid('scratch'), after: null }],
    outputs: [{ path: 'model.pkl', oid: oid('model'), size: 5, executable: true }],
    seeds: { 'train.seed': 7, PYTHONHASHSEED: '0' },
    metrics: { acc: { value: 0.9 }, loss: { value: 0.2, better: 'lower' } },
    metrics_files: [{ path: 'metrics.json', oid: oid('{"acc":0.9,"loss":0.2}'), size: 22 }],
    host: '8 × Xeon, 64 GiB, no GPU',
    environment: { os: 'Debian 12', cores: 8, python: '3.12.1', packages: ['numpy==2.0.0'], absent: ['gpus', 'r'] },
  };
}
