import type { Role } from '../contracts/data.ts'
import { type AuditOutcome, type ProvenanceOutcome, provenanceId } from '../contracts/outcome.ts'
import type { Family } from '../taxonomy/taxonomies.ts'

export interface BlindSpot {
  readonly kind: 'not-covered' | 'limit'
  readonly family: string
  readonly title: string
  readonly sentence: string
}

/** What the audit had, for the question whether an attack could have been seen. */
interface Seen {
  readonly families: ReadonlySet<Family>
  readonly roles: ReadonlySet<Role>
  readonly reference: boolean
  /** Null where provenance was not checked. */
  readonly provenance: ProvenanceOutcome | null
}

interface Spot extends BlindSpot {
  readonly applies: (seen: Seen) => boolean
}

const has = (seen: Seen, ...roles: readonly Role[]): boolean => roles.some((role) => seen.roles.has(role))

const spots: readonly Spot[] = [
  {
    kind: 'not-covered',
    family: 'label-flip',
    title: 'Label flips',
    sentence: 'Records whose label was changed to another class: no detector that ran compares labels with content.',
    applies: (seen) => !seen.families.has('label-flip'),
  },
  {
    kind: 'limit',
    family: 'label-flip',
    title: 'A whole subpopulation flipped',
    sentence:
      'When every record of a kind carries the wrong label, the data agrees with itself; only trusted reference records can show it, and this audit had none.',
    applies: (seen) => seen.families.has('label-flip') && !seen.reference,
  },
  {
    kind: 'limit',
    family: 'label-flip',
    title: 'Few flips, spread evenly',
    sentence:
      'A handful of flipped labels, spread over classes and sources in proportion, looks like ordinary annotation error: such records are ranked for review and no test accuses them.',
    applies: (seen) => seen.families.has('label-flip'),
  },
  {
    kind: 'not-covered',
    family: 'clean-label',
    title: 'Clean-label poisoning',
    sentence:
      'Records with a correct label and slightly altered content, placed to move the decision for one target: no detector that ran looks for them.',
    applies: (seen) => !seen.families.has('clean-label'),
  },
  {
    kind: 'limit',
    family: 'clean-label',
    title: 'Poison that mixes with its class',
    sentence:
      'Records placed by the features of another network than the one that made these embeddings, or changed too little to move in them, lie among the others: no score finds what the embedding does not show.',
    applies: (seen) => seen.families.has('clean-label'),
  },
  {
    kind: 'not-covered',
    family: 'trigger',
    title: 'Backdoor triggers in images',
    sentence:
      'A small mark, pattern or blend that teaches a model to answer with the target class: no detector that ran looks at the pixels for one.',
    applies: (seen) => !seen.families.has('trigger') && has(seen, 'image', 'embedding'),
  },
  {
    kind: 'not-covered',
    family: 'trigger',
    title: 'Backdoor triggers in text',
    sentence: 'A word, phrase or style that teaches a model to answer with the target class: no detector that ran looks for one.',
    applies: (seen) => !seen.families.has('trigger') && has(seen, 'text', 'response'),
  },
  {
    kind: 'not-covered',
    family: 'trigger',
    title: 'Backdoor triggers in columns',
    sentence: 'A combination of feature values that teaches a model to answer with the target class: no detector that ran looks for one.',
    applies: (seen) => !seen.families.has('trigger') && has(seen, 'features'),
  },
  {
    kind: 'not-covered',
    family: 'hidden-instructions',
    title: 'Hidden text and instructions',
    sentence: 'Invisible characters or instructions to a language model inside the text: no detector that ran looks for them.',
    applies: (seen) => !seen.families.has('hidden-instructions') && has(seen, 'text', 'response'),
  },
  {
    kind: 'not-covered',
    family: 'data-provenance',
    title: 'Provenance',
    sentence:
      'Whether these files are the ones the publisher released, and what changed since the last delivery: no manifest, signature or snapshot was checked.',
    applies: (seen) => seen.provenance === null,
  },
  {
    kind: 'limit',
    family: 'data-provenance',
    title: 'No manifest of the publisher',
    sentence: 'Whether these files are the ones the publisher released: there was no manifest to compare them with.',
    applies: ({ provenance }) => provenance?.manifests.length === 0,
  },
  {
    kind: 'limit',
    family: 'data-provenance',
    title: 'Manifests that nobody vouches for',
    sentence:
      'A manifest that lies beside the files proves only that they fit together: whoever could change a file could write a new digest beside it. No signature by anybody whom the policy trusts covers a file here.',
    applies: ({ provenance }) => !!provenance?.manifests.length && (provenance.coverage?.signedFiles ?? 0) === 0,
  },
  {
    kind: 'limit',
    family: 'data-provenance',
    title: 'Weak digests',
    sentence:
      'MD5, SHA-1 and checksums can be forged: a file that only they vouch for may be one of two that were prepared to share a digest.',
    applies: ({ provenance }) => (provenance?.coverage?.byGrade['weak-digest'].files ?? 0) > 0,
  },
  {
    kind: 'limit',
    family: 'data-provenance',
    title: 'No baseline',
    sentence:
      'Which records were removed, added, edited or relabelled, and whether the changes pile up in one place: there was no trusted snapshot or original to compare with.',
    applies: ({ provenance }) => provenance !== null && provenance.changes === null,
  },
  {
    kind: 'limit',
    family: 'data-provenance',
    title: 'What was wrong from the start',
    sentence:
      'Provenance shows that the data are those of the publisher or of the baseline. If they were poisoned before they were signed or recorded, they still are.',
    applies: ({ provenance }) => provenance !== null && (provenance.changes !== null || provenance.manifests.length > 0),
  },
  {
    kind: 'not-covered',
    family: 'base-model',
    title: 'Poisoned base models',
    sentence: 'A model that training starts from may carry a backdoor or code of its own: this audit read data and no model.',
    applies: (seen) => !seen.families.has('base-model'),
  },
]

/** What this audit cannot see: attacks that no detector that ran covers, and the limits of those that did. */
export function blindSpotsOf(outcome: AuditOutcome): readonly BlindSpot[] {
  const ran = outcome.detectors.filter((d) => d.status === 'ran')
  const seen: Seen = {
    families: new Set(ran.flatMap((d) => d.rules.map((rule) => rule.family))),
    roles: new Set(outcome.columns.flatMap((c) => (c.role ? [c.role] : []))),
    reference: outcome.rows.reference > 0,
    provenance: ran.some((d) => d.id === provenanceId) ? outcome.provenance : null,
  }
  return spots.filter((spot) => spot.applies(seen)).map(({ kind, family, title, sentence }) => ({ kind, family, title, sentence }))
}
