import { existsSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { redactUrl } from '../core/redact.js';
import type { Environment } from './environment.js';

const SMALL_FILE = 64 * 1024;

/** Variables by which build systems and clusters tell the image that a job runs in. */
const IMAGE_VARIABLES = ['MLV_CONTAINER_IMAGE', 'CONTAINER_IMAGE', 'CI_JOB_IMAGE', 'DOCKER_IMAGE', 'SINGULARITY_NAME'];

/** The parts that the operating system tells at once. */
export function probeMachine(env: NodeJS.ProcessEnv): Environment {
  const processors = cpus();
  const model = processors[0]?.model.trim();
  const container = probeContainer(env);
  return {
    os: distribution(textOf('/etc/os-release')) ?? type(),
    kernel: `${type()} ${release()}`,
    ...(model ? { cpu: model } : {}),
    cores: processors.length,
    memory: totalmem(),
    ...(container === undefined ? {} : { container }),
  };
}

function distribution(osRelease: string | undefined): string | undefined {
  const name = /^PRETTY_NAME=(?:"([^"\n]*)"|([^"\n]*))$/m.exec(osRelease ?? '');
  return name?.[1] ?? name?.[2];
}

/** By the marks that container engines leave: a file at the root, the control group of the first process, variables. */
function probeContainer(env: NodeJS.ProcessEnv): string | undefined {
  const kind = containerKind(env);
  if (kind === undefined) return undefined;
  const podman = /^image="([^"\n]+)"$/m.exec(textOf('/run/.containerenv') ?? '')?.[1];
  const image = podman ?? IMAGE_VARIABLES.map((name) => env[name]).find((value) => value);
  return image === undefined ? kind : `${kind} ${redactUrl(image).slice(0, 512)}`;
}

function containerKind(env: NodeJS.ProcessEnv): string | undefined {
  if (env.KUBERNETES_SERVICE_HOST) return 'kubernetes';
  if (env.SINGULARITY_CONTAINER || env.APPTAINER_CONTAINER) return 'apptainer';
  if (existsSync('/run/.containerenv')) return 'podman';
  if (existsSync('/.dockerenv')) return 'docker';
  return controlGroupKind(textOf('/proc/1/cgroup'));
}

function controlGroupKind(groups: string | undefined): string | undefined {
  if (groups === undefined) return undefined;
  return ['kubepods', 'docker', 'containerd', 'libpod', 'lxc'].find((name) => groups.includes(name));
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').slice(0, SMALL_FILE);
  } catch {
    // Not this system, or not for this user.
    return undefined;
  }
}
