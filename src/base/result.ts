/** Expected failure of untrusted input: a value or a tagged reason, never an exception. */

export type Result<T, R> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: R };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const refused = <R>(reason: R): { readonly ok: false; readonly reason: R } => ({
  ok: false,
  reason,
});
