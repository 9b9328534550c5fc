/**
 * The demangler's WebAssembly instance, with a ceiling on its memory.
 *
 * A mangled name of 200 bytes can stand for gigabytes: every substitution may double the text. With
 * the ceiling such a name traps early and always at the same point, and a new instance takes over.
 * The package's own entry needs a loader flag on Node 20 and has no ceiling, so only its .wasm is
 * used; the few lines of its calling convention are here.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const MEMORY_LIMIT_PAGES = 128; // 8 MiB; real names of 8 KiB need less than 2
const MEMORY_SECTION = 5;
const WASM_HEADER_SIZE = 8;

/** Neither ES2023 nor Node's types declare WebAssembly; this much of it is used. */
declare const WebAssembly: {
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: unknown };
};

interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly __wbindgen_malloc: (size: number, align: number) => number;
  readonly __wbindgen_free: (pointer: number, size: number, align: number) => void;
  readonly demangle_any: (pointer: number, size: number) => readonly [number, number];
}

/** Demangles one name; throws when the name needs more memory than allowed. */
export class DemangleWasm {
  readonly #module: WasmModule;
  #exports: Exports;

  private constructor(module: WasmModule) {
    this.#module = module;
    this.#exports = this.#instantiate();
  }

  /** Compiles the module; rejects when the package is missing or not what it was. */
  static async load(): Promise<DemangleWasm> {
    const path = createRequire(import.meta.url).resolve("gecko-profiler-demangle/index_bg.wasm");
    const bytes = withMemoryLimit(await readFile(path), MEMORY_LIMIT_PAGES);
    return new DemangleWasm(await WebAssembly.compile(bytes));
  }

  demangle(name: string): string {
    try {
      return this.#call(Buffer.from(name, "utf8"));
    } catch (error) {
      this.#exports = this.#instantiate();
      throw error;
    }
  }

  #call(input: Buffer): string {
    const wasm = this.#exports;
    const at = wasm.__wbindgen_malloc(input.length, 1) >>> 0;
    new Uint8Array(wasm.memory.buffer).set(input, at);
    const [pointer, size] = wasm.demangle_any(at, input.length);
    const text = Buffer.from(wasm.memory.buffer, pointer >>> 0, size).toString("utf8");
    wasm.__wbindgen_free(pointer, size, 1);
    return text;
  }

  #instantiate(): Exports {
    // The table of references to JavaScript objects stays unused: only text crosses.
    const glue = { __wbindgen_init_externref_table: (): void => {} };
    const instance = new WebAssembly.Instance(this.#module, { "./index_bg.js": glue });
    return instance.exports as Exports;
  }
}

/** A copy of a module whose one memory cannot grow beyond `pages` pages of 64 KiB. */
function withMemoryLimit(module: Buffer, pages: number): Uint8Array {
  let at = WASM_HEADER_SIZE;
  while (at < module.length) {
    const body = readLeb(module, at + 1);
    const end = body.next + body.value;
    if (module[at] === MEMORY_SECTION) {
      const initial = readLeb(module, body.next + 2);
      const limits = [1, 1, ...leb(initial.value), ...leb(Math.max(pages, initial.value))];
      const section = [MEMORY_SECTION, ...leb(limits.length), ...limits];
      return Uint8Array.from([...module.subarray(0, at), ...section, ...module.subarray(end)]);
    }
    at = end;
  }
  throw new Error("The demangler has no memory of its own");
}

function readLeb(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let shift = 0, next = at; next < bytes.length; shift += 7) {
    const byte = bytes[next++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next };
  }
  throw new Error("The demangler's module is cut short");
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
