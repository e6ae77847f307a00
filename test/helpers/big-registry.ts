import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { sha256Of } from '../../src/registry/digest.js';
import type { RegistryEvent } from '../../src/registry/event.js';
import { encodeEvent } from '../../src/registry/event-format.js';
import { eventPath, manifestPath, REGISTRY_REF } from '../../src/registry/layout.js';
import type { Manifest } from '../../src/registry/manifest.js';
import { encodeManifest } from '../../src/registry/manifest-format.js';

/** How much a made registry holds. */
export interface BigRegistry {
  models: number;
  /** In all. */
  versions: number;
  /** In all, the registrations among them. */
  events: number;
}

const AUTHOR = 'Test Author <author@example.com>';
const START = Date.UTC(2024, 0, 1) / 1000;

/**
 * Makes the branch of a registry in a repository that has a commit, with one commit a change, by `git fast-import`: far
 * faster than by registering. Each model has versions `1.<n>.0`, each promoted to staging and production in turn, with
 * evaluations as the rest of its events. `env` is the environment of Git.
 */
export function makeBigRegistry(
  repository: string,
  { models, versions, events }: BigRegistry,
  env: NodeJS.ProcessEnv,
): void {
  const git = (args: string[], input?: string) => {
    const options = { cwd: repository, env, encoding: 'utf8', input, maxBuffer: 1 << 28 } as const;
    const result = spawnSync('git', args, options);
    if (result.status !== 0) throw new Error(`git ${args[0]}: ${result.stderr}`);
    return result.stdout.trim();
  };
  const commit = git(['rev-parse', 'HEAD']);
  const parts: string[] = [];
  let time = START;
  const write = (subject: string, files: [path: string, text: string][]): void => {
    time += 60;
    parts.push(
      `commit ${REGISTRY_REF}\ncommitter ${AUTHOR} ${time} +0000\ndata ${Buffer.byteLength(subject)}\n${subject}\n`,
    );
    for (const [path, text] of files) parts.push(`M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
    parts.push('\n');
  };
  const each = Math.ceil(versions / models);
  const perVersion = Math.max(1, Math.round(events / versions));
  for (let model = 0; model < models; model += 1) {
    const name = `model-${String(model).padStart(2, '0')}`;
    let seq = 0;
    let before: string | undefined;
    const placed = (event: RegistryEvent): [string, string] => {
      seq += 1;
      const text = encodeEvent(event);
      return [eventPath(name, seq, sha256Of(text).slice(7, 19)), text];
    };
    for (let number = 0; number < Math.min(each, versions - model * each); number += 1) {
      const manifest = bigManifest(name, number, { commit, time });
      const text = encodeManifest(manifest);
      const { version } = manifest;
      const at = new Date(time * 1000).toISOString();
      const base = { mlv: 1, model: name, version, manifest: sha256Of(text), by: AUTHOR, at } as const;
      write(`${name}@${version}: registered`, [
        [manifestPath(name, version), text],
        placed({ ...base, type: 'registered' }),
      ]);
      const replaces = before === undefined ? {} : { replaces: [before] };
      const further: RegistryEvent[] = [
        { ...base, type: 'promoted', stage: 'staging', from: 'none', traffic: 100 },
        { ...base, type: 'approved', stage: 'production', reason: 'as good as the last one, and faster' },
        { ...base, type: 'promoted', stage: 'production', from: 'staging', traffic: 100, ...replaces },
      ];
      for (let index = 1; index < perVersion; index += 1) {
        const other: RegistryEvent = {
          ...base,
          type: 'evaluated',
          on: `day-${index}`,
          metrics: { auc: { value: 0.9 } },
        };
        write(`${name}@${version}: event ${index}`, [placed(further[index - 1] ?? other)]);
      }
      before = version;
    }
  }
  git(['fast-import', '--quiet', '--date-format=raw'], parts.join(''));
}

function bigManifest(model: string, number: number, { commit, time }: { commit: string; time: number }): Manifest {
  const hex = (text: string): string => createHash('sha256').update(`${model} ${number} ${text}`).digest('hex');
  const item = (path: string) => ({
    path,
    oid: `blake3:${hex(path)}`,
    sha256: `sha256:${hex(`${path} sha`)}`,
    size: 1e6 + number,
  });
  return {
    mlv: 1,
    model,
    version: `1.${number}.0`,
    artifacts: [item('model.pkl')],
    data: [{ ...item('data/train'), files: 1000 }, item('data/holdout.parquet')],
    params: { 'model.depth': 4 + (number % 8), 'model.rate': 0.1, seed: number, optimiser: 'adam' },
    metrics: {
      auc: { value: 0.8 + (number % 100) / 1000, better: 'higher', on: 'data/holdout.parquet' },
      latency_ms: { value: 10 + (number % 7), better: 'lower' },
    },
    commit,
    branch: 'main',
    author: AUTHOR,
    created: new Date(time * 1000).toISOString(),
    ...(number > 0 && { parent: `1.${number - 1}.0` }),
  };
}
