/** Test helper: a seeded stream of whole numbers, so that a failing example is one number. */

/** Returns a function that gives numbers from 0 to 2^31 - 1 (xorshift32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 1;
  };
}
