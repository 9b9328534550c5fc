// The real programs of the quick benchmark: what to run, and the inputs they need, made once in a scratch folder.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A small pseudo-random generator, so that inputs are the same everywhere. */
function* numbers(seed) {
  let x = seed >>> 0;
  for (;;) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x;
  }
}

function makeJson(file) {
  const n = numbers(1);
  const rows = Array.from({ length: 60_000 }, (_, i) => ({
    id: i,
    name: `user ${n.next().value % 1000}`,
    tags: [`t${n.next().value % 10}`, `t${n.next().value % 10}`],
    score: n.next().value % 100,
  }));
  writeFileSync(file, JSON.stringify(rows));
}

function makeSql(file) {
  const n = numbers(2);
  const lines = ["create table t(id integer primary key, name text, score int);", "begin;"];
  for (let i = 0; i < 60_000; i++)
    lines.push(
      `insert into t values(${i}, 'name-${n.next().value % 9000}', ${n.next().value % 1000});`,
    );
  lines.push("commit;", "create index i on t(name);");
  for (let i = 0; i < 30; i++)
    lines.push(
      `select name, count(*), avg(score) from t where score > ${i * 10} group by name order by 2 limit 5;`,
    );
  writeFileSync(file, lines.join("\n"));
}

function makeRepository(folder) {
  const n = numbers(3);
  const text = () =>
    `${Array.from({ length: 400 }, (_, i) => `line ${i} ${n.next().value % 50}`).join("\n")}\n`;
  const out = [];
  for (let i = 0; i < 1500; i++) {
    const body = text();
    out.push(
      `commit refs/heads/main\ncommitter A <a@example.org> ${1_700_000_000 + i} +0000\ndata 4\nc${String(i % 1000).padStart(3, "0")}\n`,
    );
    out.push(`M 644 inline file${i % 7}.txt\ndata ${Buffer.byteLength(body)}\n${body}\n`);
  }
  mkdirSync(folder);
  execFileSync("git", ["init", "-q", "-b", "main", folder]);
  execFileSync("git", ["-C", folder, "fast-import", "--quiet"], { input: out.join("") });
}

const CPP = `#include <regex>
#include <map>
#include <iostream>
#include <functional>
int main(int c, char **v) { std::regex r("a+b"); std::map<std::string, std::function<int(int)>> m;
  m["x"] = [](int i) { return i; }; std::cout << std::regex_match(v[0], r) << m["x"](c); }
`;
const PERL = `my %h; for my $i (1..120000) { $h{"key".($i % 30000)} = [$i, "v$i"]; delete $h{"key".(($i*7) % 30000)}; }
my @s = sort map { "x$_" } 1..80000; print scalar(keys %h), scalar(@s), "\\n";
`;
const PYTHON = `d = {}
for i in range(220000):
    d["k%d" % (i % 40000)] = [i, str(i)]
    if i % 3 == 0: d.pop("k%d" % ((i * 7) % 40000), None)
print(len(d))
`;
const NODE = `const m = new Map(); for (let i = 0; i < 300000; i++) { m.set("k" + (i % 50000), { i, s: "v" + i }); }
const t = JSON.stringify([...m]); let n = 0; for (let i = 0; i < 6; i++) n += JSON.parse(t).length;
for (let i = 0; i < 40000; i++) Buffer.alloc(200 + (i % 900)); console.log(n);
`;

const which = (names) => names.find((name) => existsSync(name));

/**
 * @param {string} folder scratch folder, empty
 * @param {string} built folder with the benchmark's own programs
 * @returns programs {name, argv, env?, spread}: share by which two bare runs of it differ; 0 where totals must be equal
 */
export function realPrograms(folder, built) {
  const at = (name) => join(folder, name);
  makeJson(at("rows.json"));
  makeSql(at("load.sql"));
  makeRepository(at("repository"));
  writeFileSync(at("a.cc"), CPP);
  writeFileSync(at("a.pl"), PERL);
  writeFileSync(at("a.py"), PYTHON);
  writeFileSync(at("a.js"), NODE);
  const python = which(["/usr/bin/python3", "/usr/local/bin/python3"]);
  const all = [
    { name: "sqlite3", argv: ["sqlite3", ":memory:", `.read ${at("load.sql")}`], spread: 0 },
    { name: "containers", argv: [join(built, "containers")], spread: 0 },
    { name: "perl", argv: ["perl", at("a.pl")], env: { PERL_HASH_SEED: "0" }, spread: 0 },
    {
      name: "git log -p",
      argv: ["git", "-C", at("repository"), "--no-pager", "log", "-p"],
      spread: 0,
    },
    {
      name: "python3 (malloc)",
      argv: [python ?? "python3", "-S", at("a.py")],
      env: { PYTHONMALLOC: "malloc", PYTHONHASHSEED: "0" },
      spread: 0,
    },
    { name: "cc1plus", argv: ["g++", "-O1", "-c", at("a.cc"), "-o", at("a.o")], spread: 0.0005 },
    { name: "node", argv: [process.execPath, at("a.js")], spread: 0.03 },
    {
      name: "jq",
      argv: [
        "jq",
        "map(select(.score > 50) | {name, tags}) | group_by(.name) | length",
        at("rows.json"),
      ],
      spread: 0,
    },
  ];
  return all;
}
