import { type Bytes, inMemory, partOf } from '../bytes.ts'
import type { Report } from '../observation.ts'
import { judge, type Level } from './judge.ts'
import { op, opName, weightsOnlyOpcodes } from './opcodes.ts'
import { type Ended, runPickle } from './run.ts'
import type { Call, GlobalName, Sink } from './state.ts'
import { nameOf } from './values.ts'

export interface PickleOptions {
  /** False where the bytes are no pickle by any sign: then only what runs to its STOP, or calls something, is told. */
  readonly expected: boolean
  /** What lies in a bytes argument of a call that reads it as a file. */
  readonly embedded: (bytes: Bytes, name: string) => void
}

export interface PickleSummary {
  readonly pickles: number
  readonly end: number
  /** Every stream so far loads under `weights_only`; else the first reason why not. */
  readonly refusedByWeightsOnly: string | null
  /** Frameworks whose names occur. */
  readonly frameworks: readonly string[]
  readonly calls: number
}

const maxStreams = 10_000
const maxSubjects = 1_000
/** Pickles within the data of a pickle, and the bytes of one. */
const maxContents = 1_000
const maxContent = 1 << 20

interface Tally {
  readonly name: string
  readonly why: string
  readonly level: Level
  readonly called: boolean
  readonly preview: string
  readonly offset: number
  readonly kind: string
  count: number
}

const ufunc = ({ callee, text }: Call): boolean =>
  callee !== null &&
  callee.attribute === '_ufunc_reconstruct' &&
  /^numpy\._?core$/.test(callee.module) &&
  /^numpy(?:\._?core\._multiarray_umath)?$/.test(text ?? '')

const readsFile = ({ module, attribute }: GlobalName): boolean => module === 'torch.storage' && attribute === '_load_from_bytes'

/** Classes whose NEWOBJ and BUILD `weights_only` takes. */
const weightsInstances =
  /^(?:torch\.nn\.parameter\.Parameter|torch\.Tensor|torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2|collections\.(?:OrderedDict|Counter))$/

/** What one stream says, gathered by name. */
class Gathered implements Sink {
  readonly seen = new Map<string, Tally>()
  readonly lies: { readonly subject: string; readonly message: string; readonly offset: number }[] = []
  readonly frameworks = new Set<string>()
  calls = 0
  contents = 0
  refused: string | null = null

  constructor(
    readonly bytes: Bytes,
    readonly embedded: PickleOptions['embedded'],
  ) {}

  #add(key: string, make: () => Omit<Tally, 'count'>): void {
    const there = this.seen.get(key)
    if (there) there.count++
    else if (this.seen.size < maxSubjects) this.seen.set(key, { ...make(), count: 1 })
  }

  global(global: GlobalName, offset: number): void {
    const { level, why } = judge(global, false)
    const name = nameOf(global)
    if (level === 'vetted') this.frameworks.add(why)
    if (level !== 'weights') this.refused ??= `it names ${name}`
    if (level === 'gadget' || level === 'unknown')
      this.#add(`h ${name}`, () => ({ name, why, level, called: false, preview: '', offset, kind: 'GLOBAL' }))
  }

  call(call: Call): void {
    const { callee, resultOf, kind, preview, offset } = call
    const maker = callee ?? resultOf
    if (kind === 'BUILD' || kind === 'NEWOBJ') {
      if (maker !== null && !weightsInstances.test(nameOf(maker))) this.refused ??= `it makes an instance of ${nameOf(maker)}`
    }
    if (kind === 'BUILD' && callee === null) {
      if (maker !== null) this.#judge(call, maker, nameOf(maker), true)
      return
    }
    this.calls++
    if (callee !== null) {
      this.#judge(call, callee, nameOf(callee), false)
      return
    }
    const name = resultOf === null ? 'something computed' : `what ${nameOf(resultOf)} returned`
    const level = resultOf !== null && judge(resultOf, true).level !== 'gadget' ? 'unknown' : 'gadget'
    this.refused ??= `it calls ${name}`
    this.#add(`c ${name}`, () => ({ name, why: 'what is called is made while the file loads', level, called: true, preview, offset, kind }))
  }

  /** Instances are judged when they are made: a state is told only where that was not seen to be data. */
  #judge(call: Call, global: GlobalName, name: string, state: boolean): void {
    const { level, why } = judge(global, true)
    if (call.bytes !== null && (level === 'gadget' || readsFile(global)))
      this.embedded(partOf(this.bytes, call.bytes.offset, call.bytes.length), name)
    if (level === 'weights' || level === 'vetted' || state || ufunc(call)) return
    if (readsFile(global) && call.bytes !== null) return
    const { kind, preview, offset } = call
    this.#add(`c ${name}`, () => ({ name, why, level, called: true, preview, offset, kind }))
  }

  content(offset: number, length: number, text: boolean): void {
    if (this.contents++ >= maxContents || length < 8) return
    const part = this.bytes.read(offset, Math.min(length, maxContent))
    const raw = text ? Buffer.from(part.toString('latin1'), 'base64') : part
    if (raw[0] !== 0x80) return
    const inner = new Gathered(inMemory(raw), () => {})
    inner.contents = maxContents
    runPickle(inner.bytes, 0, inner)
    for (const { name, level, called, preview } of inner.seen.values())
      if (called && level === 'gadget')
        this.#add(`d ${name}`, () => ({
          name,
          why: 'a pickle within its data would call it, for whoever loads that',
          level,
          called: true,
          preview,
          offset,
          kind: 'DATA',
        }))
  }

  lie(subject: string, message: string, offset: number): void {
    this.refused ??= message
    if (this.lies.length < maxSubjects) this.lies.push({ subject, message, offset })
  }
}

