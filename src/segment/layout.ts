/** Field offsets by name, from the contract's structures, and the few ways to read a field. */
import {
  ALLOCER,
  CONTROL,
  EVIDENCE,
  HEADER,
  LINE,
  MODULE,
  SHARD,
  type Struct,
} from "../contract/segment.js";

const TWO_32 = 2 ** 32;

/** Looks offsets up once, at load; an unknown name is a bug here, not in the file. */
function fieldsOf(struct: Struct): (name: string) => number {
  const offsets = new Map(struct.fields.map((field) => [field.name, field.offset]));
  return (name) => {
    const offset = offsets.get(name);
    if (offset === undefined) throw new Error(`${struct.name} has no field ${name}`);
    return offset;
  };
}

export const header = fieldsOf(HEADER);
export const control = fieldsOf(CONTROL);
export const shard = fieldsOf(SHARD);
export const line = fieldsOf(LINE);
export const allocer = fieldsOf(ALLOCER);
export const evidence = fieldsOf(EVIDENCE);
export const module = fieldsOf(MODULE);

/** A u64 as a number: exact below 2^53, rounded above. */
export const readU64 = (bytes: Buffer, offset: number): number =>
  bytes.readUInt32LE(offset + 4) * TWO_32 + bytes.readUInt32LE(offset);

/** A char field: up to its NUL, at most its length. */
export function readText(bytes: Buffer, offset: number, length: number): string {
  const end = bytes.subarray(offset, offset + length).indexOf(0);
  return bytes.toString("utf8", offset, offset + (end < 0 ? length : end));
}
