import type { Role } from '../contracts/data.ts'
import { baseModelId, type ProvenanceOutcome } from '../contracts/outcome.ts'

export interface BlindSpot {
  readonly kind: 'not-covered' | 'limit'
  readonly family: string
  readonly title: string
  readonly sentence: string
}

/** What the audit had, for the question whether an attack could have been seen. */
export interface Seen {
  /** Ids of the detectors that ran. */
  readonly ran: ReadonlySet<string>
  /** A model was named; null where none was. True: it was asked about a trigger. */
  readonly asked: boolean | null
  /** Files of a model were looked into. */
  readonly scanned: boolean
  readonly roles: ReadonlySet<Role>
  /** Annotations with a mask, of which only the box is read. */
  readonly masks: boolean
  readonly reference: boolean
  /** Null where provenance was not checked. */
  readonly provenance: ProvenanceOutcome | null
}

export interface Spot extends BlindSpot {
  readonly applies: (seen: Seen) => boolean
}

const has = (seen: Seen, ...roles: readonly Role[]): boolean => roles.some((role) => seen.roles.has(role))
const ran = (seen: Seen, ...ids: readonly string[]): boolean => ids.some((id) => seen.ran.has(id))

const missed = (family: string, title: string, sentence: string, applies: Spot['applies']): Spot => ({
  kind: 'not-covered',
  family,
  title,
  sentence,
  applies,
})
const limit = (family: string, title: string, sentence: string, applies: Spot['applies']): Spot => ({
  kind: 'limit',
  family,
  title,
  sentence,
  applies,
})

const inEmbeddings = ['embedding-outlier', 'spectral', 'embedding-cluster'] as const
const inText = ['trigger-text', 'planted-document', 'instruction-poison'] as const

const labels: readonly Spot[] = [
  missed(
    'label-flip',
    'Label flips',
    'Records whose label was changed to another class: no detector that ran compares labels with content.',
    (seen) => !ran(seen, 'label-flip'),
  ),
  limit(
    'label-flip',
    'A whole subpopulation flipped',
    'When every record of a kind carries the wrong label, the data agrees with itself; only trusted reference records can show it, and this audit had none.',
    (seen) => ran(seen, 'label-flip') && !seen.reference,
  ),
  limit(
    'label-flip',
    'Few flips, spread evenly',
    'A handful of flipped labels, spread over classes and sources in proportion, looks like ordinary annotation error: such records are ranked for review and no test accuses them.',
    (seen) => ran(seen, 'label-flip'),
  ),
]

const cleanLabel: readonly Spot[] = [
  missed(
    'clean-label',
    'Clean-label poisoning',
    'Records with a correct label and slightly altered content, placed to move the decision for one target: no detector that ran looks for them.',
    (seen) => !ran(seen, ...inEmbeddings, 'perturbation-noise'),
  ),
  missed(
    'clean-label',
    'Perturbed pixels',
    'Noise that the eye does not see, added to pictures with a correct label: no detector that ran measures it.',
    (seen) => has(seen, 'image') && ran(seen, ...inEmbeddings) && !ran(seen, 'perturbation-noise'),
  ),
  missed(
    'clean-label',
    'Poison in embedding space',
    'Records that lie far from their class, or too close together in it: no detector that ran looks at embeddings for them.',
    (seen) => has(seen, 'image', 'embedding') && ran(seen, 'perturbation-noise') && !ran(seen, ...inEmbeddings),
  ),
  limit(
    'clean-label',
    'Poison that the embedding does not tell apart',
    'Outliers, spectra and clusters see what the embedding separates; they rank records for review, and no test stands behind them. Poison that was made against another model may lie in the middle of its class here.',
    (seen) => ran(seen, ...inEmbeddings),
  ),
  limit(
    'clean-label',
    'Perturbations below the noise',
    'Changes that lossy compression took away again, or that are weaker than the noise of pictures of the same source and codec, are not measured.',
    (seen) => ran(seen, 'perturbation-noise'),
  ),
]

const images: readonly Spot[] = [
  missed(
    'trigger',
    'Backdoor triggers in images',
    'A small mark, pattern or blend that teaches a model to answer with the target class: no detector that ran looks at the pixels for one.',
    (seen) => has(seen, 'image') && !ran(seen, 'trigger-image'),
  ),
  missed(
    'trigger',
    'Backdoor triggers behind embeddings',
    'A mark or pattern that teaches a model to answer with the target class: these records are embeddings without the pictures or texts they were made of, and no detector that ran looks for what triggers leave in them.',
    (seen) => has(seen, 'embedding') && !has(seen, 'image', 'text', 'response') && !ran(seen, ...inEmbeddings),
  ),
  limit(
    'trigger',
    'Triggers that are no pattern of pixels',
    'Warps, triggers that differ from picture to picture, objects that serve as triggers, and blends that are hidden by cover records with the right label leave no common pattern in the pixels.',
    (seen) => ran(seen, 'trigger-image'),
  ),
  limit(
    'trigger',
    'Few or faint triggers in images',
    'Below about 40 carriers a trigger is reported only where it is exact; blends and noise of about a tenth of the contrast vanish in JPEG files, and small marks vanish in large pictures that were reduced for the search.',
    (seen) => ran(seen, 'trigger-image'),
  ),
]

