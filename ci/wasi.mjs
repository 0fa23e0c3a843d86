// Runs a program for wasm32-wasip1: `node ci/wasi.mjs PROGRAM ARGUMENT...`. It sees the directory it is started in, no more.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const args = process.argv.slice(2);
const directory = process.cwd();
const wasi = new WASI({ version: "preview1", args, env: process.env, preopens: { [directory]: directory } });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(await readFile(args[0]), imports);
process.exitCode = wasi.start(instance);
