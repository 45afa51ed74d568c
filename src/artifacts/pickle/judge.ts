import { gadgets, standardGadgets } from './gadgets.ts'
import { standardLibrary } from './standard-library.ts'
import type { GlobalName } from './state.ts'
import { vetted, weightsOnly } from './vetted.ts'

/** `weights`: allowed by `weights_only`. `vetted`: data of a framework. `unknown`: nobody vouches for it. `gadget`: runs code, or may. */
export type Level = 'weights' | 'vetted' | 'unknown' | 'gadget'

export interface Judgement {
  readonly level: Level
  /** "PyTorch", or why. */
  readonly why: string
}

type Table = ReadonlyMap<string, ReadonlySet<string> | null>

const tableOf = (list: readonly (readonly [string, string])[]): Table =>
  new Map(list.map(([module, names]) => [module, names === '*' ? null : new Set(names.split(' '))]))
const thirdParty = tableOf(gadgets)
const standard = tableOf(standardGadgets)

/** Does the table name this, or a module above it as a whole? */
function listed(table: Table, module: string, attribute: string): boolean {
  for (let name = module; ; name = name.slice(0, name.lastIndexOf('.'))) {
    const names = table.get(name)
    if (names === null) return true
    if (names?.has(name === module ? attribute : (module.slice(name.length + 1).split('.')[0] as string))) return true
    if (!name.includes('.')) return false
  }
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
const dotted = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/

const reaches = 'runs code, or reaches files, processes or the network'

const known = new Map<string, Judgement>()
const maxKnown = 10_000

/**
 * What a name may do, by lists of what is known to be data: what is on none is unknown, however harmless it looks. `called` is whether an opcode
 * calls it, or it only stands in the pickle.
 */
export function judge({ module, attribute }: GlobalName, called: boolean): Judgement {
  const key = `${called ? 'c' : 'h'}${module}\u0000${attribute}`
  let judgement = known.get(key)
  if (judgement === undefined) {
    if (known.size >= maxKnown) known.clear()
    judgement = decide(module.trim(), attribute.trim(), called)
    known.set(key, judgement)
  }
  return judgement
}

function decide(module: string, attribute: string, called: boolean): Judgement {
  if (!dotted.test(module) || !dotted.test(attribute)) return { level: 'gadget', why: 'no module or name of Python is called so' }
  const top = module.split('.')[0] as string
  const isStandard = standardLibrary.has(top)
  if (!identifier.test(attribute)) {
    // `os.system` reached through a module that somebody vouches for, as a name with a dot in it.
    if (isStandard || isVettedModule(module) || listed(thirdParty, module, attribute) || attribute.includes('__'))
      return { level: 'gadget', why: 'its name has a dot, which leads through one object to another' }
    return { level: 'unknown', why: 'on no list of data classes, and its name has a dot' }
  }
  if (weightsOnly(module, attribute)) return { level: 'weights', why: 'PyTorch' }
  if (listed(standard, module, attribute) || thirdParty.get(module)?.has(attribute)) return { level: 'gadget', why: reaches }
  const match = vetted.find((v) => v.module.test(module) && (v.called.test(attribute) || (!called && v.held?.test(attribute) === true)))
  if (match) return { level: 'vetted', why: match.framework }
  if (listed(thirdParty, module, attribute)) return { level: 'gadget', why: reaches }
  if (isStandard)
    return called
      ? { level: 'gadget', why: 'a part of the standard library that makes no plain data' }
      : { level: 'unknown', why: 'a part of the standard library that is no plain data' }
  return { level: 'unknown', why: 'on no list of data classes' }
}

const isVettedModule = (module: string): boolean => vetted.some((v) => v.module.test(module))
