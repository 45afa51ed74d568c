import type { Evidence, Finding, Severity } from '../contracts/finding.ts'
import type { Located, RuleName, Verdict } from './observation.ts'

/** `block` fails the usual gate, `review` a gate that fails on medium: what the files hold is a fact and needs no test. */
const severityOf = (verdict: Verdict, runs: boolean): Severity => (verdict === 'block' ? (runs ? 'critical' : 'high') : 'medium')

const actions: { readonly [R in RuleName]: string } = {
  'adapter-mismatch':
    'Fetch the base model that the adapter names, at its revision, or an adapter that was made for this one; ask what a layer that stands out was trained for.',
  'chat-template': 'Refuse the template: take that of the base model at a pinned revision, and compare the two.',
  'container-lie': 'Refuse the archive and ask the publisher for one that all readers read alike, best a safetensors file.',
  'format-violation': 'Refuse the file, fetch it again at a pinned revision, and convert it to safetensors if it stays as it is.',
  'look-alike':
    'Compare the name letter by letter with that of the publisher you mean, and fetch the model from there at a pinned revision.',
  'opaque-container': 'Unpack the container where nothing can be executed, and scan what was in it.',
  'pickle-code': 'Do not load this file: refuse it, and ask for the weights as safetensors.',
  'pickle-unknown-global': 'Load it only with weights_only=True, or read the source of what it calls; ask for the weights as safetensors.',
  'remote-code': 'Load with trust_remote_code=False; else read the code and pin the revision that you read.',
  'tensor-edited': 'Ask the publisher what was changed and why; else use the pinned base model.',
  'tokenizer-tampered': 'Take the tokenizer of the base model at a pinned revision.',
}

const titles: { readonly [R in RuleName]: string } = {
  'adapter-mismatch': 'Where adapter and base differ',
  'chat-template': 'What the template does',
  'container-lie': 'Where the archive contradicts itself',
  'format-violation': 'What the format forbids',
  'look-alike': 'Names of publishers',
  'opaque-container': 'What was not looked into',
  'pickle-code': 'Calls and names',
  'pickle-unknown-global': 'Calls and names',
  'remote-code': 'Code, and what asks for it',
  'tensor-edited': 'Tensors',
  'tokenizer-tampered': 'What is wrong',
}

const maxRows = 100
const maxNames = 20

const placeOf = ({ file, inside }: Located): string => [file, ...inside].join(' > ')

/** What an observation says, of the file that it was made in: "model.pt > data.pkl calls os.system('id')". */
const sentenceOf = (o: Located): string => `${placeOf(o)} ${o.message}`

function findingOf(all: readonly Located[]): Finding {
  const order = (o: Located): number => (o.verdict === 'block' ? (o.runs ? 0 : 1) : 2)
  const sorted = [...all].sort((a, b) => order(a) - order(b))
  const first = sorted[0] as Located
  const verdict = first.verdict
  const total = all.reduce((sum, o) => sum + (o.count ?? 1), 0)
  const others = sorted.length - 1
  const evidence: Evidence[] = [
    {
      kind: 'numbers',
      title: 'Verdict',
      items: [
        { name: 'verdict', value: verdict },
        { name: 'places', value: total },
      ],
    },
    {
      kind: 'table',
      title: titles[first.rule],
      columns: ['where', 'what', 'byte', 'times', 'verdict'],
      rows: sorted.slice(0, maxRows).map((o) => [placeOf(o), `${o.subject}: ${o.message}`, o.offset, o.count ?? 1, o.verdict]),
    },
  ]
  return {
    rule: `base-model/${first.rule}`,
    severity: severityOf(verdict, first.runs === true),
    confidence: verdict === 'block' ? 'certain' : 'medium',
    scope: { kind: 'file', names: [first.file, ...[...new Set(sorted.map((o) => o.subject))].sort().slice(0, maxNames)] },
    message: `${sentenceOf(first)}${others > 0 ? ` And ${others} more of the kind in this file.` : ''}`,
    count: total,
    records: [],
    evidence,
    test: null,
    action: actions[first.rule],
  }
}

/** One finding a rule, file and verdict: what fails the gate and what a person should look at are never one. */
export function findingsOf(observations: readonly Located[]): readonly Finding[] {
  const groups = new Map<string, Located[]>()
  for (const o of observations) {
    if (o.verdict === 'note') continue
    const key = `${o.file}\u0000${o.rule}\u0000${o.verdict}`
    const group = groups.get(key)
    if (group) group.push(o)
    else groups.set(key, [o])
  }
  return [...groups.values()].map((group) => findingOf(group))
}
