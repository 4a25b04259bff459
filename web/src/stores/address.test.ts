import { describe, expect, it } from 'vitest';

import { addressOf } from './address';

describe('the address that a store will have', () => {
  it.each([
    ['acme', '', null, 'store-acme.example.com'],
    ['acme', '', 'http://store-ac.example.com:8080', 'http://store-acme.example.com:8080'],
    ['acme', ' Shop.example.org', 'https://store-acme.example.com', 'https://shop.example.org'],
    ['acme', 'shop.example.org', 'http://store-acme.example.com:8080', 'http://shop.example.org:8080'],
    ['', '', 'https://store-x1.example.com', null],
    ['Not an id', 'shop.example.org', null, null],
  ])('of id %j and domain %j after %j is %j', (id, domain, told, address) => {
    expect(addressOf({ id, domain }, 'example.com', told)).toBe(address);
  });
});
