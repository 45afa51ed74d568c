import { expect, it } from 'vitest'
import { findingsOf } from '../../src/artifacts/findings.ts'
import type { Located } from '../../src/artifacts/observation.ts'
import { baseModelRules } from '../../src/artifacts/rules.ts'

const seen = (part: Partial<Located>): Located => ({
  rule: 'pickle-code',
  verdict: 'block',
  subject: 'os.system',
  message: "calls os.system('id').",
  offset: 7,
  file: 'a.pt',
  inside: ['data.pkl'],
  ...part,
})

it('cites only rules that there are', () => {
  const known = baseModelRules.map((rule) => rule.id)
  expect(known).toEqual([
    'base-model/adapter-mismatch',
    'base-model/chat-template',
    'base-model/container-lie',
    'base-model/format-violation',
    'base-model/look-alike',
    'base-model/opaque-container',
    'base-model/pickle-code',
    'base-model/pickle-unknown-global',
    'base-model/remote-code',
    'base-model/tensor-edited',
    'base-model/tokenizer-tampered',
  ])
  for (const id of known) expect(findingsOf([seen({ rule: id.slice('base-model/'.length) as Located['rule'] })])[0]?.rule).toBe(id)
})

it('is one a rule, file and verdict, the gravest first in it', () => {
  const found = findingsOf([
    seen({ runs: false, subject: 'b', message: 'is second.' }),
    seen({ runs: true, count: 3 }),
    seen({ file: 'b.pt', inside: [] }),
    seen({ rule: 'pickle-unknown-global', verdict: 'review', subject: 'acme.Net' }),
    seen({ verdict: 'note' }),
  ])
  expect(found.map((f) => `${f.severity} ${f.rule} ${f.scope.names.join()} ${f.count}`)).toEqual([
    'critical base-model/pickle-code a.pt,b,os.system 4',
    'high base-model/pickle-code b.pt,os.system 1',
    'medium base-model/pickle-unknown-global a.pt,acme.Net 1',
  ])
  expect(found[0]?.message).toBe("a.pt > data.pkl calls os.system('id'). And 1 more of the kind in this file.")
})