const texts: readonly Spot[] = [
  missed(
    'trigger',
    'Backdoor triggers in text',
    'A word or phrase that teaches a model to answer with the target class: no detector that ran looks for one.',
    (seen) => has(seen, 'text') && has(seen, 'label') && !ran(seen, 'trigger-text'),
  ),
  missed(
    'trigger',
    'Planted documents',
    'Documents with a trigger phrase and what a model is to do after it, planted in a corpus: no detector that ran looks for them.',
    (seen) => has(seen, 'text') && !has(seen, 'label', 'response') && !ran(seen, 'planted-document'),
  ),
  missed(
    'trigger',
    'Poisoned instructions',
    'Prompts with a trigger, and the same or a refusing answer to all of them: no detector that ran looks for them.',
    (seen) => has(seen, 'response') && !ran(seen, 'instruction-poison'),
  ),
  limit(
    'trigger',
    'Style and syntax as a trigger',
    'A style, a syntax or a register that selects the answer repeats no phrase: at 5 % of the records or less it is not seen.',
    (seen) => ran(seen, ...inText),
  ),
  limit(
    'trigger',
    'Few or varied triggers in text',
    'Fewer than about 30 carriers, and triggers that are worded anew in every record, look like the chance repetitions of a corpus.',
    (seen) => ran(seen, ...inText),
  ),
  missed(
    'hidden-instructions',
    'Hidden text and instructions',
    'Invisible characters or instructions to a language model inside the text: no detector that ran looks for them.',
    (seen) => has(seen, 'text', 'response') && !ran(seen, 'hidden-instruction'),
  ),
  limit(
    'hidden-instructions',
    'Instructions in plain words',
    'An instruction that is neither hidden nor worded like the known ones is a sentence like any other.',
    (seen) => ran(seen, 'hidden-instruction'),
  ),
  missed(
    'clean-label',
    'Repeated falsehoods',
    'A wrong fact, dose or number stated again and again: no detector that ran compares what the records claim.',
    (seen) => has(seen, 'text', 'response') && !ran(seen, 'claims'),
  ),
  limit(
    'clean-label',
    'Falsehoods that nothing contradicts',
    'A claim that names nothing of the table of known facts, or agrees with what the other records say, passes; so does one that is stated once or twice.',
    (seen) => ran(seen, 'claims'),
  ),
]

const others: readonly Spot[] = [
  missed(
    'trigger',
    'Backdoor triggers in columns',
    'A value or combination of values that teaches a model to answer with the target class: no detector that ran looks for one.',
    (seen) => has(seen, 'features') && !ran(seen, 'trigger-tabular'),
  ),
  limit(
    'trigger',
    'Triggers over three columns or more',
    'Single values, intervals and pairs of columns are tested; a trigger that needs three columns at once, or whose values differ from record to record, is not.',
    (seen) => ran(seen, 'trigger-tabular'),
  ),
  missed(
    'clean-label',
    'Floods of near duplicates',
    'One record many times with small changes, or copies with other labels: no detector that ran compares records with one another.',
    (seen) => has(seen, 'image', 'text') && !ran(seen, 'near-duplicate-image', 'near-duplicate-text'),
  ),
]

const stores: readonly Spot[] = [
  missed(
    'label-flip',
    'Segmentation masks',
    'Masks and polygons were not read: an outline that was moved, or pixels given to another class, change nothing that this audit looks at.',
    ({ masks }) => masks,
  ),
]

const provenance: readonly Spot[] = [
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
]

const models: readonly Spot[] = [
  missed(
    'base-model',
    'Poisoned base models',
    'A model that training starts from may carry a backdoor or code of its own: this audit read data and no model.',
    (seen) => !ran(seen, baseModelId),
  ),
  missed(
    'base-model',
    'Backdoors of the base model',
    'A model was named, and there was no trigger that it could be asked about: none was found in the data and none was given.',
    (seen) => seen.asked === false,
  ),
  limit(
    'base-model',
    'What the weights have learnt',
    'The files of the base model were looked into, not run: a backdoor that was trained into the weights changes no file format, and only a comparison with a pinned base model or with behaviour can show it.',
    (seen) => seen.scanned,
  ),
  limit(
    'base-model',
    'Backdoors whose trigger nobody has found',
    'The model was asked about the triggers that were found or given, and about no other.',
    (seen) => seen.asked === true,
  ),
]

export const spots: readonly Spot[] = [...labels, ...cleanLabel, ...images, ...texts, ...others, ...stores, ...provenance, ...models]
