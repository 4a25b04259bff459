import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Problem } from '../api/client';
import { read } from './read';

afterEach(() => vi.unstubAllGlobals());

/** What a service sends, in pieces as a network cuts them. */
function served(pieces: readonly string[], init: ResponseInit = { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } }) {
  const asked: { path: string; headers: Headers; signal: AbortSignal | null | undefined }[] = [];
  vi.stubGlobal('fetch', (path: string, options: RequestInit) => {
    asked.push({ path, headers: new Headers(options.headers), signal: options.signal });
    const bytes = pieces.map((piece) => new TextEncoder().encode(piece));
    const body = new ReadableStream<Uint8Array>({
      start(control) {
        for (const piece of bytes) control.enqueue(piece);
        control.close();
      },
    });
    return Promise.resolve(new Response(body, init));
  });
  return asked;
}

async function heard(last: string | null = null): Promise<{ said: string[]; signs: number; problem: Problem | null }> {
  const said: string[] = [];
  let signs = 0;
  const problem = await new Promise<Problem | null>((resolve) => {
    read('/events/stream', last, {
      opened: () => said.push('opened'),
      alive: () => (signs += 1),
      event: (type, data, id) => said.push(`${type} ${data} ${id ?? '-'}`),
      ended: resolve,
    });
  });
  return { said, signs, problem };
}

describe('a stream that is read', () => {
  it('tells of events however they are cut, and of comments as signs of life', async () => {
    served([': from 3\n\n', 'id: 4\nevent: sto', 're\ndata: {"name":"日', '本"}\n\n', ': keep-alive\n\n']);
    expect(await heard()).toEqual({ said: ['opened', 'store {"name":"日本"} 4'], signs: 5, problem: null });
  });

  it('is asked for from where it was', async () => {
    const asked = served([]);
    await heard('41');
    expect(asked[0]?.path).toBe('/api/v1/events/stream');
    expect(asked[0]?.headers.get('Last-Event-ID')).toBe('41');
    expect(asked[0]?.headers.get('Accept')).toBe('text/event-stream');
  });

  it('that is refused says why and how long to wait', async () => {
    served(['{"detail":"Too many streams"}'], { status: 429, headers: { 'Retry-After': '5' } });
    expect((await heard()).problem).toMatchObject({ status: 429, message: 'Too many streams', retryAfter: 5 });
  });

  it('is not a page of something in between', async () => {
    served(['<html>'], { headers: { 'Content-Type': 'text/html' } });
    expect(await heard()).toMatchObject({ said: [], problem: { status: 502 } });
  });

  it('says nothing any more once it is closed', async () => {
    const asked = served(['event: store\ndata: {}\n\n']);
    const said: string[] = [];
    const close = read('/events/stream', null, {
      opened: () => said.push('opened'),
      alive: () => said.push('alive'),
      event: () => said.push('event'),
      ended: () => said.push('ended'),
    });
    close();
    await vi.waitFor(() => expect(asked[0]?.signal?.aborted).toBe(true));
    await Promise.resolve();
    expect(said).toEqual([]);
  });
});
