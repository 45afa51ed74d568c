// Real audits of a CSV store, night after night, each compared with the snapshot of the night before: when is the attacker named?
//   npm run build && node bench/quality/nights.mjs [--nights 30] [--from 22] [--rows 2000] [--corrections 0.1]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    nights: { type: 'string', default: '30' },
    from: { type: 'string', default: '22' },
    rows: { type: 'string', default: '2000' },
    corrections: { type: 'string', default: '0.1' },
  },
})
const [nights, from, rows, corrections] = [values.nights, values.from, values.rows, values.corrections].map(Number)
const bin = join(dirname(fileURLToPath(import.meta.url)), '../../dist/cli/bin.js')
const folder = mkdtempSync(join(tmpdir(), 'assay-nights-'))

let state = 7
const uniform = () => {
  state = (state + 0x6d2b79f5) >>> 0
  let t = state
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
const names = ['benign', 'malignant']
const records = Array.from({ length: rows }, (_, i) => {
  const label = Math.floor(uniform() * 2)
  return {
    id: `p${i}`,
    label,
    source: 'ABC'[Math.floor(uniform() * 3)],
    x: Array.from({ length: 5 }, () => (normal() + 3 * label).toFixed(3)),
  }
})
const write = () =>
  writeFileSync(
    join(folder, 'store.csv'),
    `id,label,source,x0,x1,x2,x3,x4\n${records.map((r) => [r.id, names[r.label], r.source, ...r.x].join()).join('\n')}\n`,
  )
const assay = (words, now) =>
  spawnSync(process.execPath, [bin, ...words, '--quiet'], { cwd: folder, encoding: 'utf8', env: { ...process.env, ASSAY_NOW: now } })

writeFileSync(
  join(folder, 'store.yaml'),
  'version: 1\nextends: preset:scheduled-audit\nsources: [{ path: store.csv, columns: { id: id, label: label, source: source }, features: [x0, x1, x2, x3, x4] }]\nreport: { formats: [json] }\n',
)
write()
let before = join(folder, 'first')
assay(['snapshot', 'store.yaml', '--out', before], '2026-01-01T00:00:00Z')
let named = null
let early = 0
for (let night = 1; night <= nights; night++) {
  if (uniform() < corrections) {
    const r = records[Math.floor(uniform() * rows)]
    r.label = 1 - r.label
  }
  const victims = records.filter((r) => r.label === 1)
  if (night >= from)
    for (let n = Math.max(1, Math.round(victims.length / 1000)); n > 0; n--) victims[Math.floor(uniform() * victims.length)].label = 0
  write()
  const run = join(folder, String(night))
  const now = new Date(Date.UTC(2026, 0, 1 + night)).toISOString()
  const { status, stderr } = assay(
    ['audit', 'store.yaml', '--only', 'label-flip', '--baseline', before, '--run-dir', run, '--seed', String(night)],
    now,
  )
  const report = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8'))
  const trends = report.findings.filter((f) => f.rule.startsWith('history/'))
  const { relabelled } = report.provenance.changes.counts
  console.log(
    `night ${night}: exit ${status}, ${relabelled} relabelled${stderr ? `, ${stderr.trim()}` : ''}${trends.map((f) => `\n  ${f.rule}: ${f.message}`).join('')}`,
  )
  if (night < from) early += trends.length
  else if (trends.some((f) => f.scope.names.includes('malignant'))) named ??= night
  before = join(run, 'snapshot')
}
console.log(`attack from night ${from}; named in night ${named ?? 'never'}; ${early} trends before it`)
rmSync(folder, { recursive: true, force: true })
