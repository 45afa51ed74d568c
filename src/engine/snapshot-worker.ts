import type { MessagePort } from 'node:worker_threads'
import { type ShardLeaves, type ShardOrder, takeShard } from './snapshot-shard.ts'

const tickMs = 100

/** Entry of a worker thread. */
export async function work({ order, port }: { readonly order: ShardOrder; readonly port: MessagePort }): Promise<ShardLeaves> {
  let rows = 0
  let last = Date.now()
  const flush = (): void => {
    if (rows > 0) port.postMessage(rows)
    rows = 0
    last = Date.now()
  }
  try {
    return await takeShard(order, (n) => {
      rows += n
      if (Date.now() - last >= tickMs) flush()
    })
  } finally {
    flush()
    port.close()
  }
}
