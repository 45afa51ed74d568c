import type { Bytes } from '../bytes.ts'
import { unsafeName } from '../containers/member.ts'
import type { Report } from '../observation.ts'
import type { Checker } from './checker.ts'
import { type Field, fieldsOf, ProtobufError, textOf } from './protobuf.ts'

/** Fields of onnx.proto that are walked into. */
const maxDepth = 24
const known =
  /^(?:|ai\.onnx(?:\.ml|\.training|\.preview(?:\.training)?)?|com\.microsoft(?:\.\w+)*|org\.pytorch\.\w+|pkg\.\w[\w.]*|ai\.onnx\.contrib|onnxscript\.\w[\w.]*)$/

interface Walk {
  readonly sibling: (name: string) => number | null
  readonly bytes: Bytes
  readonly report: Report
  readonly domains: Map<string, number>
  readonly branches: Map<string, number>
  /** Domains of functions that the model defines itself. */
  readonly own: Set<string>
  tensors: number
}

/** ONNX by the bounds of its messages: external data, operators of other libraries. No tensor is read. */
export const checkOnnx: Checker = ({ bytes, report, note, sibling }) => {
  const walk: Walk = { bytes, sibling, report, domains: new Map(), branches: new Map(), own: new Set(), tensors: 0 }
  let graphs = 0
  try {
    for (const f of fieldsOf(bytes)) {
      if (f.number === 7 && f.wire === 2) {
        graphs++
        graph(walk, f, 0)
      } else if (f.number === 25 && f.wire === 2) onnxFunction(walk, f)
    }
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    report({
      rule: 'format-violation',
      verdict: 'block',
      subject: 'protobuf',
      message: `is damaged as ONNX: ${error.message}.`,
      offset: error.offset,
    })
    return
  }
  if (graphs !== 1)
    report({
      rule: 'format-violation',
      verdict: 'block',
      subject: 'graph',
      message: `has ${graphs} graphs where a model of ONNX has one.`,
      offset: null,
    })
  for (const [domain, count] of walk.domains)
    if (!known.test(domain) && !walk.own.has(domain))
      report({
        rule: 'remote-code',
        verdict: 'review',
        subject: `operators of ${domain}`,
        message: `uses operators of ${domain}, which only a library of its own can run.`,
        offset: null,
        count,
      })
  const control = [...walk.branches].map(([op, n]) => `${n} ${op}`).join(', ')
  note(`ONNX: ${walk.tensors.toLocaleString('en')} tensors, no code${control === '' ? '' : `; its own control flow: ${control}`}`)
}

function graph(walk: Walk, within: Field, depth: number): void {
  if (depth > maxDepth) throw new ProtobufError('graphs lie too deep in each other', within.from)
  for (const f of fieldsOf(walk.bytes, within.from, within.to)) {
    if (f.wire !== 2) continue
    if (f.number === 1) node(walk, f, depth)
    else if (f.number === 5) tensor(walk, f)
    else if (f.number === 15)
      for (const part of fieldsOf(walk.bytes, f.from, f.to)) if (part.wire === 2 && part.number <= 2) tensor(walk, part)
  }
}

function onnxFunction(walk: Walk, within: Field): void {
  for (const f of fieldsOf(walk.bytes, within.from, within.to)) {
    if (f.number === 7 && f.wire === 2) node(walk, f, 0)
    else if (f.number === 10 && f.wire === 2) walk.own.add(textOf(walk.bytes, f))
  }
}

function node(walk: Walk, within: Field, depth: number): void {
  let op = ''
  let domain = ''
  for (const f of fieldsOf(walk.bytes, within.from, within.to)) {
    if (f.wire !== 2) continue
    if (f.number === 4) op = textOf(walk.bytes, f)
    else if (f.number === 7) domain = textOf(walk.bytes, f)
    else if (f.number === 5)
      for (const a of fieldsOf(walk.bytes, f.from, f.to)) {
        if (a.wire !== 2) continue
        if (a.number === 6 || a.number === 11) graph(walk, a, depth + 1)
        else if (a.number === 5 || a.number === 10) tensor(walk, a)
      }
  }
  if (walk.domains.size < 1_000 || walk.domains.has(domain)) walk.domains.set(domain, (walk.domains.get(domain) ?? 0) + 1)
  if (domain === '' && ['If', 'Loop', 'Scan'].includes(op)) walk.branches.set(op, (walk.branches.get(op) ?? 0) + 1)
}

function tensor(walk: Walk, within: Field): void {
  walk.tensors++
  let name = ''
  const external = new Map<string, string>()
  for (const f of fieldsOf(walk.bytes, within.from, within.to)) {
    if (f.number === 8 && f.wire === 2) name = textOf(walk.bytes, f)
    if (f.number !== 13 || f.wire !== 2) continue
    let key = ''
    let value = ''
    for (const entry of fieldsOf(walk.bytes, f.from, f.to)) {
      if (entry.number === 1 && entry.wire === 2) key = textOf(walk.bytes, entry)
      else if (entry.number === 2 && entry.wire === 2) value = textOf(walk.bytes, entry)
    }
    external.set(key, value)
  }
  const wrong = (subject: string, message: string): void =>
    walk.report({ rule: 'format-violation', verdict: 'block', subject, message: `${message}.`, offset: within.from })
  const location = external.get('location')
  if (location !== undefined) {
    const unsafe = unsafeName(location)
    if (unsafe !== null) wrong(location, `takes the numbers of ${name} from a file whose name ${unsafe}: ${JSON.stringify(location)}`)
  }
  const there = location === undefined ? null : walk.sibling(location)
  const end = Number(external.get('offset') ?? 0) + Number(external.get('length') ?? 0)
  if (there !== null && end > there)
    wrong(
      name,
      `takes the numbers of ${name} from beyond the end of ${location}: ${end.toLocaleString('en')} of ${there.toLocaleString('en')} bytes`,
    )
  for (const key of ['offset', 'length']) {
    const value = external.get(key)
    if (value !== undefined && !/^\d{1,15}$/.test(value))
      wrong(name, `gives the external numbers of ${name} no ${key} that is a whole number`)
  }
}
