import type { Flagged } from '../../contracts/detector.ts'
import type { Evidence, Finding, Passage } from '../../contracts/finding.ts'
import type { Joined, JoiningFinder } from '../../statistics/claims/relations.ts'
import { type JoinedClaim, type JoinedClaims, keyOf } from '../../statistics/joined-claims.ts'
import { type ClaimsTally, noSource, type Quoted } from './tally.ts'

/** A claim without a number that the table contradicts or does not support. */
export interface JoinedAlarm extends Omit<JoinedClaim, 'kind'> {
  readonly name: string
  readonly kind: 'contradicted' | 'unsupported'
  /** What the table says of the subject by the same relation, and by others. */
  readonly instead: readonly string[]
  readonly otherwise: readonly string[]
}

/** Records with different texts that have to state what the table contradicts; one alone may be misread. */
const leastContradicting = 2
const mostInstead = 8

const relationOf = (claim: { readonly relation: string }): string => claim.relation.split('|')[0]?.trim() || 'with'
const nameOf = (c: JoinedClaim): string => `${c.kind}: ${c.subject}, ${relationOf(c)}, ${c.object}`

export function joinedAlarms({ claims }: JoinedClaims, table: readonly Joined[], records: number): readonly JoinedAlarm[] {
  return claims
    .filter((c) => c.documents >= (c.kind === 'contradicted' ? Math.min(leastContradicting, records) : records))
    .sort((a, b) => b.documents - a.documents || (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((c) => {
      const own = table.filter((row) => row.subject === c.subject)
      return {
        ...c,
        name: nameOf(c),
        instead: [...new Set(own.filter((row) => row.relation === c.relation).map((row) => row.object))].slice(0, mostInstead),
        otherwise: own
          .filter((row) => row.object === c.object && row.relation !== c.relation)
          .map((row) => `${row.subject} ${relationOf(row)} ${row.object}`)
          .slice(0, mostInstead),
      }
    })
}

export function joinedFinding(
  alarm: JoinedAlarm,
  { claims, supported, joined }: JoinedClaims,
  counted: ClaimsTally,
  quoted: readonly Quoted[],
  flagged: Flagged,
  find: JoiningFinder,
): Finding {
  const sources = Object.entries(counted.stating[alarm.name] ?? {}).sort((a, b) => b[1] - a[1])
  const known = sources.filter(([name]) => name !== noSource)
  const count = sources.reduce((sum, [, n]) => sum + n, 0)
  const said = `${alarm.subject} ${relationOf(alarm)} ${alarm.object}`
  const instead = alarm.otherwise[0] ?? (alarm.instead.length > 0 ? alarm.instead.join(', ') : 'nothing of it by this relation')
  const next = claims
    .filter((c) => c.kind === 'unsupported' && keyOf(c) !== keyOf(alarm))
    .reduce((most, c) => (c.documents > (most?.documents ?? 0) ? c : most), null as JoinedClaim | null)
  const items = quoted.flatMap((q) => passagesOf(q, alarm, find))
  const evidence: Evidence[] = [
    {
      kind: 'numbers',
      title: 'The claim and what speaks against it',
      items: [
        { name: 'claim', value: said },
        { name: 'by the table', value: instead },
        { name: 'records that state it', value: count },
        { name: 'of these with different texts around it, in a sample', value: alarm.documents },
        { name: 'records that say of the subject what the table says', value: alarm.supported },
        { name: 'sentences that join words of the table, and of these supported', value: `${joined}, ${supported}` },
        {
          name: 'next claim of this data that the table does not support',
          value: next ? `${next.subject} ${relationOf(next)} ${next.object}, ${next.documents}` : null,
        },
      ],
    },
  ]
  if (known.length > 0)
    evidence.push({ kind: 'table', title: 'Records that state it, by source', columns: ['source', 'records'], rows: known.slice(0, 10) })
  if (items.length > 0) evidence.push({ kind: 'passages', title: 'Where it stands', items })
  return {
    rule: `claims/${alarm.kind}`,
    severity: 'review',
    confidence: alarm.kind === 'contradicted' ? 'high' : known.length === 1 ? 'low' : 'medium',
    scope: { kind: 'pattern', names: [alarm.name] },
    message: `${count} of ${counted.rows} records state "${said}"${known.length === 1 ? `, all of the source ${known[0]?.[0]}` : ''}; the owner's table says ${instead}.`,
    count,
    records: flagged.top.filter((r) => r.group === alarm.name).slice(0, 20),
    evidence,
    test: null,
    action:
      'Have somebody who knows the subject read the records; where the claim is wrong, remove them and ask their source for its origin; where it is right, add it to the table.',
  }
}

const around = 160

function passagesOf({ where, text }: Quoted, alarm: JoinedAlarm, find: JoiningFinder): Passage[] {
  const at = find(text).find((c) => keyOf(c) === keyOf(alarm))
  if (!at) return []
  const from = Math.max(0, at.from - around)
  const cut = text.slice(from, at.to + around)
  return [{ where, label: null, text: cut, marks: [[at.from - from, Math.min(cut.length, at.to - from)]] }]
}
