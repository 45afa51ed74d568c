import { describe, expect, it } from 'vitest'
import type { Conclusion } from '../../src/contracts/detector.ts'
import type { FileGrade } from '../../src/contracts/provenance.ts'
import { benjaminiHochberg } from '../../src/math/tests.ts'
import { splitView } from '../../src/provenance/split-view.ts'
import { ownedDomain, splitCounts } from '../../src/provenance/split-view-counts.ts'
import { type Attack, attacked, type Drift, drifted, file, graded, seeded, world } from './split-view-worlds.ts'

/** Findings that hold after the correction of the report. */
function significant({ findings, tests }: Conclusion): Conclusion['findings'] {
  const adjusted = benjaminiHochberg(tests.map(({ p }) => p))
  const held = new Set(tests.filter((_, i) => (adjusted[i] as number) <= 0.05).map(({ id }) => id))
  return findings.filter(({ test }) => test !== null && held.has(test))
}

/** `differ` of `compared` members of one domain. */
const members = (domain: string, label: string, differ: number, compared: number, from = 0): FileGrade[] =>
  Array.from({ length: compared }, (_, i) => file({ domain, label, changed: i < differ }, from + i))

const background = Array.from({ length: 200 }, (_, i) => members(`site-${i}.example`, `label ${i % 5}`, i % 2, 20, 1000 * i)).flat()

describe('domains', () => {
  it.each([
    ['https://img.cdn.example.co.uk/a.jpg', 'example.co.uk'],
    ['http://someone.blogspot.com/a.jpg', 'someone.blogspot.com'],
    ['https://user@EXAMPLE.com:8080/a', 'example.com'],
    ['http://192.168.0.1/a', '192.168.0.1'],
    ['http://localhost/a', 'localhost'],
    ['not an address', 'no domain'],
    ['', 'no domain'],
  ])('%s is owned as %s', (url, domain) => {
    expect(ownedDomain(url)).toBe(domain)
  })

  it('count what was compared apart from what is missing or has no digest', () => {
    const [one] = members('a.example', 'cat', 0, 1) as [FileGrade]
    const grades = ['verified', 'weak-digest', 'mismatched', 'missing', 'no-digest', 'placeholder-digest'] as const
    const counts = splitCounts([...grades.map((grade) => ({ ...one, grade })), { ...one, url: null }])
    expect(counts.all).toEqual({ compared: 3, differ: 1, missing: 1, hashless: 2 })
    expect(counts.labels.get('cat')).toEqual(counts.all)
    expect(counts.domains).toMatchObject([{ domain: 'a.example', compared: 3, differ: 1, missing: 1, hashless: 2 }])
  })
})

describe('a split view', () => {
  it('of files without addresses says nothing', () => {
    expect(splitView([{ ...(background[0] as FileGrade), url: null }])).toEqual({ findings: [], tests: [], notes: [] })
  })

  it('of a domain that changed wholly is named with its counts and the chance', () => {
    const result = splitView([...background, ...members('sold.example', 'stop sign', 30, 30, 1e6)])
    const [first] = significant(result)
    expect(first).toMatchObject({
      rule: 'provenance/split-view',
      severity: 'high',
      scope: { kind: 'source', names: ['sold.example'] },
      count: 30,
      test: 'split-view/domain: sold.example',
    })
    expect(first?.message).toMatch(
      /^30 of 30 files from sold\.example differ from the table \(100\.0 %\), and 2\.5 % of those from elsewhere: .*\(p = \d(\.\d+)?e-\d+\)\.$/,
    )
    const [shares, domains, labels] = first?.evidence ?? []
    expect(shares).toMatchObject({ kind: 'intervals', expected: 130 / 4030 })
    expect(shares?.kind === 'intervals' && shares.items[0]).toMatchObject({ name: 'sold.example', count: 30, total: 30, marked: true })
    expect(domains?.kind === 'table' && domains.rows[0]).toEqual(['sold.example', 30, 30, '100.0 %', 30, 0, 0, 'stop sign (30 of 30)'])
    expect(labels?.kind === 'table' && labels.rows[0]).toEqual(['stop sign', 30, 30, '100.0 %', 0, 0])
  })

  it('of one label within a domain is named', () => {
    const mixed = [...members('shop.example', 'cat', 4, 100, 1e6), ...members('shop.example', 'stop sign', 18, 20, 2e6)]
    const names = significant(splitView([...background, ...mixed])).map(({ scope }) => scope.names)
    expect(names).toContainEqual(['shop.example', 'stop sign'])
  })

  it('of a label over many domains is named', () => {
    const aimed = Array.from({ length: 40 }, (_, i) => [
      ...members(`mixed-${i}.example`, 'cat', 0, 10, 1e6 + 100 * i),
      ...members(`mixed-${i}.example`, 'stop sign', 1, 2, 2e6 + 100 * i),
    ]).flat()
    const found = significant(splitView([...background, ...aimed]))
    expect(found.map(({ scope, test }) => [scope.kind, ...scope.names, test])).toEqual([
      ['class', 'stop sign', 'split-view/label: stop sign'],
    ])
    expect(found[0]?.message).toContain('40 of 80 files labelled "stop sign"')
  })

  it('of domains that changed wholly and hold one label is named, though none of them stands out', () => {
    const sold = Array.from({ length: 12 }, (_, i) => members(`sold-${i}.example`, 'stop sign', 20, 20, 1e6 + 100 * i)).flat()
    const others = Array.from({ length: 12 }, (_, i) => members(`other-${i}.example`, 'stop sign', 0, 20, 2e6 + 100 * i)).flat()
    const found = significant(splitView([...background, ...sold, ...others]))
    expect(found.map(({ test }) => test)).toEqual(['split-view/label of changed domains: stop sign'])
    expect(found[0]?.message).toMatch(/^12 sites that changed for the most part hold mostly "stop sign", as do 24 of all sites as large/)
  })

  it('where nothing else changed is a fact, and no test', () => {
    const still = background.map((each) => ({ ...each, grade: 'verified' as const }))
    const result = splitView([...still, ...members('sold.example', 'cat', 30, 30, 1e6).map((each) => ({ ...each, actual: 'same' }))])
    expect(significant(result)).toEqual([])
    expect(result.findings).toMatchObject([{ severity: 'medium', confidence: 'certain', test: null, scope: { names: ['sold.example'] } }])
    expect(result.findings[0]?.message).toBe(
      'Of 30 files that differ from the table, 30 come from sold.example, where 30 of 30 differ: its owner replaced them, or it has another owner. They all have the same content.',
    )
  })

  it('of a table whose files were all converted says that it tells nothing', () => {
    const result = splitView(background.map((each) => ({ ...each, grade: 'mismatched' as const })))
    expect([result.findings, result.tests]).toEqual([[], []])
    expect(result.notes.join(' ')).toContain('they were converted after the download')
  })

  it('does not depend on the order of files', () => {
    const files = [...background, ...members('sold.example', 'stop sign', 30, 30, 1e6)]
    expect(splitView(files.toReversed())).toEqual(splitView(files))
  })
})

