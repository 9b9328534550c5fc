"use strict";

// A file of its own: old versions of Node don't know import() and would refuse all of bin/edleak.cjs.
import("../dist/cli/main.js");
