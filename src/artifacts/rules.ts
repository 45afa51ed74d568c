import type { RuleMeta } from '../contracts/detector.ts'

const rule = (name: string, title: string): RuleMeta => ({ id: `base-model/${name}`, title, family: 'base-model' })

/** Every rule that a finding of the detector `base-model` may cite. */
export const baseModelRules: readonly RuleMeta[] = [
  rule('adapter-mismatch', 'An adapter does not belong to the base model'),
  rule('chat-template', 'A chat template does more than format a conversation'),
  rule('container-lie', 'An archive shows different readers different content'),
  rule('format-violation', 'A file breaks the rules of its format'),
  rule('look-alike', "A publisher's name imitates an allowed one"),
  rule('opaque-container', 'A container that cannot be looked into'),
  rule('pickle-code', 'Loading the file runs code'),
  rule('pickle-unknown-global', 'Loading the file calls what nobody vouches for'),
  rule('remote-code', 'The model brings code of its own'),
  rule('tensor-edited', 'Tensors differ from the pinned base model'),
  rule('tokenizer-tampered', 'The tokenizer contradicts itself or its base'),
]
