/** Currencies and countries that WooCommerce knows, by name where the browser knows one. */
import codes from '../../../charts/store/files/codes.json';

const named = (kind: 'currency' | 'region') => {
  const names = new Intl.DisplayNames(undefined, { type: kind, fallback: 'code' });
  return (code: string) => {
    const name = names.of(code) ?? code;
    return name === code ? code : `${name} (${code})`;
  };
};

const currency = named('currency');
const region = named('region');

export const CURRENCIES = codes.currencies.map((value) => ({ value, label: currency(value) }));

export const COUNTRIES = Object.entries(codes.countries)
  .flatMap(([country, states]) => [
    { value: country, label: region(country) },
    ...states.map((state) => ({ value: `${country}:${state}`, label: `${region(country)}, ${state}` })),
  ])
  .sort((a, b) => a.label.localeCompare(b.label));
