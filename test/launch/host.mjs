// Stands for the host: starts the target at once, reads nothing until SIGUSR2 comes, then says all that it was told.
import { closeSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";

/** Where the target stands in the launcher's arguments: behind launcher, --host, variable, command, Node and this file. */
const TARGET_INDEX = 6;
const LINK = Number(process.env.EDLEAK_CONTROL);

// As the host does: who reads the target's stdout sees its end.
closeSync(1);
openSync("/dev/null", "w");
writeSync(LINK, `start ${TARGET_INDEX}\n`);
const waiting = setInterval(() => {}, 60_000);
process.on("SIGUSR2", () => {
  clearInterval(waiting);
  let told = "";
  // Not before: a socket of Node's reads ahead.
  const link = new Socket({ fd: LINK });
  link.setEncoding("latin1").on("data", (text) => {
    told += text;
    if (!/^(exited|killed) .*\n/m.test(told)) return;
    process.stderr.write(told);
    link.write("end\n");
  });
});
process.stderr.write(`host ${process.pid}\n`);
