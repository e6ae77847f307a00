import { join } from 'node:path';
import { mlv, type RunResult, runMlv } from './cli.js';
import { writeFiles } from './mlv-repository.js';
import { commitAll, git, makeRepository } from './repository.js';
import { temporaryDirectory } from './temporary-directory.js';

/** A repository of mlv with a Git remote and an object remote, ready to be registered from. */
export interface RegisteringRepository {
  /** Top of the working tree. */
  cwd: string;
  /** The bare repository that it is pushed to. */
  upstream: string;
  /** The directory that is the remote of mlv. */
  store: string;
  /** Runs `mlv` there; a failing command is a result. */
  run(...args: string[]): Promise<RunResult>;
  /** Runs `mlv` there; a failing command fails the test. */
  mlv(...args: string[]): Promise<string>;
  /** Writes files, adds `model.pkl` and `data` to mlv, commits everything, and pushes commits and objects. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
}

/** Files of a small project: a model, its data, its parameters, metrics and code. */
const PROJECT = {
  'model.pkl': 'model 1',
  'data/train.csv': 'a,b\n1,2\n',
  'data/deep/test.csv': 'a,b\n3,4\n',
  'params.yaml': 'seed: 7\nmodel: {depth: 3}\n',
  'metrics.json': '{"accuracy": 0.91, "loss": 0.4}\n',
  'train.py': 'print(1)\n',
};

/** The operands and options that register such a project whole. */
export const WHOLE = ['model.pkl', '--data', 'data', '--params', 'params.yaml', '--metrics', 'metrics.json'];

/** Makes such a repository, with the project's files committed and pushed. */
export async function registeringRepository(): Promise<RegisteringRepository> {
  const upstream = makeRepository({ name: 'upstream', bare: true });
  const cwd = makeRepository();
  const store = temporaryDirectory('store');
  git(cwd, 'remote', 'add', 'origin', upstream);
  const options = { cwd };
  const repository: RegisteringRepository = {
    cwd,
    upstream,
    store,
    run: (...args) => runMlv(args, options),
    mlv: (...args) => mlv(args, options),
    commit: async (files) => {
      writeFiles(cwd, files);
      await mlv(['add', '-q', 'model.pkl', 'data'], options);
      const commit = commitAll(cwd);
      git(cwd, 'push', '--quiet', 'origin', 'main');
      await mlv(['push', '-q'], options);
      return commit;
    },
  };
  await repository.mlv('init', '-q');
  await repository.mlv('remote', 'add', 'origin', join(store, 'objects'), '-q');
  await repository.commit(PROJECT);
  return repository;
}
