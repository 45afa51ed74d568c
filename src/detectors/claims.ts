import type { Conclusion, Detector } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { claimCounts, claimRoles, eachClaims } from '../statistics/claim-counts.ts'
import { type ClaimTable, claimTable, claimTableId } from '../statistics/claim-table.ts'
import { claimFinder, sameValue } from '../statistics/claims/extract.ts'
import { joiningFinder } from '../statistics/claims/relations.ts'
import { eachJoining, type JoinedClaims, joinedClaims, joinedClaimsId, keyOf } from '../statistics/joined-claims.ts'
import { type Alarm, alarmsOf } from './claims/alarms.ts'
import { amountFinding } from './claims/amount-finding.ts'
import { type JoinedAlarm, joinedAlarms, joinedFinding } from './claims/joined.ts'
import { type ClaimsOptions, claimsOptions, unitsOf } from './claims/options.ts'
import { type ClaimsTally, claimsTally, type Quoted, quotedRecords } from './claims/tally.ts'

const parts = (options: ClaimsOptions) => ({ units: unitsOf(options), cells: 2 ** 21, size: 60_000, least: options.records })
const joinedParts = (options: ClaimsOptions) => ({ table: options.table.joined, size: 60_000 })

const amountsIn = (c: Context<ClaimsOptions>): readonly Alarm[] =>
  alarmsOf(c.summaries.get<ClaimTable>(claimTableId(parts(c.options))).entries, c.options.table.amounts, c.options)

const joinedOf = (c: Context<ClaimsOptions>): JoinedClaims | null =>
  c.options.table.joined.length > 0 ? c.summaries.get<JoinedClaims>(joinedClaimsId(joinedParts(c.options))) : null

function joinedIn(c: Context<ClaimsOptions>): readonly JoinedAlarm[] {
  const fit = joinedOf(c)
  return fit ? joinedAlarms(fit, c.options.table.joined, c.options.records) : []
}

const flagScore = 0.9
const most = 10

/**
 * Statements that many records repeat and that the owner's table, or for numbers all the other records, contradict or do not support (after
 * Alber et al. 2024, Medical large language models are vulnerable to data-poisoning attacks).
 */
export const claims: Detector<ClaimsOptions, ClaimsTally, Readonly<Record<string, readonly Quoted[]>>> = {
  id: 'claims',
  version: 2,
  title: 'Repeated claims',
  rules: [
    { id: 'claims/contradicted', title: 'Repeated claim that the owner\u2019s table contradicts', family: 'data-provenance' },
    { id: 'claims/unsupported', title: 'Repeated claim that the owner\u2019s table does not support', family: 'data-provenance' },
    { id: 'claims/deviating', title: 'Repeated value far from the consensus of the corpus', family: 'data-provenance' },
  ],
  options: claimsOptions as unknown as { parse(input: unknown): ClaimsOptions },
  missing: (setup) => (claimRoles.some((role) => setup.subject.includes(role)) ? null : 'no column has the role text or response'),
  mode: ({ table: { amounts, joined } }) =>
    [
      ...(amounts.length > 0 ? [`the owner's table of ${amounts.length} amounts`] : []),
      ...(joined.length > 0 ? [`the owner's table of ${joined.length} claims without a number`] : []),
      'the consensus of the corpus',
    ].join(', '),
  reads: (_, setup) => ['source', ...claimRoles.filter((role) => setup.subject.includes(role))],
  statistics: (options) => [
    claimCounts({ units: unitsOf(options), cells: parts(options).cells }),
    claimTable(parts(options)),
    ...(options.table.joined.length > 0 ? [joinedClaims(joinedParts(options))] : []),
  ],
  scorer(c) {
    const amounts = amountsIn(c)
    const joined = joinedIn(c)
    const byValue = new Map<string, { readonly code: number; readonly subjects: ReadonlySet<string> }[]>()
    amounts.forEach((a, code) => {
      const key = `${a.value} ${a.measures}`
      byValue.set(key, [...(byValue.get(key) ?? []), { code, subjects: new Set(a.subjects) }])
    })
    const byKey = new Map(joined.map((a, i) => [keyOf(a), amounts.length + i]))
    const find = claimFinder(unitsOf(c.options))
    const findJoined = joiningFinder(c.options.table.joined)
    return (batch) => {
      const score = new Float64Array(batch.numRows)
      const codes = new Int32Array(batch.numRows).fill(-1)
      const flag = (i: number, code: number | undefined): void => {
        if (code === undefined || (codes[i] as number) >= 0) return
        score[i] = flagScore
        codes[i] = code
      }
      if (joined.length > 0)
        eachJoining(batch, findJoined, (i, _, found) => {
          for (const claim of found.flat()) flag(i, byKey.get(keyOf(claim)))
        })
      if (amounts.length > 0)
        eachClaims(batch, find, (i, found) => {
          for (const claim of found) {
            const alarms = byValue.get(`${sameValue(claim.value)} ${claim.measures}`)
            flag(i, alarms?.find((a) => claim.subjects.some((s) => a.subjects.has(s)))?.code)
          }
        })
      return { score, group: { codes, values: [...amounts, ...joined].map((a) => a.name) } }
    }
  },
  tally: claimsTally,
  decide: (c) => [...amountsIn(c), ...joinedIn(c)].map((a) => ({ rule: `claims/${a.kind}`, group: a.name, atLeast: flagScore })),
  evidence: quotedRecords,
  evidenceReads: [...claimRoles],
  conclude(c, counted, quoted, flagged): Conclusion {
    const { entries, limited } = c.summaries.get<ClaimTable>(claimTableId(parts(c.options)))
    const fit = joinedOf(c)
    const find = joiningFinder(c.options.table.joined)
    const notes = [`${entries.length} words and pairs of words stand beside amounts in ${c.options.records} records or more.`]
    if (fit)
      notes.push(
        `${fit.joined} sentences join a subject and an object of the table; it supports ${fit.supported} of them, and says otherwise of ${fit.claims.filter((x) => x.kind === 'contradicted').length} claims and nothing of ${fit.claims.filter((x) => x.kind === 'unsupported').length}.`,
      )
    notes.push(
      `Not seen: values within the factor${fit ? ', claims that name a subject, relation or object otherwise than the table' : ', and without an owner\u2019s table claims without a number'}, claims spread over sentences, and fewer than ${c.options.records} records.`,
    )
    if (limited || fit?.limited) notes.push('More claims repeat than are kept: a keyed sample of them was compared.')
    const quotes = (name: string): readonly Quoted[] => quoted?.[name] ?? []
    const findings = [
      ...amountsIn(c).map((a) => amountFinding(a, counted, quotes(a.name), flagged)),
      ...joinedIn(c).map((a) => joinedFinding(a, fit as JoinedClaims, counted, quotes(a.name), flagged, find)),
    ].sort((a, b) => b.count - a.count)
    if (findings.length > most) notes.push(`${findings.length} repeated claims were found; the ${most} in most records are shown.`)
    return { findings: findings.slice(0, most), tests: [], notes }
  },
}
