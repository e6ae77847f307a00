import { redactUrl } from '../core/redact.js';

/** Variables that decide results of a training: seeds, devices, threads, determinism, language. */
const RECORDED = [
  'PYTHONHASHSEED',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'CUBLAS_WORKSPACE_CONFIG',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_TF32_OVERRIDE',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
  'TF_DETERMINISTIC_OPS',
  'TF_CUDNN_DETERMINISTIC',
  'TF_ENABLE_ONEDNN_OPTS',
  'TF_XLA_FLAGS',
  'XLA_FLAGS',
  'JAX_ENABLE_X64',
  'PYTORCH_CUDA_ALLOC_CONF',
  'TOKENIZERS_PARALLELISM',
  'WORLD_SIZE',
  'RANK',
  'LOCAL_RANK',
  'LANG',
  'LC_ALL',
  'TZ',
] as const;

const SECRET_NAME = /TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|COOKIE|PRIVATE|(?:^|_)KEY(?:_|$)|API_?KEY|ACCESS_?KEY/i;
const VALUE_LIMIT = 1024;

/**
 * The environment variables that a record holds: those known to decide results and those named in `more`, where they
 * are set. A name that sounds like a secret is never taken, and credentials in URLs are replaced by `***`.
 */
export function recordedVariables(env: NodeJS.ProcessEnv, more: readonly string[] = []): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of [...new Set<string>([...RECORDED, ...more])].sort()) {
    const value = env[name];
    if (value !== undefined && !SECRET_NAME.test(name)) found[name] = redactUrl(value).slice(0, VALUE_LIMIT);
  }
  return found;
}

/**
 * An environment in which the variables that decide results are as a record has them: those that it has are set, those
 * that it lacks are taken out, and all others are left. What a record names beside the known ones is passed over, as is a
 * value that was too long to be recorded whole.
 */
export function withRecordedVariables(
  env: NodeJS.ProcessEnv,
  recorded: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const result = { ...env };
  for (const name of RECORDED) {
    const value = Object.hasOwn(recorded, name) ? recorded[name] : undefined;
    if (typeof value !== 'string') delete result[name];
    else if (value.length < VALUE_LIMIT && !value.includes('\0')) result[name] = value;
  }
  return result;
}
