// Predicted and true recall of known attacks.
//   ASSAY_DATA=... node --import tsx bench/quality/sensitivity.ts [--seeds 20] [--sets tumours,vowel] [--attacks flip-pair]
// Predicted: `sensitivity:` of an audit of the data as they are. True: the same attacks with the same triggers and targets, at the same
// rate, on other records of a copy on disk that `assay inject` made, each audited whole with another seed. By the detector that is made
// for the attack alone.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { cases } from '../../src/engine/sensitivity/cases.ts'
import { keyed } from '../../src/math/rng.ts'
import { assay } from '../../test/cli/harness.ts'
import { sets } from './sensitivity-data.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    sets: { type: 'string', default: Object.keys(sets).join() },
    attacks: { type: 'string', default: '' },
    workers: { type: 'string', default: '1' },
  },
})
const seeds = Number(values.seeds)
const only = values.attacks.split(',').filter(Boolean)

interface Report {
  readonly plan: { readonly seed: string }
  readonly labels: readonly { readonly name: string }[]
  readonly sources: readonly { readonly name: string }[]
  readonly sensitivity: {
    readonly attacks: readonly {
      readonly attack: string
      readonly reason: string | null
      readonly rates: readonly { readonly rate: number; readonly recall: number; readonly trials: number }[]
    }[]
  }
}
interface Trial {
  readonly carriers: number
  readonly found: number
}

async function must(...args: string[]): Promise<void> {
  const ran = await assay(args, { env: { ...process.env, ASSAY_NOW: '2026-11-23T09:00:00Z' } })
  if (ran.code > 0) throw new Error(`${args.join(' ')}: exit ${ran.code}: ${ran.stderr}`)
}
function rowsOf(csv: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n')
  const names = head.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i] as string, cell])))
}
/** The detector that is made for the attack: with all of them a trial takes several times as long. */
const detectors = { label: 'label-flip', tabular: 'trigger-tabular', text: 'trigger-text', image: 'trigger-image' } as const

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length
const error = (xs: readonly number[]): number => {
  const m = mean(xs)
  return Math.sqrt(xs.reduce((a, x) => a + (x - m) ** 2, 0) / (xs.length - 1) / xs.length)
}

let [within, counted, trivial] = [0, 0, 0]
for (const name of values.sets.split(',')) {
  const set = sets[name]
  if (!set) throw new Error(`there is no set ${name}: ${Object.keys(sets).join(', ')}`)
  const work = mkdtempSync(join(tmpdir(), 'assay-sensitivity-'))
  try {
    mkdirSync(join(work, 'data'))
    set.write(join(work, 'data'))
    const base = {
      version: 1,
      subject: { name },
      gate: { 'fail-on': 'never', 'max-flagged': 1 },
      report: { formats: ['json'], flags: 'csv' },
    }
    const written = (file: string, path: string, more: object = {}): string => {
      writeFileSync(join(work, file), stringify({ ...base, sources: [{ ...set.source, path }], detectors: set.detectors ?? {}, ...more }))
      return join(work, file)
    }
    const file = set.source.path
    for (const [id, rates] of Object.entries(set.attacks)) {
      if (only.length > 0 && !only.includes(id)) continue
      const sensitivity = { rates, rate: rates[0], seeds, precision: 1, sample: 10_000, 'budget-seconds': 86_400, attacks: [id] }
      const run = join(work, id)
      const known = cases.find((c) => c.id === id) as (typeof cases)[number]
      const detector = ['--only', detectors[known.attack.family], '--workers', values.workers]
      await must('audit', written('predict.yaml', `data/${file}`, { sensitivity }), '--run-dir', run, '--seed', '1', ...detector)
      const report = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')) as Report
      const predicted = report.sensitivity.attacks[0]
      const names = (list: readonly { readonly name: string }[]): string[] => list.map((l) => l.name)
      for (const rate of rates) {
        const shares = Array.from({ length: seeds }, (_, seed) => {
          const trial = JSON.parse(readFileSync(join(run, `sensitivity/${id}-${rate}-${seed}.json`), 'utf8')) as Trial
          return trial.carriers > 0 ? trial.found / trial.carriers : Number.NaN
        })
        const truths: number[] = []
        for (let seed = 0; seed < seeds; seed++) {
          const options = known.options({
            labels: names(report.labels),
            sources: names(report.sources),
            columns: (set.source.features as string[] | undefined) ?? [],
            categories: [],
            side: 28,
            random: keyed(Buffer.from(report.plan.seed, 'hex'), `sensitivity ${id} ${seed}`),
          })
          if (Number.isNaN(shares[seed]) || options === null) continue
          const folder = join(work, 'attacked')
          const given = Object.entries(options).flatMap(([key, value]) => ['--option', `${key}=${String(value)}`])
          const how = ['--attack', known.attack.id, '--rate', String(rate), '--seed', `truth ${seed}`, '--out', folder]
          await must('inject', written('inject.yaml', `data/${file}`), ...how, ...given)
          const audited = written('audit.yaml', `attacked/${file}`)
          await must('audit', audited, '--run-dir', join(folder, 'run'), '--seed', `${seed}`, ...detector)
          const flagged = new Set(rowsOf(join(folder, 'run/flags.csv')).map((r) => r.row))
          const truth = rowsOf(join(folder, 'truth.csv'))
          truths.push(truth.filter((r) => flagged.has(r.row as string)).length / truth.length)
          rmSync(folder, { recursive: true })
        }
        const tried = shares.filter((s) => !Number.isNaN(s))
        if (tried.length === 0) {
          console.log(`${name} ${id} ${rate}: ${predicted?.reason ?? 'too few records'}`)
          continue
        }
        const [p, t] = [mean(tried), mean(truths)]
        const fits = Math.abs(p - t) <= 0.1
        if (t >= 0.1 && t <= 0.9) {
          counted++
          if (fits) within++
        } else trivial++
        const both = (xs: readonly number[]): string => `${mean(xs).toFixed(2)} ± ${error(xs).toFixed(2)}`
        console.log(`${name} ${id} ${rate}: predicted ${both(tried)}, true ${both(truths)}, ${tried.length} seeds${fits ? '' : '  OFF'}`)
      }
      rmSync(run, { recursive: true })
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
console.log(`${within} of ${counted} pairs whose true recall lies between .1 and .9 are within .1; ${trivial} others`)
