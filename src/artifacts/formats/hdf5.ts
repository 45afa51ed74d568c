import { type Bytes, indexOfBytes } from '../bytes.ts'
import { checkKeras } from '../texts/keras.ts'
import type { Checker } from './checker.ts'

const maxConfig = 32 << 20
const maxConfigs = 16
const starts = ['{"class_name":', '{"module":', '{"config":', '{"name":'].map((text) => Buffer.from(text))

/** The JSON object that begins at a position, by its brackets; null where it does not end. */
function objectAt(bytes: Bytes, at: number): string | null {
  const text = bytes.read(at, maxConfig).toString('latin1')
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (quoted) {
      if (c === '\\') i++
      else if (c === '"') quoted = false
    } else if (c === '"') quoted = true
    else if (c === '{') depth++
    else if (c === '}' && --depth === 0) return Buffer.from(text.slice(0, i + 1), 'latin1').toString('utf8')
  }
  return null
}

/**
 * An HDF5 file of Keras: its architecture is JSON in an attribute, which is never compressed, wherever it lies. Links to other files are told.
 */
export const checkHdf5: Checker = (checked) => {
  const { bytes, report, note } = checked
  let found = 0
  let broken = 0
  for (const start of starts) {
    for (let at = indexOfBytes(bytes, start); at >= 0 && found + broken < maxConfigs; ) {
      const text = objectAt(bytes, at)
      let root: unknown
      try {
        root = text === null ? undefined : JSON.parse(text)
      } catch {
        root = undefined
      }
      if (root === undefined) broken++
      else {
        found++
        checkKeras(root, checked)
      }
      at = indexOfBytes(bytes, start, at + (root === undefined || text === null ? start.length : Buffer.byteLength(text)))
    }
  }
  if (broken > 0 && found === 0)
    report({
      rule: 'format-violation',
      verdict: 'review',
      subject: 'model_config',
      message: 'has an architecture of Keras that cannot be read.',
      offset: null,
    })
  note(found > 0 ? `HDF5 with an architecture of Keras` : 'HDF5 without an architecture')
}
