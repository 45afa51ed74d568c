import type { SourceSpec } from '../contracts/data.ts'
import type { ProvenanceSpec } from '../contracts/pipeline.ts'
import { displayName, failAt, locate } from './document.ts'
import { fileError } from './errors.ts'
import type { Loaded } from './extends.ts'
import type { Layer } from './merge.ts'
import { baselineFiles, trustedFiles } from './provenance.ts'
import { deliveryAround, isBeside } from './trust.ts'

/** A detector that is required and switched off is a contradiction between two lines, maybe of two files. */
export function checkRequired(chain: readonly Loaded[], layer: Layer): void {
  for (const id of layer.gate?.require ?? []) {
    if (layer.detectors?.[id] !== false) continue
    const at = ['detectors', id]
    const where = chain.findLast(({ yaml }) => locate(yaml, at).exact) ?? chain.at(-1)
    if (where) throw failAt('invalid-config', where.yaml, at, 'is switched off, and gate.require names it: keep one of the two')
  }
}

/** Settings of a model that no file names would be passed over. */
export function checkModel(chain: readonly Loaded[], layer: Layer): void {
  if (!layer['base-model'] || layer['base-model'].model !== undefined) return
  const at = ['base-model']
  const where = chain.findLast(({ yaml }) => locate(yaml, at).exact) ?? chain.at(-1)
  if (where) throw failAt('invalid-config', where.yaml, at, 'names no model: add base-model.model, an .onnx file')
}

/** What says how the data are judged must not come with the data. */
export function checkTrust(
  chain: readonly Loaded[],
  sources: readonly SourceSpec[],
  accepted: readonly string[],
  tables: readonly string[],
  provenance: ProvenanceSpec | null,
  anchor: string,
  fromData: boolean,
): void {
  const refuse = (file: string, delivery: string | null, hint: string): void => {
    if (delivery === null) return
    throw fileError(
      'untrusted-path',
      displayName(file),
      `lies in ${displayName(delivery)}, which is audited: what is audited must not say what fails its own audit`,
      hint,
    )
  }
  const trusted = chain.filter((l) => !l.preset && (fromData || l.extendedBy !== null)).map((l) => l.yaml.path)
  for (const file of [...trusted, ...accepted])
    refuse(file, deliveryAround(file, sources, anchor), 'keep pipeline files, waivers and known findings outside of the data')
  for (const file of tables)
    refuse(file, deliveryAround(file, sources, anchor), 'keep tables that the data are judged by outside of the data')
  if (provenance === null) return
  for (const file of trustedFiles(provenance))
    refuse(file, deliveryAround(file, sources, anchor, provenance.root), 'keep keys, certificates and snapshots outside of the data')
  for (const file of baselineFiles(provenance))
    if (provenance.root !== null || !isBeside(file, sources))
      refuse(file, deliveryAround(file, sources, anchor, provenance.root), 'keep baselines outside of the data')
}