// Larger runs of the same simulation (40 worlds of 5,000 members for each of 12 kinds of drift without whole sites): 14 of 480 alarms.
describe('links that decay by themselves', () => {
  const drifts: readonly Drift[] = [
    ...[0.01, 0.05, 0.2].map((rate) => ({ kind: 'spread', rate }) as const),
    ...[0.01, 0.05, 0.2].flatMap((rate) => [30, 3, 0.5].map((strength) => ({ kind: 'uneven', rate, strength }) as const)),
    { kind: 'whole sites', rate: 0.03, share: 0.05 },
  ]

  it('seldom raise an alarm', () => {
    let alarms = 0
    for (const drift of drifts) {
      for (let run = 0; run < 8; run++) {
        const random = seeded(`decay ${JSON.stringify(drift)} ${run}`)
        const made = world(random, 2000, 10)
        if (significant(splitView(graded(made, drifted(random, made, drift)))).length > 0) alarms += 1
      }
    }
    expect(alarms / (8 * drifts.length)).toBeLessThanOrEqual(0.08)
  })
})

describe('an attack', () => {
  const found = (drift: Drift, attack: Attack, size: number): number => {
    let hits = 0
    for (let run = 0; run < 5; run++) {
      const random = seeded(`attack ${JSON.stringify([drift, attack])} ${run}`)
      const made = world(random, size, 20)
      const bad = attacked(random, made, attack)
      const names = new Set([...bad].flatMap((i) => [made.members[i]?.domain, made.members[i]?.label]))
      const changed = drifted(random, made, drift)
      const result = significant(splitView(graded(made, new Set([...changed, ...bad]))))
      if (result.some(({ scope }) => scope.names.every((name) => names.has(name)))) hits += 1
    }
    return hits
  }
  const spread = { kind: 'spread', rate: 0.05 } as const
  const uneven = { kind: 'uneven', rate: 0.05, strength: 3 } as const
  const sites = { kind: 'whole sites', rate: 0.03, share: 0.02 } as const

  it.each<[Drift, Attack, number, number]>([
    // 0.1 % of 10,000
    [spread, { kind: 'one domain', members: 10 }, 10_000, 4],
    [{ kind: 'uneven', rate: 0.05, strength: 30 }, { kind: 'one domain', members: 20 }, 10_000, 4],
    // 1 %
    [uneven, { kind: 'one label of a domain', members: 100 }, 10_000, 4],
    [uneven, { kind: 'domains of a label', members: 100 }, 10_000, 4],
    [sites, { kind: 'domains of a label', members: 100 }, 10_000, 4],
  ])('amid drift %j of the kind %j is found', (drift, attack, size, least) => {
    expect(found(drift, attack, size)).toBeGreaterThanOrEqual(least)
  })

  it('that looks like what other sites do is not claimed to be found', () => {
    expect(found(sites, { kind: 'one domain', members: 20 }, 10_000)).toBeLessThanOrEqual(1)
  })
})
