// The cost model of docs/scale.md, and the same audits as a simulation of their tasks: node bench/scale.mjs
// The model is arithmetic; the simulation deals tasks of unequal length to processors, loses some of them and does them again, and
// merges their states in rounds of eight. Constants: measured with pipelines/spark/bench.py on two cores.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Vectors of 64 numbers with id and label, the four detectors of vectors. Seconds of one processor, bytes. */
export const constants = {
  /** Of a million records on the local engine: reading, features, models; and of each thousand records that they are compared with. */
  perMillion: 53,
  perMillionAndThousand: 3.5,
  /** Of Spark for a million records: Arrow between processes, what is kept written and read. */
  sparkPerMillion: 20,
  /** A task: Python, Node and the summaries. */
  start: 1.1,
  /** States of a partition, all levels and the score; and how fast they are merged. */
  stateBytes: 4e6,
  mergeBytesPerSecond: 40e6,
  /** What the driver does alone: plan, finish of each level, report. */
  driver: 25,
  reads: 4,
  /** Kept on disk a record, until the run ends. */
  keptBytes: 311 + 77,
}
/** What tasks differ by (log-normal), and what share of them is lost and done again. */
const [spread, lost] = [0.25, 0.01]
const fan = 8

/** What records are compared with: as `sizeFor` has it. */
const sampleOf = (rows) => (rows <= 1e5 ? rows : Math.min(1e5, Math.max(5000, 5e10 / rows)))
const processors = (rows) => (rows / 1e6) * (constants.perMillion + (constants.perMillionAndThousand * sampleOf(rows)) / 1000)
const onSpark = (rows) => processors(rows) + (rows / 1e6) * constants.sparkPerMillion
const rounds = (partitions) => Math.ceil(Math.log(Math.max(partitions, 1)) / Math.log(fan))

/** Wall seconds by arithmetic: work over cores, the slowest task of the last wave, starts, rounds of the merge, the driver. */
export function model(rows, partitions, cores) {
  const { start, stateBytes, mergeBytesPerSecond, driver, reads } = constants
  const waves = Math.ceil(partitions / cores)
  // The longest of so many log-normal tasks ends the last wave.
  const slowest = Math.exp(spread * Math.sqrt(2 * Math.log(Math.min(partitions, cores))) - spread ** 2 / 2)
  const merge = rounds(partitions) * (start + (fan * stateBytes) / reads / mergeBytesPerSecond)
  const longest = (onSpark(rows) / partitions) * (waves - 1 + slowest)
  return driver + longest + reads * (waves * start + merge)
}

/** The same by dealing every task to the processor that is free first. */
export function simulate(rows, partitions, cores, seed = 1) {
  const { start, stateBytes, mergeBytesPerSecond, driver, reads } = constants
  const random = generator(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  let wall = driver
  for (let read = 0; read < reads; read++) {
    const each = onSpark(rows) / partitions / reads
    wall += deal(
      Array.from({ length: partitions }, () => start + each * Math.exp(spread * normal() - spread ** 2 / 2)),
      cores,
      random,
    )
    for (let left = partitions; left > 1; left = Math.ceil(left / fan)) {
      const tasks = Array.from(
        { length: Math.ceil(left / fan) },
        () => start + (Math.min(fan, left) * stateBytes) / reads / mergeBytesPerSecond,
      )
      wall += deal(tasks, cores, random)
    }
  }
  return wall
}

/** When the last of the tasks is done; a lost one runs half of its time and then begins again. */
function deal(tasks, cores, random) {
  const free = new Float64Array(Math.min(cores, tasks.length))
  for (const task of tasks) {
    const first = free.reduce((best, at, i) => (at < free[best] ? i : best), 0)
    free[first] += random() < lost ? 1.5 * task : task
  }
  return Math.max(...free)
}

/** Park and Miller 1988. */
function generator(seed) {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const decades = [
  [1e6, 4],
  [1e7, 16],
  [1e8, 128],
  [1e9, 1024],
]
const clusters = [2, 64, 512]
const time = (s) => (s < 120 ? `${Math.round(s)} s` : s < 7200 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`)
const size = (bytes) => (bytes >= 1e9 ? `${Math.round(bytes / 1e9)} GB` : `${Math.round(bytes / 1e6)} MB`)

if (process.argv[1] === import.meta.filename) {
  let worst = 0
  const lines = decades.map(([rows, partitions]) => {
    const cells = clusters.map((cores) => {
      const [a, b] = [model(rows, partitions, cores), simulate(rows, partitions, cores)]
      worst = Math.max(worst, Math.abs(b / a - 1))
      return `${time(a)} / ${time(b)}`
    })
    const hours = onSpark(rows) / 3600
    const shuffle = (partitions * constants.stateBytes * fan) / (fan - 1)
    return `| ${rows.toLocaleString('en')} | ${partitions} | ${hours.toFixed(1)} | ${size(rows * constants.keptBytes)} | ${size(shuffle)} | ${cells.join(' | ')} | ${(hours * 0.05).toFixed(2)} |`
  })
  const head = [
    'records x 64',
    'partitions',
    'core hours',
    'kept on disks',
    'shuffled',
    ...clusters.map((c) => `${c} cores: model / simulation`),
    'at .05 a core hour',
  ]
  const table = [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines].join('\n')
  console.log(`${table}\n\nThe simulation differs from the model by ${(100 * worst).toFixed(0)} % at most.`)
  const out = process.argv[2]
  if (out) writeFileSync(join(process.cwd(), out), `${table}\n`)
}
