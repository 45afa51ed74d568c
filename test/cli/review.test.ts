import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { folder } from '../sources/make.ts'
import { assay, capture } from './harness.ts'

const home = folder()
const at = (name: string): string => join(home.dir, name)
const wrong = [7, 30, 41]

/** Predictions that agree with the label but for the rows in `wrong`. */
const table = [
  'id,p_a,p_b,label',
  ...Array.from({ length: 100 }, (_, i) => `"r, ${i}",${i % 2 ? '0.1,0.9' : '0.9,0.1'},${(i % 2 === 1) !== wrong.includes(i) ? 'b' : 'a'}`),
  '',
].join('\n')
writeFileSync(at('a.csv'), table)
const columns = ['--id', 'id', '--label', 'label', '--predictions', 'p_a,p_b', '--only', 'label-flip', '--seed', '1', '--progress', 'none']

/** A review as a person opens it: the link is taken from the terminal, the page's own requests are sent, Ctrl-C ends it. */
async function reviewing(runDir: string, act: (post: (path: string, body: unknown) => Promise<unknown>) => Promise<void>): Promise<number> {
  const [stdout, stderr, stop] = [capture(), capture(), new AbortController()]
  const ended = run(['review', runDir, '--reviewer', 'Ada'], {
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdin: process.stdin,
    env: { ASSAY_NOW: '2026-11-23T09:00:00Z' },
    signal: stop.signal,
  })
  await expect.poll(stdout.text, { timeout: 60_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/)
  const [link = ''] = /http:\S+/.exec(stdout.text()) ?? []
  const { origin } = new URL(link)
  const cookie = (await fetch(link)).headers.get('set-cookie')?.split(';')[0] ?? ''
  await act(async (path, body) => {
    const response = await fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { cookie, origin, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(200)
    return response.json()
  })
  stop.abort()
  const code = await ended
  expect(stderr.text()).toBe('')
  return code
}

describe('from an audit to a clean copy', () => {
  it('the confirmed records are gone and nothing else has changed', async () => {
    const first = await assay(['audit', at('a.csv'), ...columns, '--run-dir', at('run'), '--exit-zero', '--flags', 'jsonl'])
    expect([first.code, first.stderr.replace(/^.*guess.*$/gm, '').trim()]).toEqual([0, ''])
    const flagged = readFileSync(at('run/flags.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { id: string })
    expect(flagged.map((f) => f.id).sort()).toEqual(wrong.map((i) => `r, ${i}`).sort())

    const decide = (n: number, decision: string, note: string | null = null) => ({
      target: { kind: 'record', at: n },
      decision,
      label: null,
      note,
    })
    expect(
      await reviewing(at('run'), async (post) => {
        for (const [n] of flagged.entries()) await post('/api/decisions', decide(n, 'confirm', 'label of another patient'))
        await post('/api/decisions', { target: { kind: 'finding', at: 0 }, decision: 'dismiss', label: null, note: 'known, and corrected' })
      }),
    ).toBe(0)

    const cleaned = await assay(['clean', '--decisions', at('run/decisions.jsonl'), '--out', at('cleaned')])
    expect([cleaned.code, cleaned.stderr]).toEqual([0, ''])
    expect(cleaned.stdout).toMatch(/^97 records kept, 3 removed\n/)
    const removed = readFileSync(at('cleaned/removed.csv'), 'utf8').trimEnd().split('\n')
    expect(removed.length).toBe(4)
    expect(removed[1]).toMatch(
      /^removed,"r, \d+",[0-9a-f]{32},[^,]*a\.csv,\d+,[ab],,confirmed poison,label of another patient,label-flip\/record,/,
    )
    expect((await assay(['verify', at('cleaned')])).stdout).toMatch(/verified/)

    const again = await assay(['audit', at('cleaned/a.csv'), ...columns, '--run-dir', at('again'), '--flags', 'jsonl'])
    expect(again.code).toBe(0)
    expect(readFileSync(at('again/flags.jsonl'), 'utf8')).toBe('')

    const changes = at('changes.jsonl')
    await assay(['diff', at('a.csv'), at('cleaned/a.csv'), '--id', 'id', '--label', 'label', '--out', changes])
    const changed = readFileSync(changes, 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as { kind: string; id_before: string })
    expect(changed.map((c) => [c.kind, c.id_before]).sort()).toEqual(flagged.map((f) => ['removed', f.id]).sort())

    const waivers = await assay(['review', at('run'), '--export-waivers', at('waivers.yaml'), '--expires-in', '30'])
    expect([waivers.code, waivers.stdout]).toEqual([0, expect.stringContaining('1 waiver for 30 days')])
    expect(readFileSync(at('waivers.yaml'), 'utf8')).toMatch(/statement: known, and corrected \(Ada, 2026-11-23\)\n\s+expires: 2026-12-23/)
  }, 120_000)

  it('refuses what it cannot do, and says what to do', async () => {
    expect((await assay(['review', home.dir])).stderr).toMatch(/holds no finished audit[\s\S]*name the run directory/)
    expect((await assay(['clean', '--out', at('x')])).code).toBe(4)
    expect(
      (await assay(['clean', '--decisions', at('run/decisions.jsonl'), '--out', at('x'), '--apply-labels', '--only-dismissed'])).stderr,
    ).toMatch(/exclude each other/)
    cpSync(at('run'), at('delivery/run'), { recursive: true })
    cpSync(at('a.csv'), at('delivery/a.csv'))
    expect((await assay(['clean', at('delivery'), '--decisions', at('delivery/run/decisions.jsonl'), '--out', at('x')])).stderr).toMatch(
      /lies in the data/,
    )
    writeFileSync(at('b.csv'), table.replace('r, 3"', 'r, 300"'))
    const other = await assay(['clean', at('b.csv'), '--decisions', at('run/decisions.jsonl'), '--out', at('x')])
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('b.csv: is not the file that the run audited')])
    expect((await assay(['convert', at('run'), '--to', 'sarif', '--template', 'medical-device'])).stderr).toMatch(
      /--template is for html and pdf/,
    )
    expect((await assay(['convert', at('run'), '--to', 'html', '--sign', 'k'])).stderr).toMatch(/a signature lies beside a file/)
    expect((await assay(['convert', at('run'), '--to', 'pdf'], { tty: true })).stderr).toMatch(/nothing for a terminal/)
    expect(existsSync(at('x'))).toBe(false)
  })
})
