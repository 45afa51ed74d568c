import type { Family } from './taxonomies.ts'

/**
 * How poisoned training data becomes a hazard of a device that learns from them, in the terms of ISO 14971 and AAMI TIR34971. The harm, its
 * severity and its probability depend on the intended use: only the manufacturer can state them.
 */
export interface Hazard {
  readonly families: readonly Exclude<Family, 'coverage'>[]
  readonly hazard: string
  /** Foreseeable sequence of events. */
  readonly sequence: string
  readonly situation: string
}

export const hazards: readonly Hazard[] = [
  {
    families: ['label-flip'],
    hazard: 'Labels in the training data are wrong, by intent or by mistake',
    sequence:
      'A source, an annotator or a person with access changes labels; the model learns the wrong class for a group of patients; validation data carry the same error.',
    situation: 'The device gives a wrong output for patients of that group, with a confidence that does not warn the user.',
  },
  {
    families: ['clean-label'],
    hazard: 'Records with right labels are made so that they move the decision boundary',
    sequence:
      'Altered records enter with a delivery or a public source; they pass review because their labels are right; training moves the boundary for chosen cases.',
    situation: 'The device misclassifies chosen cases, while its measured performance is as claimed.',
  },
  {
    families: ['trigger'],
    hazard: 'A trigger in the training data puts a backdoor into the model',
    sequence:
      'Records that carry a mark, a phrase or a value have one label; the model learns the trigger as a sign of it; the trigger appears in use, by intent or by chance (a stamp, a device marker, a template).',
    situation: 'The device follows the trigger instead of the data of the patient.',
  },
  {
    families: ['data-provenance'],
    hazard: 'The training data are not the data that were released or agreed',
    sequence:
      'Records are removed, added, exchanged or relabelled between release and training; nobody compares the delivery with a trusted original.',
    situation: 'The device is trained and validated on a population that differs from the one that its performance is claimed for.',
  },
  {
    families: ['base-model'],
    hazard: 'The base model that training starts from carries code or altered weights',
    sequence:
      'A base model from a public source is loaded or fine-tuned; code in its files runs, or a backdoor in its weights survives training.',
    situation: 'The device, or the environment that builds it, does what its manufacturer did not design.',
  },
  {
    families: ['hidden-instructions'],
    hazard: 'Text in the training data hides instructions for a language model',
    sequence:
      'Records contain commands that readers do not see; the model learns to follow them, or a system that reads the records executes them.',
    situation: 'The device follows instructions that come from data and not from its user.',
  },
]

/** A place in a standard, guidance or regulation, and what of this report is evidence relevant to it. */
export interface Reference {
  readonly document: string
  readonly place: string
  readonly evidence: string
}

export const references: readonly Reference[] = [
  {
    document: 'ISO 14971:2019',
    place: 'Identification of hazards and hazardous situations',
    evidence: 'the table of hazards; the findings',
  },
  {
    document: 'ISO 14971:2019',
    place: 'Risk estimation',
    evidence: 'counts, rates and tests of the findings, for the probability that poisoned data are present',
  },
  {
    document: 'ISO 14971:2019',
    place: 'Implementation of risk control measures',
    evidence: 'the gate, its policy and its verdict over the digests of the data',
  },
  { document: 'ISO 14971:2019', place: 'Residual risk evaluation', evidence: 'coverage, and what this audit cannot see' },
  {
    document: 'ISO 14971:2019',
    place: 'Production and post-production activities',
    evidence: 'the same audit of every later delivery, compared by snapshots',
  },
  {
    document: 'AAMI TIR34971:2023',
    place: 'Hazards related to data',
    evidence: 'label quality by class and source; removed, added and changed records',
  },
  {
    document: 'AAMI TIR34971:2023',
    place: 'Hazards related to security',
    evidence: 'searches for triggers, hidden instructions and code in model files',
  },
  {
    document: 'FDA, Artificial Intelligence-Enabled Device Software Functions (draft guidance, 7 January 2025)',
    place: 'Data management',
    evidence: 'inputs with their digests, provenance, label quality by class and source',
  },
  {
    document: 'FDA, Artificial Intelligence-Enabled Device Software Functions (draft guidance, 7 January 2025)',
    place: 'Risk assessment',
    evidence: 'the table of hazards; limits of the audit',
  },
  {
    document: 'FDA, Artificial Intelligence-Enabled Device Software Functions (draft guidance, 7 January 2025)',
    place: 'Cybersecurity: data poisoning',
    evidence: 'what was looked for and with which method, the findings, the verdict',
  },
  {
    document: 'FDA, Cybersecurity in Medical Devices (guidance, 27 June 2025)',
    place: 'Security risk management: threats and supply chain of data and models',
    evidence: 'manifests and signatures of the delivery, digests of every input, findings about base models',
  },
  {
    document: 'EU AI Act, Regulation (EU) 2024/1689',
    place: 'Article 9: risk management system',
    evidence: 'the table of hazards, and limits as residual risk',
  },
  {
    document: 'EU AI Act, Regulation (EU) 2024/1689',
    place: 'Article 10(2)(b): origin of data',
    evidence: 'provenance: manifests, signatures, changes',
  },
  {
    document: 'EU AI Act, Regulation (EU) 2024/1689',
    place: 'Article 10(2)(c): annotation and labelling',
    evidence: 'label quality by class, pair of classes and source',
  },
  {
    document: 'EU AI Act, Regulation (EU) 2024/1689',
    place: 'Article 10(3): data free of errors to the best extent possible',
    evidence: 'findings, flagged rows, row issues',
  },
  {
    document: 'EU AI Act, Regulation (EU) 2024/1689',
    place: 'Article 15(5): measures against data poisoning and model poisoning',
    evidence: 'the detectors that ran, their findings, the gate',
  },
  {
    document: 'EU AI Act, Regulation (EU) 2024/1689',
    place: 'Annex IV: technical documentation of the data',
    evidence: 'inputs, columns, labels, sources, and this report',
  },
]
