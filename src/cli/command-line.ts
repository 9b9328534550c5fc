/** From process.argv to what is to be done: the parser is built from the tables of contract/options.ts. */
import { Command, CommanderError, Option } from "commander";
import { edleakError } from "../base/edleak-error.js";
import {
  COMMANDS,
  type CommandSpec,
  type OptionSpec,
  RUN_OPTIONS,
  type RunOptions,
} from "../contract/options.js";
import { readRunOptions } from "./option-values.js";

/** What the user asks for. */
export type Request =
  | {
      readonly command: "run";
      readonly options: RunOptions;
      /** The program and its arguments, as text: for display only. */
      readonly program: readonly string[];
      /** Where in process.argv the program stands. */
      readonly programIndex: number;
    }
  | { readonly command: "doctor" | "agent" | "env" }
  /** Help or version: print it and end well. */
  | { readonly command: "print"; readonly text: string };

const flags = (spec: OptionSpec): string =>
  spec.placeholder === "" ? spec.flag : `${spec.flag} <${spec.placeholder}>`;

function toOption(spec: OptionSpec): Option {
  const option = new Option(flags(spec), spec.doc);
  return spec.default === null ? option : option.default(spec.default);
}

/** A command that throws instead of printing and ending the process. */
function quiet(command: Command, printed: (text: string) => void): Command {
  return command.exitOverride().configureOutput({ writeOut: printed, writeErr: () => {} });
}

function define(spec: CommandSpec, printed: (text: string) => void): Command {
  const command = quiet(new Command(spec.name), printed).description(spec.doc);
  if (spec.name !== "run") return command;
  command.usage(spec.usage).argument("[program...]").passThroughOptions();
  for (const option of Object.values(RUN_OPTIONS)) command.addOption(toOption(option));
  // The argument is named in the usage; a section of its own would say nothing.
  return command.configureHelp({ visibleArguments: () => [] });
}

/** Turns commander's refusal into ours. */
function refusal(error: CommanderError, command: string): Error {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  switch (error.code) {
    case "commander.unknownOption":
      return edleakError("UNKNOWN_OPTION", quoted, command);
    case "commander.unknownCommand":
      return edleakError("UNKNOWN_COMMAND", quoted);
    case "commander.excessArguments":
      return edleakError("UNEXPECTED_ARGUMENT", lastArgument(), command);
    case "commander.optionMissingArgument": {
      const [flag = "", placeholder = ""] = quoted.split(" ");
      return edleakError(
        "VALUE_MISSING",
        flag,
        `a ${placeholder.replace(/[<>]/g, "").toLowerCase()}`,
      );
    }
    default:
      return error;
  }
}

const lastArgument = (): string => process.argv.at(-1) ?? "";

/**
 * Reads the command line; throws an EdLeakError on anything that isn't right.
 * @param argv as process.argv: Node, the script, then what was typed
 * @param version what `--version` prints
 */
export function parseCommandLine(argv: readonly string[], version: string): Request {
  let text = "";
  let request: Request | null = null;
  const printed = (more: string): void => {
    text += more;
  };
  const program = quiet(new Command("edleak"), printed)
    .description("Finds the line that leaks in a native Linux process nobody recompiled.")
    .version(version, "--version", "print the version")
    .enablePositionalOptions();
  for (const spec of COMMANDS) {
    program.addCommand(
      define(spec, printed).action(() => {
        request = requestOf(spec.name, program, argv);
      }),
    );
  }
  if (argv.length <= 2) return { command: "print", text: program.helpInformation() };
  try {
    program.parse([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw refusal(error, argv[2] ?? "");
  }
  return request ?? { command: "print", text };
}

function requestOf(name: string, parent: Command, argv: readonly string[]): Request {
  if (name === "doctor" || name === "agent" || name === "env") return { command: name };
  const run = parent.commands.find((command) => command.name() === "run");
  const program = run?.args ?? [];
  const options = readRunOptions(run?.opts() ?? {});
  if (program.length === 0) throw edleakError("NOTHING_TO_RUN");
  return { command: "run", options, program, programIndex: argv.length - program.length };
}
