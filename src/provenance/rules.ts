import type { RuleMeta } from '../contracts/detector.ts'

const rule = (name: string, title: string): RuleMeta => ({ id: `provenance/${name}`, title, family: 'data-provenance' })

/** Every rule that a finding of the detector `provenance` may cite. */
export const provenanceRules: readonly RuleMeta[] = [
  rule('added', 'Records that the baseline does not have'),
  rule('class-selective-removal', 'Records of one class were removed'),
  rule('coverage', 'Too few files are covered by a sufficient digest'),
  rule('declared-facts', 'The data are not what was declared'),
  rule('edited', 'Records were edited'),
  rule('flooded', 'Records were duplicated'),
  rule('manifest', 'A manifest is damaged or hostile'),
  rule('mismatch', 'A file is not the one that the manifest names'),
  rule('missing', 'A file that the manifest names is not there'),
  rule('relabelled', 'Labels were changed'),
  rule('removed', 'Records of the baseline are gone'),
  rule('split-view', 'Files behind addresses changed in one place'),
  rule('unlisted', 'A file that no manifest names'),
  rule('unsigned', 'Nobody vouches for the manifest'),
  rule('untrusted-signer', 'The signature is not by anybody whom the policy trusts'),
  rule('weak-digest', 'Digests that can be forged'),
]
