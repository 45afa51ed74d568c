// Part 5: files of models, damaged a million times, through the parsers of `assay scan`. One process a kind, bounded in time and memory.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, say } from '../../scripts/setup.mjs'

const million = 1_000_000
const mostMs = 20_000
const mostMegabytes = 700

/** Runs fuzz.ts; null where it did not end by itself. */
function child(args, ms) {
  return new Promise((resolve, reject) => {
    const argv = ['--max-old-space-size=512', '--import', 'tsx', join(root, 'bench/quality/fuzz.ts'), ...args]
    const process_ = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    const timer = setTimeout(() => process_.kill('SIGKILL'), ms)
    let output = ''
    process_.stdout.on('data', (part) => {
      output += part
    })
    process_.on('error', reject)
    process_.on('close', (code) => {
      clearTimeout(timer)
      resolve(code === 0 ? JSON.parse(output) : null)
    })
  })
}

/** @param inputs damaged files in all, over all kinds */
export async function fuzz({ quick, inputs = quick ? 26_000 : million, seed = 1 }) {
  const kinds = await child(['kinds'], mostMs)
  const each = Math.ceil(inputs / kinds.length)
  const results = []
  for (const kind of kinds) {
    const result = await child([kind, String(each), String(seed)], 60_000 + each * 10)
    results.push(
      result ?? {
        kind,
        inputs: each,
        told: 0,
        worstMs: null,
        megabytes: null,
        failures: [{ input: null, message: 'it did not end by itself' }],
      },
    )
    const { told, worstMs, megabytes, failures } = results.at(-1)
    say(
      `  ${kind}: ${each} inputs, ${told} told, at most ${worstMs} ms, ${megabytes} MB${failures.map((f) => `; ${f.input}: ${f.message}`).join('')}`,
    )
  }
  return { seed, target: quick ? inputs : million, mostMs, mostMegabytes, inputs: each * kinds.length, kinds: results }
}
