/** Constants of the ELF format (System V gABI and its GNU extensions) that this folder uses. */

export const ELF = {
  /** 0x7f "ELF", read big-endian. */
  MAGIC: 0x7f454c46,
  IDENT_SIZE: 16,
  HEADER_SIZE: 64,
  PROGRAM_SIZE: 56,
  SECTION_SIZE: 64,
  SYMBOL_SIZE: 24,
  DYNAMIC_SIZE: 16,
  CLASS_64: 2,
  DATA_LITTLE: 1,
  ET_EXEC: 2,
  ET_DYN: 3,
  PT_LOAD: 1,
  PT_DYNAMIC: 2,
  PT_INTERP: 3,
  PT_NOTE: 4,
  SHT_NOTE: 7,
  SHT_NOBITS: 8,
  DT_NEEDED: 1,
  DT_STRTAB: 5,
  DT_STRSZ: 10,
  SHN_UNDEF: 0,
  SHN_LORESERVE: 0xff00,
  SHN_XINDEX: 0xffff,
  STT_FUNC: 2,
  STT_GNU_IFUNC: 10,
  STB_LOCAL: 0,
  STB_GLOBAL: 1,
  STB_WEAK: 2,
  NT_GNU_BUILD_ID: 3,
} as const;

/** The machines edleak runs on, by e_machine. */
export const MACHINES: ReadonlyMap<number, "x86-64" | "aarch64"> = new Map([
  [62, "x86-64"],
  [183, "aarch64"],
]);

const FOREIGN_MACHINES: ReadonlyMap<number, string> = new Map([
  [3, "x86"],
  [8, "MIPS"],
  [20, "PowerPC"],
  [21, "PowerPC"],
  [22, "s390"],
  [40, "ARM"],
  [62, "x86-64"],
  [183, "aarch64"],
  [243, "RISC-V"],
  [258, "LoongArch"],
]);

const TWO_TO_32 = 0x1_0000_0000;

/** A 64-bit field as a number: above 2^53 only its size is right, so compare it, never trust it. */
export function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_TO_32;
}

/** "32-bit ARM", "64-bit big-endian PowerPC": what an ELF header of `HEADER_SIZE` bytes is of. */
export function describeForeign(header: Buffer): string {
  const big = header[5] !== ELF.DATA_LITTLE;
  const machine = big ? header.readUInt16BE(18) : header.readUInt16LE(18);
  const bits = header[4] === ELF.CLASS_64 ? "64-bit" : "32-bit";
  const name = FOREIGN_MACHINES.get(machine) ?? `machine ${machine}`;
  return `${bits}${big ? " big-endian" : ""} ${name}`;
}
