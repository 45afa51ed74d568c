import { matrix, withColumns } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Exchange, Sent } from '../contracts/exchange.ts'
import type { Context } from '../contracts/statistic.ts'

/** The same exchange over batches in memory; they come back with the column `neighbours`. */
export async function exchangeInMemory(exchange: Exchange, c: Context, batches: readonly Batch[]): Promise<readonly Batch[]> {
  const { buckets, width } = exchange.layout(c)
  if (buckets === 0) return batches
  const sent: { places: number[]; payload: Uint8Array[] }[] = Array.from({ length: buckets }, () => ({ places: [], payload: [] }))
  let rows = 0
  for (const batch of batches) {
    const { rows: of, buckets: to, wants, payload } = await exchange.route(c, batch)
    for (let i = 0; i < of.length; i++) {
      const bucket = sent[to[i] as number] as (typeof sent)[number]
      bucket.places.push(wants[i] ? rows + (of[i] as number) : -1)
      bucket.payload.push(payload.subarray(i * width, (i + 1) * width))
    }
    rows += batch.numRows
  }
  const values = new Float32Array(rows * exchange.answers).fill(Number.NaN)
  for (const { places, payload } of sent) {
    const read = async function* (): AsyncGenerator<Sent> {
      yield { places: Float64Array.from(places), payload: new Uint8Array(Buffer.concat(payload)) }
    }
    for await (const answered of exchange.work(c, read))
      answered.places.forEach((place, i) => {
        values.set(answered.values.subarray(i * exchange.answers, (i + 1) * exchange.answers), place * exchange.answers)
      })
  }
  let first = 0
  return batches.map((batch) => {
    const data = values.slice(first * exchange.answers, (first + batch.numRows) * exchange.answers)
    first += batch.numRows
    return withColumns(batch, { neighbours: matrix({ data, rows: batch.numRows, dims: exchange.answers }) })
  })
}
