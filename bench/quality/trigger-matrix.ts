// trigger-matrix.ts RESULTS SETS ATTACKS RATES SEEDS [whole]: what trigger-image finds of known attacks, a line of JSON appended to RESULTS for
// every run that is not in it yet. A set is NAME:ROWS (0 rows: all), as trigger-data.ts names it; lists are separated by commas; the target
// class is the seed's, counted around. Of attacks the class that carries is searched for patterns alone, and its p-value multiplied by the
// number of classes, which is more than an audit does. With `whole`, and always of `clean`, the detector runs as in an audit: every class,
// patterns and patches; p is then the smallest of all tests. With RESULTS alone it prints them as a table: of all runs of a kind how many
// found it (p below .01; of whole runs: a finding), and the medians of recall, precision and p.
//   node --import tsx bench/quality/trigger-matrix.ts bench/quality/trigger-matrix.jsonl fashion-mnist:6000 blend10,noise10 0.01,0.05 1,2,3
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { triggerImage } from '../../src/detectors/trigger-image.ts'
import { gemm32, matrix32 } from '../../src/math/gemm32.ts'
import { inBases } from '../../src/statistics/trigger-search/bases.ts'
import { leastRows } from '../../src/statistics/trigger-search/class-scan.ts'
import { only, prepare, scan } from '../../src/statistics/trigger-search/prepare.ts'
import { maxRounds } from '../../src/statistics/trigger-search/pursuit.ts'
import { takeCarriers } from '../../src/statistics/trigger-search/take-carriers.ts'
import type { Poisoned } from '../../test/support/attacks.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { pictureBatches } from '../../test/support/pictures.ts'
import { attacked, cpuSeconds, load } from './trigger-data.ts'

interface Run {
  readonly set: string
  readonly rows: number
  readonly attack: string
  readonly rate: number
  readonly seed: number
  readonly whole: boolean
}

function classesOf({ pixels, labels, poison, height, width, channels }: Poisoned) {
  const each = height * width * channels
  return Array.from({ length: Math.max(...labels) + 1 }, (_, c) => {
    const rows = Array.from(labels.keys()).filter((i) => labels[i] === c)
    const own = new Uint8Array(rows.length * each)
    rows.forEach((r, i) => {
      own.set(pixels.subarray(r * each, (r + 1) * each), i * each)
    })
    return { name: `${c}`, rows: rows.length, pixels: own, poison: Uint8Array.from(rows, (r) => poison[r] as number) }
  })
}

const sum = (values: Uint8Array): number => values.reduce((a, b) => a + b, 0)

async function measure(run: Run, data: ReturnType<typeof load>) {
  const target = run.seed % (Math.max(...data.labels) + 1)
  const p = await attacked(run.set, data, { ...run, seed: `${run.seed}`, target })
  const started = cpuSeconds()
  const marked = sum(p.poison)
  const found = run.whole ? await wholeDetector(p) : await patternsOf(p, target, run.seed)
  const { hits } = found
  return {
    ...run,
    target,
    marked,
    recall: marked > 0 ? hits / marked : null,
    records: p.labels.length,
    ...found,
    cpuSeconds: cpuSeconds(started),
  }
}

/** The detector as an audit runs it. */
async function wholeDetector(p: Poisoned) {
  const pixels = { height: p.height, width: p.width, channels: p.channels }
  const shape = { rows: p.labels.length, dims: 0, classes: Math.max(...p.labels) + 1, sources: 0, pixels }
  const setup = { subject: ['image', 'label', 'pixels'] as const, reference: null, classes: null, shape }
  const { flagged, conclusion } = await fitDetector(triggerImage, {}, setup, pictureBatches(p, true, 2000))
  return {
    p: Math.min(1, ...conclusion.tests.map((t) => t.p)),
    flagged: flagged.filter(Boolean).length,
    hits: flagged.filter((f, i) => f && p.poison[i]).length,
    found: conclusion.findings.map((f) => `${f.severity} ${f.rule.split('/')[1]} ${f.scope.names.join(' ')}`).join('; '),
  }
}

