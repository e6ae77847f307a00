/**
 * The main job, end to end, on the fixtures: a repository, a push to a directory and to S3, a clone, a pull, and the
 * hashes compared. Prints every command that it runs, so that reading it teaches the tool. Exit code 1 when a byte differs.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startS3Server } from '../helpers/s3-server.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const mlv = join(project, 'bin', 'mlv.js');
const base = mkdtempSync(join(tmpdir(), 'mlv-demo-'));

const environment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: join(base, 'home'),
  XDG_CONFIG_HOME: join(base, 'home', '.config'),
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  AWS_EC2_METADATA_DISABLED: 'true',
  NO_COLOR: '1',
};

function say(text: string): void {
  process.stdout.write(`\n# ${text}\n`);
}

/**
 * Runs `mlv` or `git` in a directory, with what it prints shown; ends the demo when it fails. Does not block: the S3 server
 * answers from this very process.
 */
async function run(directory: string, command: 'git' | 'mlv', ...args: string[]): Promise<void> {
  const shown = args.map((arg) => (/[^\w@%+=:,./~-]/.test(arg) ? `'${arg}'` : arg)).join(' ');
  process.stdout.write(`${relative(base, directory) || '.'}$ ${command} ${shown.replaceAll(base, '…')}\n`);
  const [file, argv] = command === 'mlv' ? [process.execPath, [mlv, ...args]] : [command, args];
  const child = spawn(file, argv, { cwd: directory, env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new Error(`${command} ${shown} ended with exit code ${code}`);
}

/** SHA-256 of every data file below a directory, by path. */
function hashes(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /(^|\/)\.git(\/|$)|\.gitignore$|\.mlv$|mlv\.yaml$/.test(relative(directory, path))) continue;
    found.set(relative(directory, path), createHash('sha256').update(readFileSync(path)).digest('hex'));
  }
  return found;
}

function compare(left: string, right: string): void {
  const before = hashes(left);
  const after = hashes(right);
  const different = [...before].filter(([path, hash]) => after.get(path) !== hash);
  if (different.length > 0 || before.size !== after.size || before.size === 0) {
    throw new Error(
      `the clone is not the same: ${different.map(([path]) => path).join(', ') || `${after.size} files`}`,
    );
  }
  process.stdout.write(`  ${before.size} files, every SHA-256 equal\n`);
}

async function main(): Promise<void> {
  const ada = join(base, 'ada');
  const bob = join(base, 'bob');
  const carol = join(base, 'carol');
  mkdirSync(ada);
  mkdirSync(environment.HOME as string);

  say('A repository with a trained model (scikit-learn, ONNX, safetensors) and the data it was trained on.');
  await run(ada, 'git', 'init', '--quiet', '--initial-branch=main');
  cpSync(join(project, 'fixtures', 'data'), join(ada, 'data'), { recursive: true });
  cpSync(join(project, 'fixtures', 'models'), join(ada, 'models'), { recursive: true });

  say('mlv keeps what is too large for Git: one pointer file a target goes into Git instead.');
  await run(ada, 'mlv', 'init');
  await run(ada, 'mlv', 'add', '--stage', 'data', 'models/model.pkl', 'models/model.onnx', 'models/model.safetensors');
  await run(ada, 'git', 'add', '--all');
  await run(ada, 'git', 'commit', '--quiet', '--message', 'Track the data and the models');
  process.stdout.write(`$ cat data.mlv\n${readFileSync(join(ada, 'data.mlv'), 'utf8')}`);

  say('The objects go to a remote: here a directory (a disk, NFS).');
  await run(ada, 'mlv', 'remote', 'add', 'storage', join(base, 'storage'));
  await run(ada, 'git', 'add', 'mlv.yaml');
  await run(ada, 'git', 'commit', '--quiet', '--message', 'Say where the data is');
  await run(ada, 'mlv', 'push');

  say('A colleague clones the repository and pulls: the same bytes.');
  await run(base, 'git', 'clone', '--quiet', ada, bob);
  await run(bob, 'mlv', 'status');
  await run(bob, 'mlv', 'pull');
  compare(ada, bob);

  say('One image and one row change. Status and diff name the files; a push sends only what is new.');
  cpSync(join(project, 'fixtures', 'v2', 'data'), join(ada, 'data'), { recursive: true });
  cpSync(join(project, 'fixtures', 'v2', 'models'), join(ada, 'models'), { recursive: true });
  await run(ada, 'mlv', 'status');
  await run(ada, 'mlv', 'add', '--stage', 'data', 'models/model.pkl', 'models/model.onnx', 'models/model.safetensors');
  await run(ada, 'git', 'commit', '--quiet', '--all', '--message', 'Correct row 137, train again');
  await run(ada, 'mlv', 'diff', 'HEAD~1', 'HEAD');
  await run(ada, 'mlv', 'push');
  await run(bob, 'git', 'pull', '--quiet');
  await run(bob, 'mlv', 'pull');
  compare(ada, bob);

  say('The same on S3. A server of its own is started for this demo; yours is AWS or anything that speaks S3.');
  const server = await startS3Server();
  try {
    const bucket = await server.createBucket();
    const cloud = ['--endpoint', server.endpoint, '--region', server.region, '--path-style'];
    // Credentials come from where AWS tools look, here the environment; none is written to a file.
    Object.assign(environment, {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    });
    await run(ada, 'mlv', 'remote', 'add', 'cloud', `s3://${bucket}/team`, ...cloud);
    await run(ada, 'git', 'commit', '--quiet', '--all', '--message', 'A second remote');
    await run(ada, 'mlv', 'push', '--remote', 'cloud');
    await run(ada, 'mlv', 'push', '--remote', 'cloud');
    await run(base, 'git', 'clone', '--quiet', ada, carol);
    await run(carol, 'mlv', 'pull', '--remote', 'cloud');
    compare(ada, carol);
    await run(carol, 'mlv', 'fsck', '--remote', 'cloud');
  } finally {
    await server.stop();
  }
  say('Done: one history in Git, two remotes, three working copies, and every byte the same.');
}

main()
  .catch((error: unknown) => {
    process.stderr.write(`\ndemo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  })
  .finally(() => rmSync(base, { recursive: true, force: true }));
