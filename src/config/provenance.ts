import type { SourceSpec } from '../contracts/data.ts'
import type { ProvenanceSpec } from '../contracts/pipeline.ts'
import type { ProvenanceFile } from './provenance-schema.ts'

/** A `provenance:` section whose paths no longer depend on where it was written. */
export type ProvenanceLayer = Omit<ProvenanceFile, 'baseline'> & { readonly baseline?: string | SourceSpec }

type To = (path: string) => string

/** Paths of the section become absolute; those of `manifests` stay relative to the root. */
export function resolveProvenance(
  file: ProvenanceFile,
  to: To,
  source: (spec: NonNullable<ProvenanceFile['baseline']> & object) => SourceSpec,
): ProvenanceLayer {
  const { root, trust, baseline, snapshot, ...rest } = file
  return {
    ...rest,
    ...(root === undefined ? {} : { root: to(root) }),
    ...(trust === undefined ? {} : { trust: resolveTrust(trust, to) }),
    ...(baseline === undefined ? {} : { baseline: typeof baseline === 'string' ? to(baseline) : source(baseline) }),
    ...(snapshot === undefined ? {} : { snapshot: to(snapshot) }),
  }
}

const resolveTrust = (trust: NonNullable<ProvenanceFile['trust']>, to: To): NonNullable<ProvenanceFile['trust']> => ({
  ...trust,
  ...(trust.keys ? { keys: trust.keys.map(to) } : {}),
  ...(trust.certificates ? { certificates: trust.certificates.map(to) } : {}),
  ...(trust['trusted-root'] === undefined ? {} : { 'trusted-root': to(trust['trusted-root']) }),
})

/** Every setting, with its default. */
export const toProvenance = (layer: ProvenanceLayer): ProvenanceSpec => ({
  root: layer.root ?? null,
  manifests: layer.manifests ?? null,
  trust: {
    keys: layer.trust?.keys ?? [],
    certificates: layer.trust?.certificates ?? [],
    identities: layer.trust?.identities ?? [],
    trustedRoot: layer.trust?.['trusted-root'] ?? null,
  },
  weakestDigest: layer['weakest-digest'] ?? 'sha256',
  coverage: layer.coverage ?? 0,
  unlisted: layer.unlisted ?? 'report',
  requireSignature: layer['require-signature'] ?? false,
  baseline: layer.baseline ?? null,
  schema: layer.schema === undefined ? null : { columns: layer.schema.columns ?? null, nulls: layer.schema.nulls ?? [] },
  snapshot: layer.snapshot ?? null,
  snapshotKey: layer['snapshot-key']?.env ?? null,
})

const present = (value: object): object => Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null && v !== undefined))
const filled = <T>(list: readonly T[]): readonly T[] | null => (list.length > 0 ? list : null)

/** The section that reads back as `spec`. */
export function printProvenance(spec: ProvenanceSpec, to: To, source: (spec: SourceSpec) => SourceSpec): object {
  const { trust, baseline, schema } = spec
  const trusted = present({
    keys: filled(trust.keys.map(to)),
    certificates: filled(trust.certificates.map(to)),
    identities: filled(trust.identities),
    'trusted-root': trust.trustedRoot === null ? null : to(trust.trustedRoot),
  })
  return present({
    root: spec.root === null ? null : to(spec.root),
    manifests: spec.manifests,
    trust: Object.keys(trusted).length > 0 ? trusted : null,
    'weakest-digest': spec.weakestDigest,
    coverage: spec.coverage,
    unlisted: spec.unlisted,
    'require-signature': spec.requireSignature,
    baseline: typeof baseline === 'string' ? to(baseline) : baseline && source(baseline),
    schema: schema && present({ columns: schema.columns, nulls: schema.nulls }),
    snapshot: spec.snapshot === null ? null : to(spec.snapshot),
    'snapshot-key': spec.snapshotKey === null ? null : { env: spec.snapshotKey },
  })
}

/** Files that the policy, or that of the next audit, rests on: none may come along with what is audited. */
export const trustedFiles = ({ trust, snapshot }: ProvenanceSpec): readonly string[] => [
  ...trust.keys,
  ...trust.certificates,
  ...(trust.trustedRoot === null ? [] : [trust.trustedRoot]),
  ...(snapshot === null ? [] : [snapshot]),
]

/** What the data are compared with. */
export const baselineFiles = ({ baseline }: ProvenanceSpec): readonly string[] =>
  typeof baseline === 'string' ? [baseline] : pathsOf(baseline)

const pathsOf = (source: SourceSpec | null): readonly string[] => {
  if (source === null) return []
  const { path, arrays, labels } = source
  const own = path === undefined ? Object.values(arrays ?? {}) : typeof path === 'string' ? [path] : path
  return labels === undefined ? own : [...own, labels]
}
