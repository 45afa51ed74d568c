// Nights of a labelled table in a PostgreSQL server of its own: each night people correct labels, the table is audited against the snapshot
// of the night before, and the history grows. When is an attacker named who relabels .1 % of one class a night, and is nobody else?
//   node --import tsx bench/quality/nights.ts [--nights 100] [--from 40] [--rows 2000] [--corrections 0,0.1] [--clean 20] [--attacked 10] [--first 0] [--detector label-flip] [--record]
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { keyed } from '../../src/math/rng.ts'
import { assay } from '../../test/cli/harness.ts'
import { type Postgres, startPostgres } from '../../test/postgres/server.ts'
import { record } from './record.mjs'

const { values } = parseArgs({
  options: {
    nights: { type: 'string', default: '100' },
    from: { type: 'string', default: '40' },
    rows: { type: 'string', default: '2000' },
    corrections: { type: 'string', default: '0,0.1' },
    clean: { type: 'string', default: '20' },
    attacked: { type: 'string', default: '10' },
    /** Histories before this one are another run's. */
    first: { type: 'string', default: '0' },
    detector: { type: 'string', default: 'label-flip' },
    record: { type: 'boolean', default: false },
  },
})
const [nights, from, rows, clean, attacked] = [values.nights, values.from, values.rows, values.clean, values.attacked].map(Number) as [
  number,
  number,
  number,
  number,
  number,
]
/** Expected corrections a night of the whole table; histories take them in turn. */
const corrections = values.corrections.split(',').map(Number)

const names = ['benign', 'malignant'] as const
const attackScope = `${names[1]} > ${names[0]}`
const pipeline = `version: 1
extends: preset:scheduled-audit
subject: { name: studies }
sources: [{ sql: "select * from studies", connection: { env: NIGHTS_URL }, columns: { id: id, label: label, source: hospital }, features: [x, y, z] }]
gate: { max-flagged: 1 }
report: { formats: [json] }
`

interface Lived {
  readonly corrections: number
  /** Nights in which a trend was named, and of what. */
  readonly trends: readonly { readonly night: number; readonly scope: string }[]
}

interface Report {
  readonly rows: { readonly read: number }
  readonly findings: readonly { readonly rule: string; readonly scope: { readonly names: readonly string[] } }[]
  readonly provenance: { readonly changes: { readonly counts: { readonly relabelled: number } } }
}

const fill = (seed: number): string => `
  DROP TABLE IF EXISTS studies;
  SELECT setseed(${(seed % 100) / 100});
  CREATE TABLE studies AS
  SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'benign' ELSE 'malignant' END AS label, 'h' || floor(random() * 3) AS hospital,
         (i % 2) * 6 + random() * 2 AS x, (i % 2) * 3 + random() * 2 AS y, random() AS z
  FROM generate_series(1, ${rows}) AS i;
  ALTER TABLE studies ADD PRIMARY KEY (id)`

async function live(server: Postgres, seed: number, last: number, isAttacked: boolean, rate: number): Promise<Lived> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-nights-'))
  const random = keyed(Buffer.from(`nights ${seed}`), 'corrections')
  const night = (i: number): string => new Date(Date.UTC(2026, 0, 1 + i, 2)).toISOString()
  const file = join(folder, 'store.yaml')
  writeFileSync(file, pipeline)
  await server.sql(fill(seed))
  const run = async (i: number, words: readonly string[]): Promise<void> => {
    const ran = await assay([...words, '--quiet'], { env: { ...process.env, ASSAY_NOW: night(i) } })
    if (ran.code > 1) throw new Error(`${words.join(' ')}: exit ${ran.code}\n${ran.stderr}`)
  }
  await run(0, ['snapshot', file, '--out', join(folder, '0/snapshot')])
  const trends: { night: number; scope: string }[] = []
  const flip = (to: string, where: string): string => `UPDATE studies SET label = '${to}' WHERE ${where}`
  try {
    for (let i = 1; i <= last; i++) {
      for (let left = random.uniform(); left < rate; left += random.uniform()) {
        const id = 1 + random.below(rows)
        await server.sql(`UPDATE studies SET label = CASE label WHEN 'benign' THEN 'malignant' ELSE 'benign' END WHERE id = ${id}`)
      }
      if (isAttacked && i >= from)
        await server.sql(
          flip(
            names[0],
            `id IN (SELECT id FROM studies WHERE label = '${names[1]}' ORDER BY random() LIMIT greatest(1, round(0.001 * (SELECT count(*) FROM studies WHERE label = '${names[1]}'))))`,
          ),
        )
      const at = join(folder, String(i))
      const words = ['audit', file, '--only', values.detector, '--seed', String(i), '--workers', '1']
      await run(i, [...words, '--baseline', join(folder, `${i - 1}/snapshot`), '--run-dir', at])
      const report = JSON.parse(readFileSync(join(at, 'report.json'), 'utf8')) as Report
      if (report.rows.read !== rows) throw new Error(`night ${i}: ${report.rows.read} rows of ${rows}`)
      for (const f of report.findings) if (f.rule.startsWith('history/')) trends.push({ night: i, scope: f.scope.names.join(' > ') })
      if (isAttacked && i >= from && trends.some((t) => t.night === i && t.scope === attackScope)) break
      if (existsSync(join(folder, String(i - 1)))) rmSync(join(folder, String(i - 1)), { recursive: true })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return { corrections: rate, trends }
}

const server = await startPostgres()
process.env.NIGHTS_URL = server.url()
const cleanHistories: Lived[] = []
const attackedHistories: { readonly corrections: number; readonly named: number | null; readonly early: number }[] = []
try {
  for (let n = Number(values.first); n < Math.max(clean, attacked); n++) {
    const rate = corrections[n % corrections.length] as number
    if (n < attacked) {
      const { trends } = await live(server, 1000 + n, Math.min(nights, from + 20), true, rate)
      const early = trends.filter((t) => t.night < from).length
      const named = trends.find((t) => t.night >= from && t.scope === attackScope)?.night ?? null
      attackedHistories.push({ corrections: rate, named, early })
      console.log(`attacked ${n}, ${rate} corrections a night: named in night ${named ?? 'never'}, ${early} trends before`)
    }
    if (n < clean) {
      const lived = await live(server, n, nights, false, rate)
      cleanHistories.push(lived)
      console.log(`clean ${n}, ${rate} corrections a night: ${lived.trends.length} trends ${JSON.stringify(lived.trends.slice(0, 3))}`)
    }
  }
} finally {
  await server.destroy()
}
const inTime = attackedHistories.filter((a) => a.named !== null && a.named <= from + 5).length
const wrong = cleanHistories.filter((l) => l.trends.length > 0).length
console.log(
  `${inTime} of ${attackedHistories.length} named by night ${from + 5}; ${wrong} of ${cleanHistories.length} clean histories with a trend`,
)
if (values.record) record('nights', { nights, from, rows, detector: values.detector, clean: cleanHistories, attacked: attackedHistories })
