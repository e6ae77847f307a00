import { createHash, hash as hashOnce } from 'node:crypto';
import { createRequire } from 'node:module';
import { MlvError } from '../core/errors.js';
import type { Algorithm } from './oid.js';

/** An incremental hash of one stream of bytes. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The 32-byte digest; the hasher is not used afterwards. */
  digest(): Buffer;
}

/** One algorithm in one implementation. Every implementation of an algorithm gives the same digests. */
export interface HashFunction {
  readonly algorithm: Algorithm;
  /** Which code computes it: the native binding, WebAssembly, or the OpenSSL inside Node. */
  readonly implementation: 'native' | 'wasm' | 'openssl';
  /** The 32-byte digest of `bytes`. */
  digest(bytes: Uint8Array): Buffer;
  create(): Hasher;
}

/** `auto` takes the native binding where one loads for this platform, and WebAssembly elsewhere. */
export type HashPreference = 'auto' | 'native' | 'wasm';

/**
 * Loads the hash function of an algorithm. BLAKE3 follows the BLAKE3 specification (github.com/BLAKE3-team/BLAKE3-specs),
 * SHA-256 is FIPS 180-4 through Node's OpenSSL. Error: `HASH_UNAVAILABLE` when `native` is asked for and does not load.
 */
export async function loadHash(algorithm: Algorithm, preference: HashPreference = 'auto'): Promise<HashFunction> {
  if (algorithm === 'sha256') return sha256();
  if (preference !== 'wasm') {
    const native = loadNativeBlake3(preference === 'native');
    if (native) return native;
  }
  return loadWasmBlake3();
}

function sha256(): HashFunction {
  return {
    algorithm: 'sha256',
    implementation: 'openssl',
    digest: (bytes) => hashOnce('sha256', bytes, 'buffer') as unknown as Buffer,
    create: () => {
      const hasher = createHash('sha256');
      return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digest() };
    },
  };
}

interface NativeBinding {
  blake3UrlSafeBase64(input: Uint8Array): string;
  Blake3Hasher: new () => { update(input: Uint8Array): unknown; digestBuffer(): Buffer };
}

function loadNativeBlake3(required: boolean): HashFunction | undefined {
  let binding: NativeBinding;
  try {
    binding = requireBlake3();
  } catch (cause) {
    if (!required) return undefined;
    throw new MlvError('HASH_UNAVAILABLE', 'the native BLAKE3 binding does not load on this platform', {
      cause,
      hint: 'use the portable one: mlv config set core.hash-implementation wasm (slower, same results)',
    });
  }
  return {
    algorithm: 'blake3',
    implementation: 'native',
    // As a text: for a buffer the binding allocates half a KiB outside of Node's pool, twice the time for a small file.
    digest: (bytes) => Buffer.from(binding.blake3UrlSafeBase64(bytes), 'base64url'),
    create: () => {
      const hasher = new binding.Blake3Hasher();
      return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digestBuffer() };
    },
  };
}

/**
 * The binding of this platform. To tell one C library from another, the package's own loader has Node write a report of
 * the process, which takes longer than all the rest: on Linux, the binding for the usual one is tried first.
 */
function requireBlake3(): NativeBinding {
  const require = createRequire(import.meta.url);
  const { platform, arch } = process;
  if (platform === 'linux' && (arch === 'x64' || arch === 'arm64')) {
    try {
      const ofPackage = createRequire(require.resolve('@napi-rs/blake-hash'));
      return ofPackage(`@napi-rs/blake-hash-linux-${arch}-gnu`) as NativeBinding;
    } catch {
      // Another C library: the loader finds its binding, or says why there is none.
    }
  }
  return require('@napi-rs/blake-hash') as NativeBinding;
}

async function loadWasmBlake3(): Promise<HashFunction> {
  const { createBLAKE3 } = await import('hash-wasm');
  const engine = await createBLAKE3();
  let owner: WasmHasher | undefined;

  // One WebAssembly instance serves all streams: whoever comes next parks the state of the one before.
  class WasmHasher implements Hasher {
    state: Uint8Array | undefined;

    private enter(): void {
      if (owner === this) return;
      if (owner) owner.state = engine.save();
      if (this.state) engine.load(this.state);
      else engine.init();
      owner = this;
    }

    update(bytes: Uint8Array): void {
      this.enter();
      engine.update(bytes);
    }

    digest(): Buffer {
      this.enter();
      const result = Buffer.from(engine.digest('binary'));
      owner = undefined;
      return result;
    }
  }

  const create = (): Hasher => new WasmHasher();
  return {
    algorithm: 'blake3',
    implementation: 'wasm',
    create,
    digest: (bytes) => {
      const hasher = create();
      hasher.update(bytes);
      return hasher.digest();
    },
  };
}
