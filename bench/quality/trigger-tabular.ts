// Triggers put into tables by src/inject, and the clean tables:
// node --import tsx bench/quality/trigger-tabular.ts FOLDER SEEDS KINDS SET...
// FOLDER/SET.dat is a table of KEEL: lines with @, then records whose last cell is the label. KINDS: clean and attacks, with commas between.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBatch } from '../../src/contracts/batch.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { contextFor } from '../../src/engine/statistics.ts'
import type { Fields } from '../../src/inject/attack.ts'
import { attackNamed } from '../../src/inject/inject.ts'
import { parseOptions } from '../../src/inject/options.ts'
import { keyed, type Random } from '../../src/math/rng.ts'
import { type ColumnTriggers, columnTriggers } from '../../src/statistics/column-triggers.ts'

interface Table {
  readonly numbers: readonly string[]
  readonly categories: readonly string[]
  /** Rows of numbers and of categories, and their labels. */
  readonly x: Float64Array[]
  readonly c: (readonly string[])[]
  readonly y: string[]
}

function load(path: string): Table {
  const lines = readFileSync(path, 'utf8').split('\n')
  const cells = lines.filter((line) => line.trim() && !line.startsWith('@')).map((line) => line.split(',').map((cell) => cell.trim()))
  const width = (cells[0]?.length ?? 1) - 1
  const numeric = Array.from({ length: width }, (_, j) => cells.every((row) => row[j] !== '' && Number.isFinite(Number(row[j]))))
  const places = (wanted: boolean): number[] => [...numeric.keys()].filter((j) => numeric[j] === wanted)
  return {
    numbers: places(true).map((j) => `c${j}`),
    categories: places(false).map((j) => `c${j}`),
    x: cells.map((row) => Float64Array.from(places(true), (j) => Number(row[j]))),
    c: cells.map((row) => places(false).map((j) => row[j] as string)),
    y: cells.map((row) => row.at(-1) as string),
  }
}

const rowsOf = (table: Table, rows: Uint32Array): Table => ({
  ...table,
  x: Array.from(rows, (i) => table.x[i] as Float64Array),
  c: Array.from(rows, (i) => table.c[i] as readonly string[]),
  y: Array.from(rows, (i) => table.y[i] as string),
})

function poison(table: Table, id: string, given: Record<string, unknown>, rate: number, seed: Uint8Array): Table {
  const rows = table.y.length
  const attack = attackNamed(id)
  const options = parseOptions(attack, given)
  const record = (i: number): Fields => ({
    label: table.y[i] as string,
    source: null,
    text: null,
    response: null,
    pixels: null,
    numbers: table.x[i] as Float64Array,
    categories: table.c[i] as readonly string[],
  })
  const random = keyed(seed, 'sample')
  const sample = Array.from({ length: 1000 }, () => random.below(rows)).map((row) => ({ where: { shard: 'x', row }, fields: record(row) }))
  const names = [...new Set(table.y)].sort()
  const labels = names.map((name) => ({ name, count: table.y.filter((l) => l === name).length }))
  const plan = attack.prepare(
    options,
    { rows, labels, columns: table.numbers, categories: table.categories, sample },
    keyed(seed, 'trigger'),
  )
  const eligible = Array.from({ length: rows }, (_, i) => i).filter((i) => attack.eligible(options, record(i)))
  const [x, c, y] = [[...table.x], [...table.c], [...table.y]]
  for (const p of keyed(seed, 'choose')
    .permutation(eligible.length)
    .subarray(0, Math.round(rate * rows))) {
    const i = eligible[p] as number
    const { numbers, categories, label } = attack.apply(plan, record(i), keyed(seed, `record ${i}`)).fields
    if (numbers) x[i] = numbers
    if (categories) c[i] = categories
    if (label) y[i] = label
  }
  return { ...table, x, c, y }
}

async function search({ numbers, categories, x, c, y }: Table, seed: Uint8Array): Promise<ColumnTriggers> {
  const values = [...new Set(y)].sort()
  const rows = y.length
  const data = Float64Array.from(x.flatMap((row) => [...row]))
  const batch = addKeys(
    makeBatch({
      row: Uint32Array.from({ length: rows }, (_, i) => i),
      label: { codes: Int32Array.from(y, (l) => values.indexOf(l)), values },
      ...(numbers.length ? { features: { data, rows, dims: numbers.length, names: numbers } } : {}),
      ...(categories.length ? { categories: { values: c.flat(), names: categories } } : {}),
    }),
    seed,
  )
  const statistic = columnTriggers({ sample: 12_000 })
  const context = contextFor(null, seed, new Map(), [])
  const state = statistic.init(context)
  await statistic.update(context, state, batch)
  await statistic.seal?.(context, state)
  return (await statistic.finish(context, state)) as ColumnTriggers
}

const drawn = (random: Random, from: readonly string[]): string => from[random.below(from.length)] as string

/** Options of an attack on columns that the seed draws; null where the table has too few of their kind. */
function attackOptions(attack: string, table: Table, target: string, random: Random): { options: object; columns: string[] } | null {
  const from = attack === 'column-category' ? table.categories : table.numbers
  if (from.length < 2) return null
  const column = drawn(random, from)
  if (attack !== 'column-pair') return { options: { column, target }, columns: [column] }
  const other = drawn(
    random,
    from.filter((name) => name !== column),
  )
  return { options: { first: column, second: other, target }, columns: [column, other] }
}

const [folder = '.', seeds = '5', kinds = '', ...sets] = process.argv.slice(2)
const verbose = process.env.VERBOSE === '1'
for (const name of sets) {
  const table = load(join(folder, `${name}.dat`))
  const names = [...table.numbers, ...table.categories]
  for (const kind of kinds.split(',')) {
    const [found, others, runs, ps]: [number, number, number, string[]] = [0, 0, 0, []]
    const totals = { found, others, runs, ps }
    for (let s = 0; s < Number(seeds); s++) {
      const seed = Buffer.from(`tables, seed ${String(s).padStart(3, '0')}`)
      const random = keyed(seed, 'options')
      // Ninety of a hundred records: every run is another table.
      const part = rowsOf(
        table,
        keyed(seed, 'part')
          .permutation(table.y.length)
          .subarray(0, Math.round(0.9 * table.y.length))
          .sort(),
      )
      const target = drawn(random, [...new Set(part.y)].sort())
      const attack = kind === 'clean' ? null : attackOptions(kind, part, target, random)
      if (kind !== 'clean' && !attack) continue
      const result = await search(attack ? poison(part, kind, attack.options as Record<string, unknown>, 0.01, seed) : part, seed)
      totals.runs++
      // Numbers come first in the cells' columns, as in `names`.
      const told = result.tested.filter((t) => t.p < 0.01)
      const right = told.filter(
        (t) =>
          attack &&
          result.classes[t.label] === target &&
          attack.columns.every((column) => t.cell.some((part) => names[part.column] === column)),
      )
      if (right.length > 0) totals.found++
      if (told.length > right.length) totals.others++
      totals.ps.push(right[0] ? right[0].p.toExponential(0) : '-')
      if (verbose)
        console.log(
          JSON.stringify({
            name,
            kind,
            s,
            attack,
            target,
            accuracy: result.accuracy,
            reason: result.reason,
            told: told.map(({ model: _, ...t }) => t),
          }),
        )
    }
    if (totals.runs > 0)
      console.log(`${name} ${kind}: found ${totals.found} of ${totals.runs}, others in ${totals.others}; p ${totals.ps.join(' ')}`)
  }
}
