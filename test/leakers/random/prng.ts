/** Random numbers that are the same for the same seed on every machine. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 0 <= result < 2^32 (xorshift, 32 bits). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + (this.next() % (high - low + 1));
  }

  /** A whole number, small ones as often as big ones by order of magnitude. */
  logBetween(low: number, high: number): number {
    const unit = this.next() / 2 ** 32;
    return Math.round(low * (high / low) ** unit);
  }

  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.next() % from.length];
    if (picked === undefined) throw new Error("Nothing to pick from");
    return picked;
  }
}
