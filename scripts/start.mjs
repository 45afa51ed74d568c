// `npm start` on a fresh clone: sets everything up, audits three real data sets, each as published and poisoned, and says what came out.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root, run, say, script, seconds, setUp } from './setup.mjs'

const audits = [
  { name: 'wisconsin-breast-cancer', twin: 'poisoned', exit: 1 },
  { name: 'wisconsin-breast-cancer', twin: 'clean', exit: 0 },
  { name: 'mnist-vendors', twin: 'poisoned', exit: 1 },
  { name: 'mnist-vendors', twin: 'clean', exit: 0 },
  { name: 'zeros-ones', twin: 'vendor', exit: 1, finds: ['provenance/mismatch', 'provenance/class-selective-removal'] },
  { name: 'zeros-ones', twin: 'publisher', exit: 0, finds: ['provenance/weak-digest', 'provenance/unsigned'] },
]
const words = ['passed', 'FAILED', 'incomplete', 'nothing audited', 'usage error']

async function audit({ name, twin, exit, finds = [] }) {
  const runDir = join(root, 'runs/start', `${name}-${twin}`)
  rmSync(runDir, { recursive: true, force: true })
  const since = performance.now()
  console.log(`\n--- ${name}, ${twin}: assay audit datasets/${name}/${twin}/pipeline.yaml`)
  const { code } = await run(process.execPath, [
    join(root, 'dist/cli/bin.js'),
    'audit',
    join('datasets', name, twin, 'pipeline.yaml'),
    '--run-dir',
    runDir,
    '--seed',
    '1',
  ])
  const html = join(runDir, 'report.html')
  const json = join(runDir, 'report.json')
  const report = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : { findings: [] }
  const missing = finds.filter((rule) => !report.findings.some((finding) => finding.rule === rule))
  if (missing.length > 0) console.log(`Not found, and expected: ${missing.join(', ')}`)
  return {
    data: `${name} (${twin})`,
    gate: words[code] ?? `exit ${code}`,
    expected: words[exit],
    findings: existsSync(json) ? findings(report) : '-',
    took: seconds(since),
    report: existsSync(html) ? relative(process.cwd(), html) : 'none',
    right: code === exit && missing.length === 0 && existsSync(html),
  }
}

/** "2 high, 1 review" */
function findings(report) {
  const counts = new Map()
  for (const { severity } of report.findings) counts.set(severity, (counts.get(severity) ?? 0) + 1)
  return [...counts].map(([severity, count]) => `${count} ${severity}`).join(', ') || 'none'
}

function table(rows) {
  const columns = ['data', 'gate', 'expected', 'findings', 'took', 'report']
  const head = { data: 'data set', gate: 'gate', expected: 'expected', findings: 'findings', took: 'time', report: 'report' }
  const widths = columns.map((name) => Math.max(...[head, ...rows].map((row) => row[name].length)))
  const line = (row) =>
    columns
      .map((name, i) => row[name].padEnd(widths[i]))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

await script(async () => {
  const since = performance.now()
  await setUp()
  const ready = performance.now()
  const rows = []
  for (const each of audits) rows.push(await audit(each))
  console.log(`\n${table(rows)}\n`)
  const wrong = rows.filter((row) => !row.right).length
  if (wrong === 0)
    console.log("The poisoned sets and the vendor's copy fail their gate, the others pass. Open a report in a browser: it works offline.")
  else console.log(`${wrong} of ${rows.length} audits did not end as expected.`)
  console.log("Next, your own data: npx assay audit FILE.csv (README: 'Audit your own data').")
  say(`${audits.length} audits in ${seconds(ready)}; everything in ${seconds(since)}.`)
  return wrong === 0 ? 0 : 1
})
