import type { Batch } from '../../src/contracts/data.ts';
import type { Setup } from '../../src/contracts/detector.ts';
import { type Random } from '../../src/math/rng.ts';
export interface TextRow {
    readonly text: string;
    readonly label?: string;
    readonly response?: string;
    readonly poisoned: boolean;
}
/** A language of its own: each word is followed by one of a few, so that pairs repeat as in natural text; two topics have words of their own. */
export declare function writer(name: string): {
    readonly random: Random;
    write(words: number, topic?: number): string[];
};
export declare function insertAt(random: Random, words: readonly string[], phrase: string): string;
export declare function textBatches(rows: readonly TextRow[], size?: number): Batch[];
export declare const textSetup: (subject: Setup['subject']) => Setup;
export declare function shares(rows: readonly TextRow[], flagged: readonly boolean[]): {
    readonly recall: number;
    readonly precision: number;
};
