/** What a setting may hold; decides how its text is read and how the documents describe it. */
export type SettingKind = 'duration' | 'integer' | 'fraction' | 'text' | 'choice' | 'address' | 'warehouses' | 'names' | 'map';

export interface SettingRow {
  kind: SettingKind;
  /** The option on the command line, without the two dashes. */
  flag: string;
  /** The environment variable. */
  variable: string;
  /** The property in `conveyor.config.ts`; secrets have none. */
  config: string | undefined;
  /** As a user would write it; `undefined`: see `otherwise`. */
  default: string | undefined;
  /** What happens without a value and without a default, for the documents. */
  otherwise?: string;
  /** Bounds, both allowed: milliseconds for durations. */
  min?: number;
  max?: number;
  choices?: readonly string[];
  /** Texts only. */
  pattern?: RegExp;
  /** What `pattern` asks for, in words. */
  allowed?: string;
  /** Never shown in a message. */
  secret?: true;
  sentence: string;
}
