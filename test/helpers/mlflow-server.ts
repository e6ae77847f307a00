import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KEPT_OPEN } from './kept-open.js';

type Json = Record<string, unknown>;

/** What a small tracking server has. Lists come one item a page, so that every page has to be asked for. */
export interface MlflowContent {
  experiments: { experiment_id: string; name: string }[];
  runs: { info: Json; data: Json }[];
  models: Json[];
  versions: (Json & { name: string; version: string; uri: string })[];
  /** Points of every metric. */
  history?: Json[];
  /** Artifacts behind the proxy, by path. */
  files: Map<string, Buffer>;
  /** What the server demands as `authorization`. */
  authorization?: string;
  /** Answers some requests otherwise; true where it did. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** A tracking server on loopback that speaks as much of MLflow's REST API as an import asks. */
export async function startMlflowServer(
  content: MlflowContent,
): Promise<{ url: string; asked: string[]; stop: () => Promise<void> }> {
  const asked: string[] = [];
  const server = createServer(KEPT_OPEN, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url}`);
      if (content.intercept?.(request, response)) return;
      if (content.authorization !== undefined && request.headers.authorization !== content.authorization) {
        response.writeHead(401).end('{"error_code":"UNAUTHENTICATED","message":"who are you?"}');
        return;
      }
      const text = Buffer.concat(parts).toString('utf8');
      answer(content, { request, response, body: text === '' ? {} : (JSON.parse(text) as Json) });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, asked, stop };
}

function answer(
  content: MlflowContent,
  { request, response, body }: { request: IncomingMessage; response: ServerResponse; body: Json },
): void {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const page = (key: string, items: readonly Json[]): void => {
    const at = Number(body.page_token ?? searchParams.get('page_token') ?? 0);
    const more = at + 1 < items.length ? { next_page_token: String(at + 1) } : {};
    send(response, { [key]: items.slice(at, at + 1), ...more });
  };
  const path = pathname.replace('/api/2.0/mlflow/', '');
  const files = '/api/2.0/mlflow-artifacts/artifacts';
  if (path === 'experiments/search') page('experiments', content.experiments);
  else if (path === 'runs/search') {
    const [id] = body.experiment_ids as string[];
    page(
      'runs',
      content.runs.filter(({ info }) => info.experiment_id === id),
    );
  } else if (path === 'runs/get') {
    const run = content.runs.find(({ info }) => info.run_id === searchParams.get('run_id'));
    if (run) send(response, { run });
    else response.writeHead(404).end('{}');
  } else if (path === 'metrics/get-history') page('metrics', content.history ?? []);
  else if (path === 'registered-models/search') page('registered_models', content.models);
  else if (path === 'model-versions/search') {
    const name = /^name='(.*)'$/.exec(searchParams.get('filter') ?? '')?.[1];
    page(
      'model_versions',
      content.versions.filter((each) => each.name === name),
    );
  } else if (path === 'model-versions/get-download-uri') {
    const [name, version] = [searchParams.get('name'), searchParams.get('version')];
    send(response, {
      artifact_uri: content.versions.find((each) => each.name === name && each.version === version)?.uri,
    });
  } else if (pathname === files) send(response, { files: list(content.files, searchParams.get('path') ?? '') });
  else if (pathname.startsWith(`${files}/`)) {
    const bytes = content.files.get(decodeURIComponent(pathname.slice(files.length + 1)));
    if (bytes) response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    else response.writeHead(404).end('{}');
  } else response.writeHead(404).end('{}');
}

function send(response: ServerResponse, value: Json): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function list(files: ReadonlyMap<string, Buffer>, directory: string): Json[] {
  const prefix = directory === '' ? '' : `${directory}/`;
  const found = new Map<string, Json>();
  for (const [path, bytes] of files) {
    if (!path.startsWith(prefix)) continue;
    const [name = '', ...rest] = path.slice(prefix.length).split('/');
    if (rest.length > 0) found.set(name, { path: name, is_dir: true });
    else found.set(name, { path: name, is_dir: false, file_size: bytes.length });
  }
  return [...found.values()];
}
