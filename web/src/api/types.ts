/** The API's documents by short names; schema.d.ts is made of the OpenAPI document (`make web-types`). */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Store = Schemas['StoreDocument'];
export type Condition = Schemas['ConditionDocument'];
export type Phase = Schemas['Phase'];
export type Entry = Schemas['EntryDocument'];
export type Resource = Schemas['ResourceDocument'];
export type Revision = Schemas['RevisionDocument'];
export type Me = Schemas['MeDocument'];
export type Plans = Schemas['PlansDocument'];
export type Plan = Schemas['PlanDocument'];
export type Overview = Schemas['OverviewDocument'];
export type Credentials = Schemas['CredentialsDocument'];
export type NewStore = Schemas['CreateStore'];
export type StorePatch = Schemas['PatchStore'];

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export interface FieldProblem {
  field: string;
  message: string;
}

/** What was seen when a revision failed: open by design, so it is narrowed where it is shown. */
export type Evidence = Record<string, unknown>;

export const PHASES: readonly Phase[] = [
  'Pending', 'Provisioning', 'Ready', 'Degraded', 'Upgrading', 'RollingBack', 'Failed', 'Hibernated', 'Deleting',
];
