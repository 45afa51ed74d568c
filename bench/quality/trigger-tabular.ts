// Triggers put into tables by src/inject, and the clean tables: node --import tsx bench/quality/trigger-tabular.ts FOLDER [SET...]
// FOLDER/SET holds x.npy (float64, rows x columns) and y.npy (int32).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBatch } from '../../src/contracts/batch.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { contextFor } from '../../src/engine/statistics.ts'
import type { Fields } from '../../src/inject/attack.ts'
import { attackNamed } from '../../src/inject/inject.ts'
import { parseOptions } from '../../src/inject/options.ts'
import { keyed } from '../../src/math/rng.ts'
import { type ColumnTriggers, columnTriggers } from '../../src/statistics/column-triggers.ts'

interface Set_ {
  readonly x: Float64Array
  readonly y: readonly string[]
  readonly dims: number
}

function body(path: string): { readonly shape: readonly number[]; readonly bytes: ArrayBuffer } {
  const file = readFileSync(path)
  const end = 10 + file.readUInt16LE(8)
  const shape =
    /\(([^)]*)\)/
      .exec(file.toString('latin1', 10, end))?.[1]
      ?.split(',')
      .filter((s) => s.trim())
      .map(Number) ?? []
  return { shape, bytes: file.buffer.slice(file.byteOffset + end, file.byteOffset + file.length) as ArrayBuffer }
}

function load(folder: string): Set_ {
  const { shape, bytes } = body(join(folder, 'x.npy'))
  return { x: new Float64Array(bytes), y: Array.from(new Int32Array(body(join(folder, 'y.npy')).bytes), String), dims: shape[1] ?? 1 }
}

const seed = Buffer.from('trigger-tabular!')

function poison(set: Set_, id: string, given: Record<string, unknown>, rate: number): Set_ {
  const rows = set.y.length
  const attack = attackNamed(id)
  const options = parseOptions(attack, given)
  const record = (i: number): Fields => ({
    label: set.y[i] as string,
    source: null,
    text: null,
    response: null,
    pixels: null,
    numbers: set.x.slice(i * set.dims, (i + 1) * set.dims),
  })
  const random = keyed(seed, 'sample')
  const sample = Array.from({ length: 1000 }, () => random.below(rows)).map((row) => ({ where: { shard: 'x', row }, fields: record(row) }))
  const names = [...new Set(set.y)].sort()
  const labels = names.map((name) => ({ name, count: set.y.filter((l) => l === name).length }))
  const plan = attack.prepare(
    options,
    { rows, labels, columns: Array.from({ length: set.dims }, (_, j) => `c${j}`), sample },
    keyed(seed, 'trigger'),
  )
  const eligible = Array.from({ length: rows }, (_, i) => i).filter((i) => attack.eligible(options, record(i)))
  const [x, y] = [set.x.slice(), [...set.y]]
  for (const p of keyed(seed, 'choose')
    .permutation(eligible.length)
    .subarray(0, Math.round(rate * rows))) {
    const i = eligible[p] as number
    const { numbers, label } = attack.apply(plan, record(i), keyed(seed, `record ${i}`)).fields
    if (numbers) x.set(numbers, i * set.dims)
    if (label) y[i] = label
  }
  return { x, y, dims: set.dims }
}

async function search({ x, y, dims }: Set_): Promise<ColumnTriggers> {
  const values = [...new Set(y)].sort()
  const rows = y.length
  const names = Array.from({ length: dims }, (_, j) => `c${j}`)
  const label = { codes: Int32Array.from(y, (l) => values.indexOf(l)), values }
  const batch = addKeys(
    makeBatch({ row: Uint32Array.from({ length: rows }, (_, i) => i), label, features: { data: x, rows, dims, names } }),
    seed,
  )
  const statistic = columnTriggers({ sample: 12_000 })
  const c = contextFor(null, seed, new Map(), [])
  const state = statistic.init(c)
  await statistic.update(c, state, batch)
  await statistic.seal?.(c, state)
  return (await statistic.finish(c, state)) as ColumnTriggers
}

const [folder = '.', ...sets] = process.argv.slice(2)
for (const name of sets) {
  const set = load(join(folder, name))
  const found = (r: ColumnTriggers): string =>
    r.tested
      .filter((t) => t.p < 0.01)
      .map((t) => JSON.stringify({ cell: t.cell, label: r.classes[t.label], p: t.p }))
      .join(' ')
  console.log(`${name} clean: ${found(await search(set)) || 'nothing'}`)
  const names = [...new Set(set.y)].sort()
  for (const attack of ['column-value', 'column-interval']) {
    for (let v = 0; v < 2; v++) {
      const [column, target] = [(7 * v + 3) % set.dims, names[(v + 1) % names.length] as string]
      const result = await search(poison(set, attack, { column: `c${column}`, target }, 0.01))
      console.log(`${name} ${attack} c${column} -> ${target}: ${found(result) || 'nothing'}`)
    }
  }
}
