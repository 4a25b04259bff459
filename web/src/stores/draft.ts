import type { NewStore } from '../api/types';
import { suggestedId } from './ids';

/** A store as it is typed. `id` null: made of the name. */
export interface Draft {
  name: string;
  id: string | null;
  plan: string;
  engine: string;
  domain: string;
  title: string;
  adminEmail: string;
  currency: string;
  country: string;
  demoProducts: boolean;
}

export const EMPTY: Draft = {
  name: '', id: null, plan: 'small', engine: 'woocommerce', domain: '', title: '', adminEmail: '', currency: 'USD', country: 'US:CA', demoProducts: true,
};

/** Whether nothing was typed yet. */
export const isEmpty = (draft: Draft): boolean => JSON.stringify(draft) === JSON.stringify(EMPTY);

export const idOf = (draft: Draft): string => draft.id ?? suggestedId(draft.name);

/** A draft with its idempotency key: sent again after a lost answer it makes no second store. */
export interface Form {
  draft: Draft;
  key: string;
}

/** The key is random; crypto.randomUUID() is not there over plain http. */
export const formOf = (draft: Draft): Form => ({
  draft,
  key: Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-'),
});

export function bodyOf(draft: Draft): NewStore {
  const id = idOf(draft);
  const options = {
    ...(draft.title.trim() === '' ? {} : { title: draft.title }),
    ...(draft.adminEmail.trim() === '' ? {} : { adminEmail: draft.adminEmail.trim() }),
    ...(draft.engine === 'woocommerce' ? { currency: draft.currency, country: draft.country, demoProducts: draft.demoProducts } : {}),
  };
  return {
    name: draft.name,
    plan: draft.plan,
    engine: draft.engine,
    ...(id === '' ? {} : { id }),
    ...(draft.domain.trim() === '' ? {} : { domain: draft.domain.trim() }),
    options,
  } as NewStore;
}
