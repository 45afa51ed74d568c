import type { Finding, RecordRef, Test } from '../../contracts/finding.ts'
import type { CellTest } from '../../statistics/label-model/cells.ts'
import { pairsTested } from './agreement.ts'
import type { LabelTally } from './tally.ts'

const level = 0.05
const maxFindings = 20

/**
 * Findings for class pairs whose disagreements are spread over the predicted class like flipped records, not like hard ones.
 * @param kinds cells whose disagreements are kinds of records of their own: these have p 1
 */
export function testPairs(
  tally: LabelTally,
  kinds: readonly number[],
  top: readonly RecordRef[],
): { readonly findings: readonly Finding[]; readonly tests: readonly Test[] } {
  const cells = pairsTested(tally, kinds)
  const name = (c: CellTest) => `label-flip/class-pair: ${tally.classes[c.given]} given, ${tally.classes[c.predicted]} predicted`
  const tests = cells.map((c) => ({
    id: name(c),
    method:
      'one-sided exact binomial test of the share of deep disagreements, against a convex tail and against all other class pairs; 1 where they are a kind of record of their own',
    p: c.p,
  }))
  const suspicious = cells.filter((c) => c.p <= level).sort((a, b) => a.p - b.p)
  return { tests, findings: suspicious.slice(0, maxFindings).map((c) => finding(tally, c, name(c), top)) }
}

function finding(tally: LabelTally, c: CellTest, test: string, top: readonly RecordRef[]): Finding {
  const given = tally.classes[c.given] as string
  const predicted = tally.classes[c.predicted] as string
  const k = tally.classes.length
  const labelled = tally.cells.subarray(c.given * k, (c.given + 1) * k).reduce((sum, n) => sum + n, 0)
  const back = (tally.disagreements.atLeast[0] as Float64Array)[c.predicted * k + c.given] as number
  return {
    rule: 'label-flip/class-pair',
    severity: 'high',
    confidence: 'medium',
    scope: { kind: 'class-pair', names: [given, predicted] },
    message: `About ${Math.min(2 * c.deep, c.count)} records with label "${given}" are typical of "${predicted}": ${c.deep} of ${c.count} disagreements lie in the inner half of "${predicted}", where hard records hardly reach.`,
    count: Math.min(2 * c.deep, c.count),
    records: top.filter((r) => r.givenLabel === given && r.suggestedLabel === predicted).slice(0, 20),
    evidence: [
      {
        kind: 'numbers',
        title: `Given "${given}", predicted "${predicted}"`,
        items: [
          { name: `records labelled "${given}"`, value: labelled },
          { name: `of these predicted "${predicted}"`, value: c.count },
          { name: `of these in the inner half of "${predicted}"`, value: c.deep },
          { name: 'expected there for hard records, at most', value: Number((c.count / 4).toFixed(1)) },
          { name: `the other way round: labelled "${predicted}", predicted "${given}"`, value: back },
        ],
      },
    ],
    test,
    action: `Have a second reader label the flagged records from "${given}" to "${predicted}"; ask who changed or assigned these labels, and when.`,
  }
}
