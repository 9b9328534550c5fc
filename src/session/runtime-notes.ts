/** One line for programs whose language keeps a heap of its own: what malloc doesn't show, and what does. */
import { basename } from "node:path";

interface Runtime {
  /** Matches the file name of the binary. */
  readonly binary: RegExp;
  readonly note: string;
}

const RUNTIMES: readonly Runtime[] = [
  {
    binary: /^(node|nodejs|deno|bun|electron)$/,
    note: "JavaScript objects are not in malloc: edleak sees buffers and native modules. For the JavaScript heap take heap snapshots (node --heapsnapshot-signal=SIGUSR2).",
  },
  {
    binary: /^java$/,
    note: "Java objects are not in malloc: edleak sees the JVM's own and native memory. For the Java heap use jcmd PID GC.class_histogram.",
  },
  {
    binary: /^(dotnet|mono|mono-sgen)$/,
    note: ".NET objects are not in malloc: edleak sees the runtime's own and native memory. For the managed heap use dotnet-gcdump.",
  },
  {
    binary: /^python\d*(\.\d+)*$/,
    note: "Small Python objects lie in pymalloc's arenas: edleak sees the arenas. Run with PYTHONMALLOC=malloc to see each object.",
  },
  {
    binary: /^ruby\d*(\.\d+)*$/,
    note: "Ruby objects lie in the interpreter's own heap pages: edleak sees the pages. For objects use ObjectSpace.dump_all.",
  },
];

/** The sentence for a binary's runtime, null when it has none. */
export const runtimeNote = (binary: string): string | null =>
  RUNTIMES.find((runtime) => runtime.binary.test(basename(binary)))?.note ?? null;
