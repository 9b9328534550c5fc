// A target that says "ready", then "got" for each SIGUSR1, and exits with 3 at the end of its stdin.
process.on("SIGUSR1", () => console.log("got"));
process.stdin.on("end", () => process.exit(3)).resume();
console.log("ready");
