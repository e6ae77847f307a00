import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import type { MlflowStore } from '../interop/mlflow/store.js';
import type { Session } from './session.js';

/**
 * Opens what the user named: a directory or `file:` URI, `http(s)://`, or `sqlite:///`. `artifacts` are directories to look
 * in besides. Credentials of a server come from the environment. Errors: `USAGE`, `PATH_NOT_FOUND`, `FOREIGN_INVALID`.
 */
export async function openMlflow(
  { cwd, env, signal }: Session,
  store: string,
  artifacts: readonly string[],
): Promise<MlflowStore> {
  const also = artifacts.map((each) => resolve(cwd, each));
  const missing = also.find((each) => !existsSync(each));
  if (missing !== undefined) throw notThere(missing);
  if (/^https?:\/\//i.test(store)) {
    const { MlflowServer } = await import('../interop/mlflow/server.js');
    const credentials = {
      username: env.MLFLOW_TRACKING_USERNAME,
      password: env.MLFLOW_TRACKING_PASSWORD,
      token: env.MLFLOW_TRACKING_TOKEN,
    };
    return new MlflowServer(store, { credentials, signal, artifacts: also });
  }
  const database = /^sqlite:\/\/\/(.+)$/.exec(store)?.[1];
  if (database !== undefined) {
    const path = resolve(cwd, database);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw notThere(path);
    const { MlflowDatabase } = await import('../interop/mlflow/database.js');
    const beside = ['mlruns', 'mlartifacts'].map((name) => join(dirname(path), name));
    return MlflowDatabase.open(path, [...beside, ...also]);
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(store) && !store.startsWith('file:')) {
    throw new MlvError('USAGE', `'${redactUrl(store)}' is no store that mlv reads`, {
      hint: 'start a server on it, and import from that: mlflow server --backend-store-uri <store>',
    });
  }
  const path = resolve(
    cwd,
    store.startsWith('file:') ? fileURLToPath(store.replace(/^file:\/?(?!\/)/, 'file:///')) : store,
  );
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw notThere(path);
  const { MlflowFileStore } = await import('../interop/mlflow/file-store.js');
  const inner = join(path, 'mlruns');
  const isAbove = !existsSync(join(path, 'models')) && existsSync(inner);
  return new MlflowFileStore(isAbove ? inner : path, also);
}

function notThere(path: string): MlvError {
  return new MlvError('PATH_NOT_FOUND', `'${path}' is not there`, {
    hint: 'name a directory (mlruns), https://…, or sqlite:///mlflow.db',
    data: { path },
  });
}
