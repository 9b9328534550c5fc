/** Mangled C++ and Rust names to readable ones; every other name stays as it is. */
import { DemangleWasm } from "./demangle-wasm.js";

/** Longest name that is demangled, in bytes; a longer one stays mangled. */
export const MANGLED_LIMIT_BYTES = 8 * 1024;
/** Longest readable name; more is cut. */
const READABLE_LIMIT = 16 * 1024;
const CACHE_LIMIT = 50_000;

/** Itanium C++ and legacy Rust begin with _Z, Rust v0 with _R. The library would also guess at others. */
const MANGLED = /^_[ZR]/;

/** Demangles with a cache. One instance per host is enough: `Demangler.shared()`. */
export class Demangler {
  static #shared: Promise<Demangler> | undefined;
  readonly #wasm: DemangleWasm | null;
  readonly #cache = new Map<string, string>();

  private constructor(wasm: DemangleWasm | null) {
    this.#wasm = wasm;
  }

  /** Loads the demangler at the first call; without its library all names stay mangled. */
  static shared(): Promise<Demangler> {
    Demangler.#shared ??= DemangleWasm.load().then(
      (wasm) => new Demangler(wasm),
      () => new Demangler(null),
    );
    return Demangler.#shared;
  }

  /** The readable form, or `name` itself when it is no mangled name, too long or too deep. */
  demangle(name: string): string {
    if (this.#wasm === null || !MANGLED.test(name)) return name;
    if (name.length > MANGLED_LIMIT_BYTES) return name;
    const known = this.#cache.get(name);
    if (known !== undefined) return known;
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
    const readable = demangleWith(this.#wasm, name);
    this.#cache.set(name, readable);
    return readable;
  }
}

function demangleWith(wasm: DemangleWasm, name: string): string {
  try {
    const readable = wasm.demangle(name);
    // For an invalid name the library returns it without its first underscore.
    if (readable === name.slice(1)) return name;
    return readable.length > READABLE_LIMIT ? `${readable.slice(0, READABLE_LIMIT)}...` : readable;
  } catch {
    return name;
  }
}