const credible = /^[A-Za-z_][\w.]*$/

/** What is called is told once: that it is named as well goes without saying. */
function tell(found: Gathered, ended: Ended, expected: boolean, report: Report): void {
  const failing = ended.failure === null ? '' : ' The file fails to load after that, which is too late.'
  for (const { name, why, level, called, preview, offset, kind, count } of found.seen.values()) {
    if (!called && found.seen.has(`c ${name}`)) continue
    if (!expected && !credible.test(name)) continue
    const verb = kind === 'BUILD' ? 'sets the state of' : kind === 'DATA' ? 'hides a call of' : called ? 'calls' : 'names'
    report({
      rule: level === 'gadget' ? 'pickle-code' : 'pickle-unknown-global',
      verdict: level === 'gadget' ? 'block' : 'review',
      runs: level === 'gadget',
      subject: name,
      message: `${verb} ${name}${called ? preview : ''}: ${why}.${called && level === 'gadget' ? failing : ''}`,
      offset,
      count,
    })
  }
  const told = new Map<string, number>()
  for (const { subject } of found.lies) told.set(subject, (told.get(subject) ?? 0) + 1)
  for (const { subject, message, offset } of found.lies) {
    const count = told.get(subject)
    if (count === undefined) continue
    told.delete(subject)
    report({ rule: 'format-violation', verdict: 'block', subject, message: `${message}.`, offset, count })
  }
}

const torchMagic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex')
/** Magic number, version, system, object, keys of storages: what follows is raw storages. */
const torchStreams = 5

export const isLegacyTorch = (head: Buffer): boolean => head.subarray(0, torchMagic.length).equals(torchMagic)

/**
 * Every pickle of a file, one behind the other. What follows a STOP is read as well: a program may load more than once, and the first pickle
 * may be there for the eyes of a scanner alone.
 */
export function scanPickles(bytes: Bytes, start: number, options: PickleOptions, report: Report): PickleSummary {
  const legacy = isLegacyTorch(bytes.read(start, torchMagic.length))
  let position = start
  let pickles = 0
  let calls = 0
  let refused: string | null = null
  const frameworks = new Set<string>()
  while (position < bytes.size) {
    if (pickles >= maxStreams) {
      report({
        rule: 'format-violation',
        verdict: 'review',
        subject: 'streams',
        message: `holds more than ${maxStreams.toLocaleString('en')} pickles: the rest was not read.`,
        offset: position,
      })
      break
    }
    const found = new Gathered(bytes, options.embedded)
    const ended = runPickle(bytes, position, found)
    const first = pickles === 0
    const raw = legacy && pickles >= torchStreams
    const expected = first ? options.expected : ended.stopped && !raw && bytes.read(position, 1)[0] === op.proto
    const counts = expected || (ended.stopped && ended.failure === null && !raw ? ended.opcodes > 1 : false)
    if (counts) tell(found, ended, expected, report)
    else if (found.calls > 0) tellCalls(found, ended, report)
    if (!ended.stopped) {
      if (first && options.expected) unfinished(ended, report)
      else if (pickles > 0 && !raw) trailing(bytes.size - position, position, report)
      if (first) calls += found.calls
      break
    }
    if (first && options.expected && ended.failure !== null) unfinished(ended, report)
    pickles++
    calls += found.calls
    for (const name of found.frameworks) frameworks.add(name)
    // The legacy format reads its own header with a plain unpickler that allows the same.
    refused ??= found.refused ?? opcodeRefused(ended)
    position = ended.end
  }
  return { pickles, end: position, refusedByWeightsOnly: refused, frameworks: [...frameworks].sort(), calls }
}

/** Of bytes that are no pickle by any sign, only what a pickle alone does: a call of a name that could be one. */
function tellCalls(found: Gathered, ended: Ended, report: Report): void {
  const gadgets = [...found.seen.values()].filter(
    (t) => t.called && t.level === 'gadget' && credible.test(t.name) && t.name !== 'something computed',
  )
  if (gadgets.length > 0) tell(found, ended, false, report)
}

function opcodeRefused({ seen }: Ended): string | null {
  const code = seen.findIndex((n, c) => n === 1 && !weightsOnlyOpcodes.has(c))
  return code < 0 ? null : `it uses ${opName(code)}`
}

const unfinished = ({ failure }: Ended, report: Report): void =>
  report({
    rule: 'format-violation',
    verdict: 'review',
    subject: 'damaged',
    message: `is a pickle that cannot be loaded: ${failure?.message ?? 'it does not end'}.`,
    offset: failure?.offset ?? null,
  })

const trailing = (length: number, offset: number, report: Report): void =>
  report({
    rule: 'format-violation',
    verdict: 'note',
    subject: 'trailing',
    message: `${length.toLocaleString('en')} bytes follow the last pickle and are none.`,
    offset,
  })
