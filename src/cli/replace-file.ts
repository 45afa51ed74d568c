import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a file aside and renames it: there whole or not at all. */
export async function replaceFile(target: string, text: string | Uint8Array): Promise<void> {
  const temporary = `${target}.${process.pid}.tmp`
  await mkdir(dirname(target), { recursive: true })
  try {
    await writeFile(temporary, text)
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}
