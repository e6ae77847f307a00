import { GEAR_TABLE } from './gear-table.js';
import { GEAR_WASM } from './gear-wasm.js';

/** Bytes that the gear hash looks back on: each byte is shifted out of the 64 bits by the 64 bytes after it. */
export const GEAR_WINDOW = 64;

/** Bytes a scanner takes at once; small enough that copying and scanning stay in the processor's cache. */
export const SCAN_BYTES = 256 * 1024;

/**
 * Finds the places in a stream of bytes where the gear hash (`h = (h << 1) + table[byte]` modulo 2^64) has all of its
 * topmost bits zero. Every implementation finds the same places.
 */
export interface GearScanner {
  readonly implementation: 'wasm' | 'js';
  /**
   * The places in the stream's next bytes, ascending, each as the number of these bytes up to and with the one that
   * completes the hash. Takes at most SCAN_BYTES; the result is valid until the next call of any scanner.
   */
  scan(bytes: Uint8Array): Uint32Array;
}

/** `auto` takes WebAssembly where the process has it (it has none under `node --jitless`), and JavaScript elsewhere. */
export type ScannerPreference = 'auto' | 'wasm' | 'js';

/**
 * A scanner for a stream of its own: a place is where the topmost `bits` (1 to 31) of the hash are zero. Throws a
 * RangeError when `wasm` is asked for and the process has none.
 */
export function createGearScanner(bits: number, preference: ScannerPreference = 'auto'): GearScanner {
  const wasm = preference === 'js' ? undefined : gearEngine();
  if (wasm) return createWasmScanner(bits, wasm);
  if (preference === 'wasm') throw new RangeError('this process has no WebAssembly');
  return createJsScanner(bits);
}

// Where gear-scan.wat keeps things in its memory.
const WASM_INPUT = 4096;
const WASM_FOUND = WASM_INPUT + SCAN_BYTES;

interface GearEngine {
  input: Uint8Array;
  found: Uint32Array;
  scan(length: number, hash: bigint, limit: bigint): [found: number, hash: bigint];
}

/** What is used of the global that the ES library's types do not describe. */
interface WebAssemblyGlobal {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer }; scan: GearEngine['scan'] } };
}

let engine: GearEngine | undefined;

/** One instance serves all scanners: a call leaves nothing in it that the next one needs. */
function gearEngine(): GearEngine | undefined {
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyGlobal };
  if (engine || !WebAssembly) return engine;
  const module = new WebAssembly.Module(Buffer.from(GEAR_WASM, 'base64'));
  const { memory, scan } = new WebAssembly.Instance(module).exports;
  const table = new DataView(memory.buffer);
  for (const [index, value] of GEAR_TABLE.entries()) table.setBigUint64(index * 8, value, true);
  engine = {
    input: new Uint8Array(memory.buffer, WASM_INPUT, SCAN_BYTES),
    found: new Uint32Array(memory.buffer, WASM_FOUND, SCAN_BYTES),
    scan,
  };
  return engine;
}

function createWasmScanner(bits: number, { input, found, scan }: GearEngine): GearScanner {
  const limit = 1n << BigInt(64 - bits);
  let hash = 0n;
  return {
    implementation: 'wasm',
    scan: (bytes) => {
      input.set(bytes);
      const [count, next] = scan(bytes.length, hash, limit);
      hash = next;
      return found.subarray(0, count);
    },
  };
}

function createJsScanner(bits: number): GearScanner {
  const tableLow = Int32Array.from(GEAR_TABLE, (value) => Number(BigInt.asIntN(32, value)));
  const tableHigh = Int32Array.from(GEAR_TABLE, (value) => Number(BigInt.asIntN(32, value >> 32n)));
  const found = new Uint32Array(SCAN_BYTES);
  const limit = 2 ** (32 - bits);
  let low = 0;
  let high = 0;
  return {
    implementation: 'js',
    scan: (bytes) => {
      let count = 0;
      for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at] as number;
        const addend = tableLow[byte] as number;
        const shifted = low << 1;
        const sum = (shifted + addend) | 0;
        // The carry of a 32-bit addition, without leaving 32-bit integers.
        const carry = ((shifted & addend) | ((shifted | addend) & ~sum)) >>> 31;
        high = (((high << 1) | (low >>> 31)) + (tableHigh[byte] as number) + carry) | 0;
        low = sum;
        if (high >>> 0 < limit) found[count++] = at + 1;
      }
      return found.subarray(0, count);
    },
  };
}
