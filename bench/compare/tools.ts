import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, must } from '../context.js';
import type { Command } from '../measure.js';
import type { CompareServer } from './server.js';

/** Where a tool works in one sequence of jobs. */
export interface Scene {
  context: Context;
  server: CompareServer;
  /** The directory that is sent, `data` below a Git repository of mlv's. */
  repository: string;
  /** A directory of this tool's own on the receiving side; what came is in `data` below it. */
  received: string;
  /** A prefix in the bucket that nobody used before. */
  prefix: string;
}

/** One of the jobs: the first version or the one after it, up or down. */
export type Way = 'up' | 'down';

/** A tool in the comparison. */
export interface Tool {
  name: string;
  /** The program that has to be on the PATH. */
  program: string;
  /** What gives the tool's version. */
  version: readonly string[];
  /** True when it stores one object for each file. */
  objectPerFile: boolean;
  /** The tool of which this is another setting: it takes what that one sent, and sends nothing. */
  variantOf?: string;
  /** What is not measured: before the first job. */
  prepare?(scene: Scene): void;
  /** What is not measured: between a job's up and its down. */
  handOver?(scene: Scene, second: boolean): void;
  /** The commands that do a job, one after the other; all of them are measured. */
  commands(scene: Scene, job: { way: Way; second: boolean }): Command[];
}

/** Requests at once, where a tool asks how many; mlv and s5cmd find out by themselves. */
const AT_ONCE = '32';

const mlv: Tool = {
  name: 'mlv',
  program: 'git',
  version: [],
  objectPerFile: false,
  handOver({ context, repository, received }, second) {
    const env = identity();
    must(context.program(repository, ['git', 'add', '--all', '.'], env));
    // Two settings hand the same version over.
    must(context.program(repository, ['git', 'commit', '--quiet', '--allow-empty', '--message', 'a version'], env));
    if (second) must(context.program(received, ['git', 'pull', '--quiet'], env));
    else must(context.program(context.directory, ['git', 'clone', '--quiet', repository, received], env));
  },
  commands({ context, server, repository, received, prefix }, { way }) {
    const env = {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      MLV_CORE_REMOTE: 'bench',
      MLV_REMOTE_BENCH_URL: `s3://${server.bucket}/${prefix}`,
      MLV_REMOTE_BENCH_ENDPOINT: server.endpoint,
      MLV_REMOTE_BENCH_REGION: server.region,
    };
    if (way === 'down') return [context.mlv(received, ['pull'], env)];
    return [context.mlv(repository, ['add', 'data'], env), context.mlv(repository, ['push'], env)];
  },
};

/** Down only: with one copy of the bytes on the disk, as every other tool leaves them. */
const hardLinks: Tool = {
  ...mlv,
  name: 'mlv, hard links',
  variantOf: mlv.name,
  commands(scene, job) {
    if (job.way === 'up') return [];
    return mlv.commands(scene, job).map((each) => ({ ...each, env: { ...each.env, MLV_CACHE_LINK: 'hardlink' } }));
  },
};

const s5cmd: Tool = {
  name: 's5cmd',
  program: 's5cmd',
  version: ['version'],
  objectPerFile: true,
  commands(scene, { way, second }) {
    const [from, to] = [`${join(scene.repository, 'data')}/`, `${join(scene.received, 'data')}/`];
    const place = `s3://${scene.server.bucket}/${scene.prefix}/`;
    const verb = second ? 'sync' : 'cp';
    return [command(scene, ['s5cmd', '--log', 'error', verb, ...(way === 'up' ? [from, place] : [`${place}*`, to])])];
  },
};

const rclone: Tool = {
  name: 'rclone',
  program: 'rclone',
  version: ['version'],
  objectPerFile: true,
  commands(scene, { way }) {
    const [from, to] = [join(scene.repository, 'data'), join(scene.received, 'data')];
    const place = `bench:${scene.server.bucket}/${scene.prefix}`;
    const many = ['--transfers', AT_ONCE, '--checkers', AT_ONCE, '--s3-no-check-bucket'];
    return [command(scene, ['rclone', 'copy', ...many, ...(way === 'up' ? [from, place] : [place, to])])];
  },
};

const aws: Tool = {
  name: 'aws CLI',
  program: 'aws',
  version: ['--version'],
  objectPerFile: true,
  commands(scene, { way, second }) {
    const [from, to] = [join(scene.repository, 'data'), join(scene.received, 'data')];
    const place = `s3://${scene.server.bucket}/${scene.prefix}`;
    // Down, files of the same size count as the same unless their times are to be compared exactly.
    const exact = way === 'down' ? ['--exact-timestamps'] : [];
    const verb = second ? ['sync', ...exact] : ['cp', '--recursive'];
    return [
      command(scene, ['aws', 's3', ...verb, '--only-show-errors', ...(way === 'up' ? [from, place] : [place, to])]),
    ];
  },
};

const restic: Tool = {
  name: 'restic',
  program: 'restic',
  version: ['version'],
  objectPerFile: false,
  prepare(scene) {
    must(command(scene, ['restic', 'init', '--quiet']));
  },
  commands(scene, { way }) {
    const parallel = ['-o', `s3.connections=${AT_ONCE}`, '--quiet'];
    if (way === 'up') return [command(scene, ['restic', 'backup', ...parallel, 'data'], scene.repository)];
    // What is restored is another machine's, whose cache knows what it restored before.
    const cache = ['--cache-dir', join(scene.context.directory, 'restic-cache-received')];
    return [command(scene, ['restic', 'restore', 'latest', ...parallel, ...cache, '--target', scene.received])];
  },
};

/** The tools in the order of the table's columns. */
export const TOOLS: readonly Tool[] = [mlv, hardLinks, s5cmd, rclone, aws, restic];

/** A command of another tool, with all that any of them has to know of the server. */
function command(scene: Scene, argv: readonly string[], cwd = scene.context.directory): Command {
  return scene.context.program(cwd, argv, environment(scene));
}

function environment({ context, server, prefix }: Scene): NodeJS.ProcessEnv {
  const config = join(context.directory, 'aws-config');
  mkdirSync(context.directory, { recursive: true });
  writeFileSync(config, `[default]\ns3 =\n  max_concurrent_requests = ${AT_ONCE}\n`);
  return {
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_REGION: server.region,
    AWS_DEFAULT_REGION: server.region,
    AWS_CONFIG_FILE: config,
    S3_ENDPOINT_URL: server.endpoint,
    RCLONE_CONFIG: join(context.directory, 'rclone.conf'),
    RCLONE_CONFIG_BENCH_TYPE: 's3',
    RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
    RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: server.accessKeyId,
    RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: server.secretAccessKey,
    RCLONE_CONFIG_BENCH_ENDPOINT: server.endpoint,
    RCLONE_CONFIG_BENCH_REGION: server.region,
    RESTIC_REPOSITORY: `s3:${server.endpoint}/${server.bucket}/${prefix}`,
    RESTIC_PASSWORD: 'the same for everybody',
    RESTIC_CACHE_DIR: join(context.directory, 'restic-cache'),
  };
}

function identity(): NodeJS.ProcessEnv {
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'commit.gpgsign', GIT_CONFIG_VALUE_0: 'false' };
}
