/** The schema in docs/formats names what the contract names, no more and no less, and describes all of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REPORT_SCHEMA } from "../contract/report.js";
import { LOSSES } from "../contract/segment.js";
import { PROCESS_STATES, STATES } from "../contract/verdict.js";

interface Node {
  readonly description?: string;
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Node;
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly $defs?: Readonly<Record<string, Node>>;
}

const path = join(import.meta.dirname, "../../docs/formats/report.schema.json");
const schema: Node = JSON.parse(readFileSync(path, "utf8"));
const definition = (name: string): Node => schema.$defs?.[name] ?? {};

/** Every place of the schema with its path. */
function nodes(node: Node, at = ""): [string, Node][] {
  const below = [
    ...Object.entries(node.properties ?? {}),
    ...Object.entries(node.$defs ?? {}),
    ...(node.items === undefined ? [] : [["[]", node.items] as const]),
  ];
  return [[at, node], ...below.flatMap(([name, child]) => nodes(child, `${at}/${name}`))];
}

describe("report.schema.json", () => {
  test("describes every field and lets no other in", () => {
    const all = nodes(schema);
    expect(all.length).toBeGreaterThan(80);
    for (const [at, node] of all) {
      if (node.$ref !== undefined) continue;
      expect(node.description?.length ?? 0, `description of ${at}`).toBeGreaterThan(8);
      if (node.properties === undefined) continue;
      expect(node.additionalProperties, `additionalProperties of ${at}`).toBe(false);
    }
  });

  test("requires every field, but for names, lines and losses that are not known or did not occur", () => {
    const optional = nodes(schema).flatMap(([at, node]) =>
      Object.keys(node.properties ?? {})
        .filter((name) => !node.required?.includes(name))
        .map((name) => `${at}/${name}`),
    );
    expect(optional).toEqual([
      "/frame/function",
      "/frame/file",
      "/frame/line",
      ...LOSSES.map((loss) => `/coverage/lost/${loss.name}`),
    ]);
  });

  test("has the contract's version, states and reasons of loss", () => {
    expect(schema.properties?.edleak?.properties?.schema?.const).toBe(REPORT_SCHEMA);
    expect(definition("verdict").properties?.state?.enum).toEqual(STATES);
    expect(definition("process").properties?.verdict?.properties?.state?.enum).toEqual(
      PROCESS_STATES,
    );
    const byState = definition("totals").properties?.byState?.properties ?? {};
    expect(Object.keys(byState)).toEqual([...STATES]);
  });
});