/** The class that carries, searched for patterns. */
async function patternsOf(p: Poisoned, target: number, seedOf: number) {
  const classes = classesOf(p)
  const seed = new Uint8Array(16).fill(seedOf)
  const { kept, search } = await prepare({ height: p.height, width: p.width, channels: p.channels }, classes, seed)
  if (!search) throw new Error('nothing to search')
  const [all, c] = [classes[target], kept[target]]
  if (!all || !c) throw new Error('no such class')
  const carries = new Uint8Array(all.rows)
  const own = await inBases(search.bases, all.pixels, all.rows)
  let [least, basis, start] = [1, '', '']
  let rest = c
  for (let round = 1; round <= maxRounds && rest.rows >= leastRows; round++) {
    const best = await scan(search, rest, target, round)
    const p = Math.min(1, Math.exp(best?.logP ?? 0) * classes.length)
    if (best && round === 1) [least, basis, start] = [p, best.basis, best.template.seed]
    const taken = best && p < 0.01 ? await takeCarriers(search, rest, best, 1) : null
    if (!taken) break
    rest = only(rest, search.each, taken.others)
    for (const f of taken.found) {
      const dims = f.weights.length
      const { data: scores } = await gemm32(matrix32(own[f.basis], all.rows, dims), matrix32(f.weights, 1, dims), { transB: true })
      scores.forEach((s, r) => {
        if ((s - f.centre) / f.deviation > f.z) carries[r] = 1
      })
    }
  }
  return { p: least, flagged: sum(carries), hits: carries.reduce((n, f, r) => n + f * (all.poison[r] as number), 0), found: basis, start }
}

type Result = Awaited<ReturnType<typeof measure>>

function table(all: readonly Result[]): string {
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number
  const two = (v: number): string => v.toFixed(2)
  const kindOf = (r: Result): string =>
    `${r.set}, ${r.records}${r.whole && r.attack !== 'clean' ? ', whole' : ''} | ${r.attack} | ${r.rate} | ${r.marked}`
  const rows = [...new Set(all.map(kindOf))].map((kind) => {
    const runs = all.filter((r) => kindOf(r) === kind)
    const found = runs.filter((r) => (r.whole ? r.found !== '' : r.p < 0.01))
    const flagged = runs.reduce((n, r) => n + r.flagged / r.records, 0) / runs.length
    const recall = two(median(runs.map((r) => r.recall ?? 0)))
    const precision = found.length > 0 ? two(median(found.map((r) => r.hits / Math.max(1, r.flagged)))) : '-'
    const figures = runs[0]?.attack === 'clean' ? `- | ${(100 * flagged).toFixed(2)} % flagged` : `${recall} | ${precision}`
    return `| ${kind} | ${found.length} of ${runs.length} | ${figures} | ${median(runs.map((r) => r.p)).toExponential(0)} |`
  })
  return [
    '| set, records | attack | rate | marked | found | recall | precision | p |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.sort(),
  ].join('\n')
}

const list = (text: string | undefined): string[] => (text ?? '').split(',')
const [results = '', sets, attacks, rates, seeds, whole] = process.argv.slice(2)
const nameOf = (r: Run): string => [r.set, r.rows, r.attack, r.rate, r.seed, r.whole].join(' ')
const before = existsSync(results) ? readFileSync(results, 'utf8').trim().split('\n').filter(Boolean) : []
if (!sets) console.log(table(before.map((line) => JSON.parse(line) as Result)))
const done = new Set(before.map((line) => nameOf(JSON.parse(line) as Run)))
for (const given of sets ? list(sets) : []) {
  const [set = '', rows] = given.split(':')
  let data: ReturnType<typeof load> | null = null
  for (const seed of list(seeds).map(Number))
    for (const attack of list(attacks))
      for (const rate of attack === 'clean' ? [0] : list(rates).map(Number)) {
        const run = { set, rows: Number(rows), attack, rate, seed, whole: attack === 'clean' || whole === 'whole' }
        if (done.has(nameOf(run))) continue
        data ??= load(set)
        const line = JSON.stringify(await measure(run, data))
        appendFileSync(results, `${line}\n`)
        console.log(line)
      }
}
