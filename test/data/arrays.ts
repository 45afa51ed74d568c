import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of real data. @throws Error where ASSAY_DATA does not name one */
export function dataFolder(...path: readonly string[]): string {
  const folder = process.env.ASSAY_DATA
  if (!folder || !existsSync(folder)) throw new Error('set ASSAY_DATA to the folder of real data')
  return join(folder, ...path)
}

const headerStart = 10

/** Labels of a version 1 .npy file of bytes or int64. */
export function labelsIn(path: string): Int32Array {
  const bytes = readFileSync(path)
  const body = headerStart + bytes.readUInt16LE(8)
  const header = bytes.toString('latin1', headerStart, body)
  if (/'descr': '[|<][ui]1'/.test(header)) return Int32Array.from(bytes.subarray(body))
  if (!/'descr': '<i8'/.test(header)) throw new Error(`${path}: unexpected header ${header}`)
  return Int32Array.from({ length: (bytes.length - body) / 8 }, (_, i) => Number(bytes.readBigInt64LE(body + 8 * i)))
}

/** A CSV file without quoted cells. */
export function rowsIn(path: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const names = head.trim().split(',')
  return lines.map((line) => {
    const cells = line.trim().split(',')
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))
  })
}
