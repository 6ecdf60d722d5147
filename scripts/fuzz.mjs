// `npm run fuzz -- [seconds] [--keep]`: libFuzzer on the parsers, so many seconds each; fuzz/README.md says what they hold.
//
// A stable Rust does: what instruments the code are options of its code generator. No input that was found before may
// break anything, and none that is found in the time.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, fail, installDebianPackages, onPath, root, run, say } from "./tools.mjs";

const INSTRUMENTED = [
  "--cfg=fuzzing",
  "-Cpasses=sancov-module",
  ...["level=4", "inline-8bit-counters", "pc-table", "trace-compares"].map((option) => `-Cllvm-args=-sanitizer-coverage-${option}`),
  "-Ccodegen-units=1",
];

/** Fuzzes every target for so many seconds. With `keep`, the corpus takes in what reached new code. */
export function fuzz(seconds, keep = false) {
  if (!onPath("c++") && !installDebianPackages("g++")) fail("a C++ compiler is missing: libFuzzer is written in C++");
  const host = ask("rustc", ["-vV"]).match(/^host: (.+)$/m)[1];
  const manifest = join(root, "fuzz", "Cargo.toml");
  // With a target named, build scripts and macros stay as they are.
  run("cargo", ["build", "--quiet", "--release", "--locked", "--manifest-path", manifest, "--target", host, "--target-dir", join(root, "fuzz", "target")], {
    variables: { CARGO_ENCODED_RUSTFLAGS: INSTRUMENTED.join("\x1f") },
  });
  const found = mkdtempSync(join(tmpdir(), "access-relay-fuzz-"));
  const artifacts = join(root, "fuzz", "artifacts");
  mkdirSync(artifacts, { recursive: true });
  try {
    for (const target of ["origin", "preflight", "config", "token", "wrangler", "import", "har"]) {
      const corpus = join(root, "fuzz", "corpus", target);
      const fresh = join(found, target);
      mkdirSync(fresh);
      say(`fuzzing: ${target}, for ${seconds} seconds`);
      const program = join(root, "fuzz", "target", host, "release", target);
      const limits = [`-max_total_time=${seconds}`, "-max_len=4096", "-rss_limit_mb=1024", "-timeout=5", "-verbosity=0", "-print_funcs=0", "-print_final_stats=1"];
      run(program, [...limits, `-artifact_prefix=${artifacts}/${target}-`, fresh, corpus]);
      if (keep) run(program, ["-set_cover_merge=1", "-use_counters=0", "-verbosity=0", "-print_funcs=0", corpus, fresh]);
    }
  } finally {
    rmSync(found, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const [seconds] = process.argv.slice(2).filter((word) => /^[1-9]\d*$/.test(word));
  fuzz(Number(seconds ?? 10), process.argv.includes("--keep"));
}
