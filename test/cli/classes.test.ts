import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { folderFor, worstExit } from '../../src/cli/classes.ts'
import { assay } from './harness.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'assay-classes-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('incomplete outranks failed, and failed outranks passed', () => {
  expect(worstExit([0, 1, 0])).toBe(1)
  expect(worstExit([1, 2, 0])).toBe(2)
  expect(worstExit([0, 0])).toBe(0)
  expect(folderFor('a/b ../c', 0)).toBe('class-1-a_b_c')
})

/** Two findings that come and go independently; `ann` never sees the second. */
const records = Array.from({ length: 400 }, (_, i) => {
  const [a, b] = [i % 2 === 0, i % 3 === 0]
  const source = i % 4 < 2 ? 'ann' : 'bob'
  const tags = [...(a ? ['nodule'] : []), ...(b && !(source === 'ann' && i % 5 < 2) ? ['mass'] : [])]
  return { id: `r${i}`, tags, source, x: (a ? 4 : 0) + (i % 7) / 7, y: (b ? 4 : 0) + (i % 11) / 11 }
})

test('each class of records with several labels is audited by itself', async () => {
  writeFileSync(join(dir, 'scans.jsonl'), records.map((r) => JSON.stringify(r)).join('\n'))
  writeFileSync(
    join(dir, 'p.yaml'),
    'version: 1\nsubject: { name: scans }\nsources: [{ path: scans.jsonl, multilabel: true, classes: [nodule, mass], columns: { id: id, label: tags, source: source, features: [x, y] } }]\nreport: { flags: jsonl }\n',
  )
  const runDir = join(dir, 'run')
  const { stdout } = await assay(['audit', join(dir, 'p.yaml'), '--run-dir', runDir, '--only', 'label-flip', '--seed', '1'])
  expect(stdout).toContain('scans: nodule')
  expect(stdout).toContain('scans: mass')
  const flagged = (folder: string) =>
    readFileSync(join(runDir, folder, 'flags.jsonl'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { id: string; given_label: string })
  expect(existsSync(join(runDir, 'class-1-nodule/report.html'))).toBe(true)
  expect(flagged('class-1-nodule')).toEqual([])
  const hidden = records.filter((_, i) => i % 3 === 0 && i % 4 < 2 && i % 5 < 2).map((r) => r.id)
  const found = flagged('class-2-mass')
  expect(found.every((f) => f.given_label === 'not mass')).toBe(true)
  expect(found.filter((f) => hidden.includes(f.id)).length).toBeGreaterThan(hidden.length / 2)
}, 120_000)

test('classes have to be named, and a plan by itself is of one label', async () => {
  writeFileSync(join(dir, 'q.yaml'), 'version: 1\nsources: [{ path: scans.jsonl, multilabel: true }]\n')
  const { code, stderr } = await assay(['audit', join(dir, 'q.yaml'), '--run-dir', join(dir, 'r2')])
  expect(code).toBe(4)
  expect(stderr).toContain('needs classes')
  const plan = await assay(['plan', join(dir, 'p.yaml'), '--run-dir', join(dir, 'r3')])
  expect(plan.code).toBe(4)
  expect(plan.stderr).toContain('one class at a time')
})
