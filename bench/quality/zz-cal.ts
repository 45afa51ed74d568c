import { scanBusy } from '../../src/history/busy.ts'
import { keyed } from '../../src/math/rng.ts'
const r = keyed(Buffer.from('cal'), 'x')
const pois = (m: number) => { let c = 0; for (let p = r.uniform(); p > Math.exp(-m); p *= r.uniform()) c++; return c }
for (const [mean, growth] of [[0.1, 0], [0.3,0],[1, 0], [3,0], [10, 0], [10, 0.005],[10,-0.005]] as const) {
  const n = 4000, hits = [0, 0, 0]
  for (let s = 0; s < n; s++) {
    const exposure = Float64Array.from({ length: 54 }, (_, i) => 1000 * (1 + growth) ** i)
    const events = Float64Array.from(exposure, (x) => pois(mean * x / 1000))
    const o = scanBusy({ streams: [{ names: ['a'], events, exposure }], possible: 1, silentExposure: 0 })
    const p = Math.exp(Math.min(0, ...o.map((x) => x.logP)))
    if (p < 0.05) hits[0]!++
    if (p < 0.01) hits[1]!++
    if (p < 0.001) hits[2]!++
  }
  console.log(mean, growth, hits.map((h) => h / n).join(' '), 'for .05 .01 .001')
}
