// `npm run build`: types by the compiler, and the program bundled, so that a command and a worker thread start in a third of the time.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
rmSync(join(root, 'dist'), { recursive: true, force: true })
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

await build({
  absWorkingDir: root,
  entryPoints: [
    'src/cli/bin.ts',
    'src/index.ts',
    'src/engine/worker.ts',
    'src/engine/snapshot-worker.ts',
    'src/provenance/hash-worker.ts',
    'src/features/model-child.ts',
  ],
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Packages with native parts or files of their own stay where npm put them.
  external: ['@duckdb/*', 'onnxruntime-node', 'onnx-proto', 'sharp', '@huggingface/transformers', 'piscina', 'pino', '@napi-rs/blake-hash'],
  banner: { js: "import { createRequire as assayRequire } from 'node:module'; const require = assayRequire(import.meta.url);" },
  logLevel: 'warning',
})
